"""The history of active sets: a list, and the same as a file."""

from __future__ import annotations

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from kiosk.blueprints.admin import bp
from kiosk.models.papers import PAPER_TYPES
from kiosk.services import set_history
from kiosk.services.set_history import LATEST, SORTS, HistoryFilters
from kiosk.services.system import settings
from kiosk.web.htmx import is_htmx
from kiosk.web.lists import all_of, csv_file, order_from, query_of
from kiosk.web.signin import current_staff, needs
from kiosk.web.staff_pages import search_text

HEAD = ("trade", "paper", "set", "version", "from", "to", "by", "reason")


@bp.get("/sets/history")
@needs("set.see")
def history() -> ResponseReturnValue:
    """Show which set was active when, by whom and why."""
    filters, order = _filters(request.args), order_from(request.args, SORTS, LATEST)
    return render_template(
        "admin/_history.html" if is_htmx() else "admin/history.html",
        filters=filters,
        order=order,
        query=query_of(order, SORTS, LATEST, q=filters.q, paper=filters.paper),
        listed=set_history.history(current_staff().organisation_id, filters, order),
        zone=settings().time_zone,
    )


@bp.get("/sets/history.csv")
@needs("set.see")
def history_file() -> Response:
    """Return the activations that the filters match as a file."""
    order = all_of(order_from(request.args, SORTS, LATEST))
    found = set_history.history(current_staff().organisation_id, _filters(request.args), order)
    rows = [
        (
            *(one.trade_code, one.paper_type, one.label, one.version, one.activated_at.isoformat()),
            *(one.ended_at.isoformat() if one.ended_at else "", one.activated_by, one.reason or ""),
        )
        for one in found.rows
    ]
    return csv_file("history-of-sets", HEAD, rows)


def _filters(values: MultiDict[str, str]) -> HistoryFilters:
    paper = values.get("paper", "")
    return HistoryFilters(search_text(values.get("q", "")), paper if paper in PAPER_TYPES else "")
