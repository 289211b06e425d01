"""Candidates from a file: upload, what is right or wrong with it, confirm; and candidates as a file."""

from __future__ import annotations

from uuid import UUID

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.forms import filters_from
from kiosk.blueprints.centre.jobs import found
from kiosk.blueprints.centre.scope import current_centre, own_centre_id
from kiosk.errors import NotFound
from kiosk.services import candidate_imports, centre_reports, exports, job_reports, jobs, stored_files, working
from kiosk.services.candidate_plans import Scope
from kiosk.services.exchange.candidates import COLUMNS, EXAMPLE
from kiosk.services.exports import Export
from kiosk.services.job_reports import JobFilters
from kiosk.services.jobs import IMPORT_KINDS, Order
from kiosk.services.system import settings
from kiosk.web import uploads
from kiosk.web.files import sent_table
from kiosk.web.htmx import go_to
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, needs

MEGABYTE = 1024 * 1024
LARGEST_MEGABYTES, LARGEST_ZIP_MEGABYTES = 25, 200
# what is done while the person waits; everything larger is left to a worker
SMALL_BYTES, SMALL_ZIP_BYTES = 100_000, 1_000_000
SMALL_STEPS = 2000
SMALL_HASHES = 20
LATEST = 10


@bp.get("/imports")
@needs("candidate.edit")
def imports() -> ResponseReturnValue:
    """Ask for a file, and show the latest imports."""
    return _page()


@bp.post("/imports")
@needs("candidate.edit")
@uploads.up_to(LARGEST_MEGABYTES + LARGEST_ZIP_MEGABYTES)
def check_import() -> ResponseReturnValue:
    """Look at a file, and at the photos beside it; nothing is changed."""
    given, zipped = request.files.get("file"), request.files.get("photos")
    if given is None or not given.filename:
        return _page(_("Choose a file first.")), 422
    if uploads.size_of(given) > LARGEST_MEGABYTES * MEGABYTE:
        return _page(_("This file is larger than %(most)s MB.", most=LARGEST_MEGABYTES)), 413
    content = given.read()
    if not content:
        return _page(_("This file is empty.")), 422
    photos_id, is_small = None, len(content) <= SMALL_BYTES
    if zipped is not None and zipped.filename:
        is_small = is_small and uploads.size_of(zipped) <= SMALL_ZIP_BYTES
        photos_id = stored_files.keep(zipped.stream, now=arrived_at())
    name = uploads.file_name(given.filename) or "candidates.csv"
    return _start(candidate_imports.order_of_check(content, name, _scope(), photos_id), is_small=is_small)


@bp.post("/imports/<uuid:job_id>/confirm")
@needs("candidate.edit")
def confirm_import(job_id: UUID) -> ResponseReturnValue:
    """Import the file that was checked."""
    check = found(job_id)
    if check.kind != "check_candidates":
        raise NotFound
    order = candidate_imports.order_of_import(job_id, _scope())
    photos = check.result.get("photos", 0)
    is_small = order.steps_total <= SMALL_STEPS and max(check.result["chosen_passwords"], photos) <= SMALL_HASHES
    return _start(order, is_small=is_small)


@bp.get("/imports/template")
@needs("candidate.edit")
def import_template() -> Response:
    """Send a file with the names of all columns and one row as an example."""
    return sent_table(Export((*COLUMNS.required, *COLUMNS.optional), iter([EXAMPLE])), "candidates-template", _form())


@bp.get("/export/candidates")
@needs("candidate.see")
def export_candidates() -> Response:
    """Send the candidates that the list's filters show, as a file that an import takes back."""
    centre = current_centre()
    ids = centre_reports.matching_ids(centre.centre_id, filters_from(request.args))
    return sent_table(exports.candidates(current_staff().organisation_id, ids), f"candidates-{centre.code}", _form())


def _start(order: Order, *, is_small: bool) -> ResponseReturnValue:
    if is_small:
        work = jobs.begin(order, by=current_actor(), now=arrived_at())
        working.do(work)
        return go_to("centre.job", job_id=work.id)
    return go_to("centre.job", job_id=jobs.order(order, by=current_actor(), now=arrived_at()))


def _page(problem: str = "") -> str:
    filters = JobFilters(kinds=IMPORT_KINDS)
    listed = job_reports.jobs(current_staff().organisation_id, own_centre_id(), filters)
    return render_template(
        "centre/imports.html",
        problem=problem,
        latest=listed.rows[:LATEST],
        most=LARGEST_MEGABYTES,
        most_zip=LARGEST_ZIP_MEGABYTES,
        zone=settings().time_zone,
    )


def _scope() -> Scope:
    return Scope(current_staff().organisation_id, own_centre_id())


def _form() -> str:
    return "xlsx" if request.args.get("format") == "xlsx" else "csv"
