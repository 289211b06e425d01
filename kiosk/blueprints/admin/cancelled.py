"""Tests that were stopped: the list with reasons, and what had been answered."""

from __future__ import annotations

from uuid import UUID

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from kiosk.blueprints.admin import bp
from kiosk.services import cancelled_reports
from kiosk.services.attempt_lists import LATEST, SORTS
from kiosk.services.cancelled_reports import CancelledFilters
from kiosk.states import CancelReason
from kiosk.web.htmx import is_htmx
from kiosk.web.lists import all_of, csv_file, order_from, query_of
from kiosk.web.signin import current_staff, needs
from kiosk.web.staff_pages import search_text

HEAD = (
    *("service_no", "name", "trade", "paper", "centre", "started_at", "stopped_at"),
    *("reason", "words", "answered", "questions"),
)


@bp.get("/cancelled")
@needs("answer.see")
def cancelled() -> ResponseReturnValue:
    """Show the tests that ended without a result, with the reason."""
    filters, order = _filters(request.args), order_from(request.args, SORTS, LATEST)
    return render_template(
        "admin/_cancelled.html" if is_htmx() else "admin/cancelled.html",
        filters=filters,
        order=order,
        query=query_of(order, SORTS, LATEST, q=filters.q, reason=filters.reason),
        reasons=list(CancelReason),
        listed=cancelled_reports.cancelled(current_staff().organisation_id, filters, order),
    )


@bp.get("/cancelled.csv")
@needs("answer.see")
def cancelled_file() -> Response:
    """Return the tests that the filters match as a file."""
    order = all_of(order_from(request.args, SORTS, LATEST))
    found = cancelled_reports.cancelled(current_staff().organisation_id, _filters(request.args), order)
    rows = [
        (
            *(one.service_no, one.name, one.trade_code, one.paper_type, one.centre_code),
            *(one.started_at.isoformat() if one.started_at else "", one.ended_at.isoformat()),
            *(one.cancel_reason, one.reason_text or "", one.answered, one.total),
        )
        for one in found.rows
    ]
    return csv_file("stopped-tests", HEAD, rows)


@bp.get("/attempts/<uuid:attempt_id>/answers")
@needs("answer.see")
def answers(attempt_id: UUID) -> ResponseReturnValue:
    """Show what was answered in a test that is over."""
    sheet = cancelled_reports.answers(attempt_id, organisation_id=current_staff().organisation_id)
    return render_template("admin/answers.html", sheet=sheet)


def _filters(values: MultiDict[str, str]) -> CancelledFilters:
    reason = values.get("reason", "")
    return CancelledFilters(search_text(values.get("q", "")), reason if reason in set(CancelReason) else "")
