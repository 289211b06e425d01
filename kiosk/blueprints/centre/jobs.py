"""Jobs: what runs and what ran, how far it is, and what it left."""

from __future__ import annotations

from uuid import UUID

from flask import Response, flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.scope import own_centre_id
from kiosk.services import job_reports, jobs
from kiosk.services.job_reports import STATES, JobFilters, JobView
from kiosk.services.system import settings
from kiosk.web.files import sent
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, needs
from kiosk.web.staff_pages import page_number, search_text


@bp.get("/jobs", endpoint="jobs")
@needs("centre.see")
def list_jobs() -> ResponseReturnValue:
    """Show the jobs, the latest first."""
    filters = _filters()
    query = {"q": filters.q, "state": filters.state, "page": filters.page if filters.page > 1 else ""}
    return render_template(
        "centre/_jobs.html" if is_htmx() else "centre/jobs.html",
        listed=job_reports.jobs(current_staff().organisation_id, own_centre_id(), filters),
        filters=filters,
        states=STATES,
        query={name: value for name, value in query.items() if value},
        zone=settings().time_zone,
    )


@bp.get("/jobs/<uuid:job_id>")
@needs("centre.see")
def job(job_id: UUID) -> ResponseReturnValue:
    """Show one job; while it runs the page asks again by itself."""
    shown = found(job_id)
    return render_template(
        "centre/_job.html" if is_htmx() else "centre/job.html",
        job=shown,
        zone=shown.time_zone or settings().time_zone,
    )


@bp.get("/jobs/<uuid:job_id>/file")
@needs("centre.see")
def job_file(job_id: UUID) -> Response:
    """Send what the job left."""
    shown = found(job_id)
    return sent(job_reports.output(shown), shown.output_name or "")


@bp.post("/jobs/<uuid:job_id>/passwords")
@needs("candidate.edit")
def job_passwords(job_id: UUID) -> ResponseReturnValue:
    """Hand the list of passwords over, once."""
    shown = found(job_id)
    name = shown.output_name
    content = jobs.take_output(job_id, by=current_actor(), now=arrived_at()) if shown.is_secret and name else None
    if content is None or name is None:
        flash(_("The list is no longer here: it is handed over once, and deleted after a day."), "warn")
        return go_to("centre.job", job_id=job_id)
    return sent(content, name)


def found(job_id: UUID) -> JobView:
    """Return a job that the signed-in person may see. Raises NotFound for every other."""
    return job_reports.job(job_id, organisation_id=current_staff().organisation_id, centre_id=own_centre_id())


def _filters() -> JobFilters:
    state = request.args.get("state", "")
    return JobFilters(
        q=search_text(request.args.get("q", "")),
        state=state if state in STATES else "",
        page=page_number(request.args.get("page", "")),
    )
