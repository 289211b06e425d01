"""The table of active sets, on a page and as a file."""

from __future__ import annotations

from itertools import groupby

from flask import Response, render_template, request, session
from flask.typing import ResponseReturnValue

from kiosk.blueprints.admin import bp
from kiosk.blueprints.admin.forms import needing_attention, set_filters_from
from kiosk.services import set_reports
from kiosk.services.system import settings
from kiosk.web.htmx import is_htmx
from kiosk.web.lists import csv_file
from kiosk.web.signin import current_staff, needs


@bp.get("/")
@needs("set.see")
def active_sets() -> ResponseReturnValue:
    """Show which set is active for each trade and paper, and what cannot start."""
    filters = set_filters_from(request.args)
    rows = set_reports.active_sets(current_staff().organisation_id)
    shown = [row for row in rows if filters.matches(row)]
    return render_template(
        "admin/_sets.html" if is_htmx() else "admin/sets.html",
        filters=filters,
        total=len(rows),
        trade_count=len({row.trade_id for row in rows}),
        count=len(shown),
        trades=[list(group) for _, group in groupby(shown, key=lambda row: row.trade_id)],
        attention=needing_attention(rows),
        zone=settings().time_zone,
        report=None if is_htmx() else session.pop("switch_report", None),
    )


@bp.get("/sets.csv")
@needs("set.see")
def active_sets_file() -> Response:
    """Return the rows of the table that the filters match as a file."""
    filters = set_filters_from(request.args)
    head = ("trade", "paper", "set", "version", "since", "by", "complete", "problems", "waiting", "writing")
    rows = [
        (
            *(row.trade_code, row.paper_type, row.label or "", row.version or ""),
            *(row.since.isoformat() if row.since else "", row.activated_by or ""),
            *("yes" if row.is_complete else "no", "; ".join(row.problems), row.waiting, row.writing),
        )
        for row in set_reports.active_sets(current_staff().organisation_id)
        if filters.matches(row)
    ]
    return csv_file("active-sets", head, rows)
