"""Tests that need somebody, and how long the finished ones took."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.scope import current_centre, is_bound, visible_centres
from kiosk.services import centre_reports, durations, stuck
from kiosk.services.exports import Export
from kiosk.services.stuck import StuckFilters
from kiosk.web.files import sent_table
from kiosk.web.htmx import is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import needs
from kiosk.web.staff_pages import page_number, search_text, uuid_or_none

FILE_COLUMNS = (
    *("service_no", "name", "trade_code", "paper_type", "seat", "kind", "since"),
    *("answered", "total", "tries", "retry_at", "trouble"),
)


@bp.get("/sittings")
@needs("centre.see")
def sittings() -> ResponseReturnValue:
    """Show the tests that are past their time, silent, paused for long, never started or not marked."""
    centre, filters = current_centre(), _filters()
    query = {"centre": "" if is_bound() else centre.code, "kind": filters.kind, "q": filters.q}
    return render_template(
        "centre/_sittings.html" if is_htmx() else "centre/sittings.html",
        centre=centre,
        centres=visible_centres(),
        filters=filters,
        query={name: value for name, value in query.items() if value},
        listed=stuck.stuck(centre.centre_id, filters, now=arrived_at()),
    )


@bp.get("/sittings/export")
@needs("centre.see")
def sittings_file() -> Response:
    """Send the tests that the list's filters show."""
    centre = current_centre()
    found = stuck.stuck(centre.centre_id, dataclasses.replace(_filters(), page=0), now=arrived_at())
    rows = ([_cell(getattr(row, name)) for name in FILE_COLUMNS] for row in found.rows)
    return sent_table(Export(FILE_COLUMNS, rows), f"unfinished-{centre.code}", "csv")


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


def _filters() -> StuckFilters:
    kind = request.args.get("kind", "")
    return StuckFilters(
        kind=kind if kind in stuck.KINDS else "",
        q=search_text(request.args.get("q", "")),
        page=page_number(request.args.get("page", "")),
    )


def _cell(value: Any) -> Any:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
