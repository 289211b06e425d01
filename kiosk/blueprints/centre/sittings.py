"""Tests that need somebody, and how long the finished ones took."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.scope import current_centre, is_bound, visible_centres
from kiosk.services import centre_reports, durations, stuck
from kiosk.services.stuck import StuckFilters
from kiosk.web.htmx import is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import needs
from kiosk.web.staff_pages import page_number, search_text, uuid_or_none


@bp.get("/sittings")
@needs("centre.see")
def sittings() -> ResponseReturnValue:
    """Show the tests that are past their time, silent, paused for long, never started or not marked."""
    centre, kind = current_centre(), request.args.get("kind", "")
    filters = StuckFilters(
        kind=kind if kind in stuck.KINDS else "",
        q=search_text(request.args.get("q", "")),
        page=page_number(request.args.get("page", "")),
    )
    query = {"centre": "" if is_bound() else centre.code, "kind": filters.kind, "q": filters.q}
    return render_template(
        "centre/_sittings.html" if is_htmx() else "centre/sittings.html",
        centre=centre,
        centres=visible_centres(),
        filters=filters,
        query={name: value for name, value in query.items() if value},
        listed=stuck.stuck(centre.centre_id, filters, now=arrived_at()),
    )


@bp.get("/sittings/durations")
@needs("centre.see")
def sitting_durations() -> ResponseReturnValue:
    """Show how long the finished tests took, as a chart with a table beside it."""
    centre, shift_id = current_centre(), uuid_or_none(request.args.get("shift", ""))
    papers = durations.per_paper(centre.centre_id, shift_id)
    return render_template(
        "centre/durations.html",
        centre=centre,
        centres=visible_centres(),
        code="" if is_bound() else centre.code,
        shifts=centre_reports.shifts(centre.centre_id),
        shift_id=shift_id,
        papers=papers,
        most=max((max(one.longest, one.allowed) for one in papers), default=1.0),
    )
