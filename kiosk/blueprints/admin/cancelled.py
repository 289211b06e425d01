"""Tests that were stopped: the list with reasons, and what had been answered."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue

from kiosk.blueprints.admin import bp
from kiosk.services import cancelled_reports
from kiosk.services.cancelled_reports import CancelledFilters
from kiosk.states import CancelReason
from kiosk.web.htmx import is_htmx
from kiosk.web.signin import current_staff, needs
from kiosk.web.staff_pages import page_number, search_text


@bp.get("/cancelled")
@needs("answer.see")
def cancelled() -> ResponseReturnValue:
    """Show the tests that ended without a result, with the reason."""
    reason = request.args.get("reason", "")
    filters = CancelledFilters(
        q=search_text(request.args.get("q", "")),
        reason=reason if reason in set(CancelReason) else "",
        page=page_number(request.args.get("page", "")),
    )
    return render_template(
        "admin/_cancelled.html" if is_htmx() else "admin/cancelled.html",
        filters=filters,
        reasons=list(CancelReason),
        listed=cancelled_reports.cancelled(current_staff().organisation_id, filters),
    )


@bp.get("/attempts/<uuid:attempt_id>/answers")
@needs("answer.see")
def answers(attempt_id: UUID) -> ResponseReturnValue:
    """Show what was answered in a test that is over."""
    sheet = cancelled_reports.answers(attempt_id, organisation_id=current_staff().organisation_id)
    return render_template("admin/answers.html", sheet=sheet)
