"""The list of what was handed in, to be read."""

from __future__ import annotations

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from kiosk.blueprints.admin import bp
from kiosk.services import mark_reports
from kiosk.services.attempt_lists import LATEST, SORTS
from kiosk.services.mark_reports import ResultFilters
from kiosk.web.htmx import is_htmx
from kiosk.web.lists import all_of, csv_file, order_from, query_of
from kiosk.web.signin import current_staff, needs
from kiosk.web.staff_pages import search_text

HEAD = (
    *("service_no", "name", "trade", "paper", "centre", "ended_at", "ended_by", "receipt"),
    *("score", "max_score", "waits_for_marks"),
)


@bp.get("/results")
@needs("result.see")
def results() -> ResponseReturnValue:
    """Show the handed-in tests with receipt, machine-marked score, and what waits for a person."""
    staff, filters, order = current_staff(), _filters(request.args), order_from(request.args, SORTS, LATEST)
    shows = "waiting" if filters.is_waiting else ""
    return render_template(
        "admin/_results.html" if is_htmx() else "admin/results.html",
        filters=filters,
        order=order,
        query=query_of(order, SORTS, LATEST, q=filters.q, trade=filters.trade, shows=shows),
        listed=mark_reports.results(staff.organisation_id, filters, order),
        trades=mark_reports.trades(staff.organisation_id),
    )


@bp.get("/results.csv")
@needs("result.see")
def results_file() -> Response:
    """Return the tests that the filters match as a file."""
    order = all_of(order_from(request.args, SORTS, LATEST))
    found = mark_reports.results(current_staff().organisation_id, _filters(request.args), order)
    rows = [
        (
            *(one.service_no, one.name, one.trade_code, one.paper_type, one.centre_code, one.ended_at.isoformat()),
            *(one.ended_by, one.receipt or "", one.score, one.max_score, one.awaiting),
        )
        for one in found.rows
    ]
    return csv_file("results", HEAD, rows)


def _filters(values: MultiDict[str, str]) -> ResultFilters:
    return ResultFilters(
        q=search_text(values.get("q", "")),
        trade=search_text(values.get("trade", "")),
        is_waiting=values.get("shows") == "waiting",
    )
