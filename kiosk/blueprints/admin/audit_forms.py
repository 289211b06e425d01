"""What arrives in the address of the audit log: its filters, its place, and the clock that its times are read by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from kiosk.services.audit_reports import AuditFilters, Cursor
from kiosk.services.centres import CentreView
from kiosk.services.system import settings
from kiosk.web.staff_pages import search_text, uuid_or_none


@dataclass(frozen=True)
class AuditAsked:
    """The filters, the address that says the same, and the zone of its times."""

    filters: AuditFilters
    query: dict[str, str]
    zone: str
    centre_zone: str


def asked_from(values: MultiDict[str, str], known: Sequence[CentreView], *, own_centre_id: UUID | None) -> AuditAsked:
    """Return what an address asks for; what cannot be read is left out."""
    centre = next((one for one in known if one.code == values.get("centre")), None)
    own = next((one for one in known if one.centre_id == own_centre_id), None)
    centre_zone = centre.time_zone if centre else own.time_zone if own else settings().time_zone
    zone = "UTC" if values.get("zone") == "UTC" else centre_zone
    from_at, to_at = (_instant(values.get(name, ""), zone) for name in ("from", "to"))
    # "to 10:15" means what happened in that minute too
    to_at = to_at + timedelta(minutes=1) if to_at else None
    words = {name: search_text(values.get(name, "")) for name in ("person", "kind", "object", "action")}
    times = {name: values.get(name, "") for name, at in (("from", from_at), ("to", to_at)) if at}
    query = words | times | {"centre": centre.code if centre else "", "zone": "UTC" if zone == "UTC" else ""}
    return AuditAsked(
        filters=AuditFilters(
            **words,
            centre_id=centre.centre_id if centre else None,
            from_at=from_at,
            to_at=to_at,
            before=_cursor(values.get("before", "")),
            after=_cursor(values.get("after", "")),
        ),
        query={name: value for name, value in query.items() if value},
        zone=zone,
        centre_zone=centre_zone,
    )


def cursor_text(cursor: Cursor) -> str:
    """Return a place in the log as it stands in an address."""
    return f"{round(cursor.at.timestamp() * 1_000_000)}.{cursor.event_id.hex}"


def _cursor(text: str) -> Cursor | None:
    stamp, _, number = text.partition(".")
    event_id = uuid_or_none(number)
    if event_id is None or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 17):
        return None
    return Cursor(datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(stamp)), event_id)


def _instant(text: str, zone: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        # a year at either end of the calendar leaves it on the way to UTC
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
