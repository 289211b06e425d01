"""Which shifts a page of a centre may be about, and which one is meant where none is named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from kiosk.extensions import db
from kiosk.models import Shift
from kiosk.shift_states import ShownShift

LATE_START = timedelta(minutes=10)
NEWEST = 30


@dataclass(frozen=True)
class ShiftChoice(ShownShift):
    """A shift that a page can show."""

    shift_id: UUID
    starts_at: datetime
    status: str
    start_code: str | None = None


def newest(centre_id: UUID) -> list[ShiftChoice]:
    """Return the centre's newest shifts, the last one first."""
    rows = db.session.execute(
        select(Shift.id, Shift.starts_at, Shift.status, Shift.start_code)
        .where(Shift.centre_id == centre_id)
        .order_by(Shift.starts_at.desc())
        .limit(NEWEST)
    )
    return [ShiftChoice(*row) for row in rows]


def likely(shifts: list[ShiftChoice], now: datetime) -> ShiftChoice | None:
    """Return the open shift that began last, else the next one to come, else the latest."""
    running = next((one for one in shifts if one.is_open), None)
    coming = [one for one in shifts if one.status in ("planned", "gate") and one.starts_at >= now - LATE_START]
    return running or next(reversed(coming), None) or next(iter(shifts), None)
