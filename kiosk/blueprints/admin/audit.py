"""The audit log: filters in the address, pages by place instead of number, and an export of what matches."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from flask import Response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue

from kiosk.blueprints.admin import bp
from kiosk.blueprints.admin.audit_forms import AuditAsked, asked_from, cursor_text
from kiosk.services import audit_reports, centres, seals
from kiosk.services.audit_reports import EventRow
from kiosk.web.htmx import is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_staff, needs

COLUMNS = (
    "id", "at", "actor_kind", "actor_name", "action", "object_kind", "object_id", "object",
    "from_state", "to_state", "reason", "details", "request_id", "address",
)  # fmt: skip
LINES_AT_ONCE = 200
RISKY = ("=", "+", "-", "@", "\t", "\r")


@bp.get("/audit")
@needs("audit.see")
def audit() -> ResponseReturnValue:
    """Show who changed what, when and why."""
    asked = _asked()
    page = audit_reports.events(current_staff().organisation_id, asked.filters)
    return render_template(
        "admin/_audit.html" if is_htmx() else "admin/audit.html",
        asked=asked,
        page=page,
        centres=_centres(),
        actions=audit_reports.known_words("action"),
        kinds=audit_reports.known_words("object_kind"),
        newer=cursor_text(page.rows[0].cursor) if page.rows else "",
        older=cursor_text(page.rows[-1].cursor) if page.rows else "",
        seal=seals.newest(),
    )


@bp.get("/audit/export")
@needs("audit.see")
def audit_export() -> ResponseReturnValue:
    """Send every event that matches, as it is read: a million rows need no memory. CSV, or JSON where asked for."""
    form = "json" if request.args.get("form") == "json" else "csv"
    rows = audit_reports.every(current_staff().organisation_id, _asked().filters)
    lines, mime = (_csv(rows), "text/csv; charset=utf-8") if form == "csv" else (_json(rows), "application/json")
    name = f"audit-{arrived_at():%Y%m%dT%H%M}.{form}"
    return Response(
        stream_with_context(lines), content_type=mime, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def values_of(event: EventRow) -> dict[str, Any]:
    """Return an event as the export names it."""
    values = {name: getattr(event, name, None) for name in COLUMNS}
    named = event.named.name if event.named else None
    return values | {
        "id": str(event.event_id),
        "at": _instant(event),
        "object_id": str(event.object_id),
        "object": named,
    }


def _instant(event: EventRow) -> str:
    return event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _csv(rows: Iterator[EventRow]) -> Iterator[str]:
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(COLUMNS)
    for count, event in enumerate(rows, start=1):
        values = values_of(event)
        values["details"] = json.dumps(event.details, ensure_ascii=False) if event.details else None
        writer.writerow(_cell(value) for value in values.values())
        if count % LINES_AT_ONCE == 0:
            yield _taken(sheet)
    yield _taken(sheet)


def _cell(value: Any) -> str:
    """A value as a spreadsheet shows it: no text of anybody's becomes a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(RISKY) else text


def _json(rows: Iterator[EventRow]) -> Iterator[str]:
    # one event in a line: a program may read it whole, or line by line
    before = "["
    for event in rows:
        yield f"{before}\n{json.dumps(values_of(event), ensure_ascii=False)}"
        before = ","
    yield "\n]\n" if before == "," else "[]\n"


def _taken(sheet: io.StringIO) -> str:
    text = sheet.getvalue()
    sheet.seek(0)
    sheet.truncate()
    return text


def _asked() -> AuditAsked:
    return asked_from(request.args, _centres(), own_centre_id=current_staff().centre_id)


def _centres() -> list[centres.CentreView]:
    return centres.centres(current_staff().organisation_id)
