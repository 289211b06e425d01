"""What a candidate's form offers to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select

from kiosk.extensions import db
from kiosk.models import Centre, Shift

MOST_SHIFTS = 200


@dataclass(frozen=True)
class ShiftChoice:
    """A shift that a candidate can be put into."""

    shift_id: UUID
    centre_code: str
    starts_at: datetime
    time_zone: str


def shifts(organisation_id: UUID, *, centre_id: UUID | None, also: UUID | None) -> list[ShiftChoice]:
    """Return the shifts that are not over, of one centre or of all, and the one that somebody is in."""
    query = (
        select(Shift.id, Centre.code, Shift.starts_at, Centre.time_zone)
        .join(Centre, Centre.id == Shift.centre_id)
        .where(
            Centre.organisation_id == organisation_id,
            Centre.archived_at.is_(None),
            or_(Shift.status != "closed", Shift.id == also),
        )
    )
    if centre_id is not None:
        query = query.where(Shift.centre_id == centre_id)
    rows = db.session.execute(query.order_by(Centre.code, Shift.starts_at).limit(MOST_SHIFTS)).all()
    return [ShiftChoice(*row) for row in rows]
