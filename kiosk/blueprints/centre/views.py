"""The list of candidates, and one candidate's page."""

from __future__ import annotations

from uuid import UUID

from flask import flash, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.centre import bp, records
from kiosk.blueprints.centre.actions import offered, remembered_offers
from kiosk.blueprints.centre.forms import filters_from, query_of
from kiosk.blueprints.centre.scope import centre_and_all, own_centre_id
from kiosk.models import Candidate
from kiosk.services import candidate_reports, centre_reports, leases, sign_ins
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, needs


@bp.get("/")
@needs("slot.see")
def candidates() -> ResponseReturnValue:
    """Show the centre's candidates with their slots."""
    (centre, centres), filters = centre_and_all(), filters_from(request.args)
    listed = centre_reports.candidates(centre.centre_id, filters)
    shown = {
        "centre": centre,
        "filters": filters,
        "query": query_of(filters, centre),
        "listed": listed,
        # nothing is done to who was put away
        "offered": (lambda _names=None: []) if filters.is_archived else remembered_offers(),
    }
    if is_htmx():
        return render_template("centre/_candidates.html", **shown)
    return render_template(
        "centre/candidates.html",
        centres=centres,
        trades=centre_reports.trades(centre.centre_id),
        shifts=centre_reports.shifts(centre.centre_id),
        paused=centre_reports.paused_room(centre.centre_id),
        report=session.pop("slot_report", None),
        **shown,
    )


@bp.get("/candidates/<uuid:candidate_id>")
@needs("candidate.see")
def candidate(candidate_id: UUID) -> ResponseReturnValue:
    """Show one candidate: slots, attempts, log."""
    shown = candidate_reports.candidate(
        candidate_id, organisation_id=current_staff().organisation_id, centre_id=own_centre_id()
    )
    code = {} if own_centre_id() else {"centre": shown.centre.code}
    return render_template(
        "centre/candidate.html",
        shown=shown,
        record=records.shown(candidate_id),
        zone=shown.centre.time_zone,
        code=code,
        offered=offered(shown.actions),
        waiting=leases.waiting(candidate_id, now=arrived_at()),
        is_locked=shown.locked_until is not None and shown.locked_until > arrived_at(),
    )


@bp.post("/candidates/<uuid:candidate_id>/unlock")
@needs("candidate.unlock")
def unlock(candidate_id: UUID) -> ResponseReturnValue:
    """Let a candidate try again at once after wrong passwords."""
    shown = candidate_reports.candidate(
        candidate_id, organisation_id=current_staff().organisation_id, centre_id=own_centre_id()
    )
    if sign_ins.unlock(Candidate, shown.candidate_id, by=current_actor(), now=arrived_at()):
        flash(_("%(name)s can try again at once.", name=shown.name), "ok")
    else:
        flash(_("%(name)s is not locked.", name=shown.name))
    return go_to("centre.candidate", candidate_id=candidate_id)
