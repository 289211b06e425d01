"""The way back from a page to the room board, for whoever came from there."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue

from kiosk.blueprints.centre.day import code_of
from kiosk.services.centres import CentreView
from kiosk.web.htmx import go_to_address
from kiosk.web.staff_pages import uuid_or_none

BOARD = "board"


def board_query(centre: CentreView) -> dict[str, Any]:
    """Return what a form carries along so that it leads back to the board as it was; nothing for others."""
    if request.values.get("back") != BOARD:
        return {}
    asked = {
        "back": BOARD,
        "shift": str(uuid_or_none(request.values.get("shift", "")) or ""),
        "show": request.values.get("show", "")[:20],
        "view": "list" if request.values.get("view") == "list" else "",
    }
    return code_of(centre) | {name: value for name, value in asked.items() if value}


def way_back(endpoint: str, centre: CentreView, candidate_id: UUID | None, values: dict[str, Any]) -> str:
    """Return the board with the candidate's seat open; for whoever did not come from there `endpoint`."""
    query = board_query(centre)
    if query:
        return url_for("centre.board", **(query | {"back": None, "seat": candidate_id}))
    return url_for(endpoint, **values)


def go_to_board_or(
    endpoint: str, *, centre: CentreView, candidate_id: UUID | None, values: dict[str, Any]
) -> ResponseReturnValue:
    """Go there; `values` are those of the address of `endpoint`."""
    return go_to_address(way_back(endpoint, centre, candidate_id, values))
