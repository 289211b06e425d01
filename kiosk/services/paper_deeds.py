"""What is done to whole papers, one or many: taken into use, put away. One paper of a trade and type is in use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from kiosk.extensions import db
from kiosk.models import Organisation, Paper, Slot
from kiosk.office_errors import WrongField
from kiosk.services import holders, paper_reports
from kiosk.services.audit import Actor
from kiosk.services.deeds import Deed, Reasons
from kiosk.services.paper_values import check_structure


def place_of(paper: Paper) -> tuple[UUID | None, str]:
    """Return what a paper is for: its trade, none for all of them, and its type."""
    return paper.trade_id, paper.paper_type


def titles_in_use(organisation_id: UUID) -> dict[tuple[UUID | None, str], str]:
    """Return the title of the paper that is in use for each trade and type."""
    rows = db.session.execute(
        select(Paper).where(Paper.organisation_id == organisation_id, Paper.status == "in_use")
    ).scalars()
    return {place_of(row): row.title for row in rows}


def problem_of_parts(paper: Paper) -> str | None:
    """Return what is wrong with a paper's parts and marks, in words."""
    return _problem(paper_reports.structure_of(paper))


def _problem(structure: Any) -> str | None:
    try:
        check_structure(structure)
    except WrongField as error:
        return error.sentence
    return None


def _stay_unused(rows: Sequence[Paper], _by: Actor, _now: datetime) -> Reasons:
    why = {row.id: "active" for row in rows if row.status == "in_use"}
    rest = [row for row in rows if row.id not in why]
    if not rest:
        return why
    taken, wanted = titles_in_use(rest[0].organisation_id), Counter(place_of(row) for row in rest)
    structures = paper_reports.structures_of(rest)
    for row in rest:
        if place_of(row) in taken:
            why[row.id] = "other_in_use"
        elif wanted[place_of(row)] > 1:
            why[row.id] = "twice"
        elif row.trade_id is None and row.paper_type == "primary":
            why[row.id] = "no_trade"
        elif _problem(structures[row.id]):
            why[row.id] = "parts"
    return why


def _stay_kept(rows: Sequence[Paper], _by: Actor, _now: datetime) -> Reasons:
    why = {row.id: "archived" for row in rows if row.status == "archived"}
    held = holders.held_among(Slot.paper_id, [row.id for row in rows])
    return why | {one: "held" for one in held if one not in why}


def _lock_organisation(organisation_id: UUID) -> None:
    """Two papers that are taken into use at once come one after the other."""
    db.session.get(Organisation, organisation_id, with_for_update=True, populate_existing=True)


_SHARED: dict[str, Any] = {
    "model": Paper,
    "kind": "paper",
    "name": lambda row: row.title,
    "before": lambda row: row.status,
}
USE = Deed(
    action="use_paper",
    stays=_stay_unused,
    values=lambda _now: {"status": "in_use", "archived_at": None},
    after="in_use",
    locks=_lock_organisation,
    **_SHARED,
)
ARCHIVE = Deed(
    action="archive_paper",
    stays=_stay_kept,
    values=lambda now: {"status": "archived", "archived_at": now},
    after="archived",
    needs_reason=True,
    **_SHARED,
)
