"""Candidates as records: a new one, the page to change one, the photo. What is done to one stands in `record_acts`."""

from __future__ import annotations

from uuid import UUID

from flask import Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.candidate_forms import CandidateForm, entered_of
from kiosk.blueprints.centre.scope import current_centre, is_bound, own_centre_id
from kiosk.office_errors import NotNow, WrongField
from kiosk.services import candidates, photos
from kiosk.services.candidates import CandidateRecord
from kiosk.services.photos import LARGEST_BYTES
from kiosk.services.system import settings
from kiosk.web.asking import Secret, password_page
from kiosk.web.htmx import go_to
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, needs


def shown(candidate_id: UUID) -> CandidateRecord:
    """Return a candidate whom the signed-in staff member may see. Raises NotFound."""
    return candidates.record_of(
        candidate_id, organisation_id=current_staff().organisation_id, centre_id=own_centre_id()
    )


def show_password(record: CandidateRecord, password: str) -> ResponseReturnValue:
    """Show a candidate's new password, this once."""
    title = _("Password of %(name)s", name=record.values.name)
    back = url_for("centre.candidate", candidate_id=record.candidate_id)
    return password_page(Secret(title, record.values.service_no, password, back, "candidates"))


@bp.get("/candidates/new")
@needs("candidate.edit")
def new_candidate() -> ResponseReturnValue:
    """Show the form for a new candidate."""
    entered = {"centre": str(current_centre().centre_id), "extra": 0}
    return _page(None, CandidateForm(formdata=None, data=entered).offer())


@bp.post("/candidates/new")
@needs("candidate.edit")
def add_candidate() -> ResponseReturnValue:
    """Add a candidate and show the password."""
    form = CandidateForm().offer()
    form.demand_own_centre()
    if form.validate():
        try:
            made, password = candidates.create(
                current_staff().organisation_id, form.values(), by=current_actor(), now=arrived_at()
            )
            return show_password(shown(made), password)
        except WrongField as error:
            form.mark(error)
    return _page(None, form, 422)


@bp.get("/candidates/<uuid:candidate_id>/edit")
@needs("candidate.edit")
def candidate_record(candidate_id: UUID) -> ResponseReturnValue:
    """Show the page to change one candidate."""
    record = shown(candidate_id)
    return _page(record, CandidateForm(formdata=None, data=entered_of(record)).offer(record))


@bp.post("/candidates/<uuid:candidate_id>/edit")
@needs("candidate.edit")
def edit_candidate(candidate_id: UUID) -> ResponseReturnValue:
    """Change one candidate. Staff of one centre can't hand somebody to another: such a form changes nothing."""
    record = shown(candidate_id)
    form = CandidateForm().offer(record)
    form.demand_own_centre()
    if not form.validate():
        return _page(record, form, 422)
    try:
        candidates.edit(
            candidate_id,
            form.values(),
            organisation_id=current_staff().organisation_id,
            centre_id=own_centre_id(),
            by=current_actor(),
            now=arrived_at(),
        )
    except (NotNow, WrongField) as error:
        form.mark(error if isinstance(error, WrongField) else WrongField("all", error.sentence))
        return _page(record, form, error.status)
    flash(_("Saved."), "ok")
    return go_to("centre.candidate", candidate_id=candidate_id)


@bp.get("/candidates/<uuid:candidate_id>/photo", endpoint="photo")
@needs("candidate.see")
def candidate_photo(candidate_id: UUID) -> ResponseReturnValue:
    """Return a candidate's photo, to staff who may see the candidate."""
    found = photos.photo(shown(candidate_id).candidate_id)
    return Response(found.image, mimetype=found.mime)


@bp.post("/candidates/<uuid:candidate_id>/photo")
@needs("candidate.edit")
def set_photo(candidate_id: UUID) -> ResponseReturnValue:
    """Make the picture that was sent the candidate's photo."""
    record, sent = shown(candidate_id), request.files.get("photo")
    try:
        raw = sent.read(LARGEST_BYTES + 1) if sent else b""
        photos.keep(candidate_id, raw, by=current_actor(), now=arrived_at())
    except WrongField as error:
        form = CandidateForm(formdata=None, data=entered_of(record)).offer(record)
        return _page(record, form, 422, photo_problem=error.sentence)
    flash(_("The photo is stored."), "ok")
    return go_to("centre.candidate_record", candidate_id=candidate_id)


def _page(
    record: CandidateRecord | None, form: CandidateForm, status: int = 200, photo_problem: str = ""
) -> ResponseReturnValue:
    page = render_template(
        "centre/record.html",
        shown=record,
        form=form,
        is_bound=is_bound(),
        photo_problem=photo_problem,
        largest_mb=LARGEST_BYTES / 1_000_000,
        zone=settings().time_zone,
    )
    return page, status
