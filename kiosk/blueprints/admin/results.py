"""The list of what was handed in, to be read."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from kiosk.blueprints.admin import bp
from kiosk.blueprints.admin.forms import result_filters_from
from kiosk.services import mark_reports
from kiosk.web.htmx import is_htmx
from kiosk.web.signin import current_staff, needs


@bp.get("/results")
@needs("result.see")
def results() -> ResponseReturnValue:
    """Show the handed-in tests with receipt, machine-marked score, and what waits for a person."""
    filters = result_filters_from(request.args)
    return render_template(
        "admin/_results.html" if is_htmx() else "admin/results.html",
        filters=filters,
        listed=mark_reports.results(current_staff().organisation_id, filters),
    )
