"""The register of a shift: incidents, granted time and stopped clocks in the order in which they happened.

What was done to many at once (the room was paused, the server was away) is one line with the number of candidates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select, true

from kiosk.extensions import db
from kiosk.models import Attempt, Candidate, Incident, Pause, Shift, TimeGrant, Trade

BEFORE_THE_START = timedelta(hours=2)
AFTER_THE_START = timedelta(hours=12)  # the end of a shift that nobody closed


@dataclass(frozen=True)
class Event:
    """One line of the register. `seconds` is the time lost, added, or stood still; None while a clock still does."""

    what: Literal["incident", "grant", "pause"]
    at: datetime
    kind: str
    words: str
    seconds: int | None
    granted_seconds: int
    by: str
    who: tuple[Who, ...]


@dataclass(frozen=True)
class Who:
    """A candidate whom an event was about."""

    service_no: str
    name: str
    seat: str | None


def events(shift: Shift, trade: str = "") -> tuple[Event, ...]:
    """Return the events of a shift, oldest first; with a trade its candidates' and the whole room's. 3 statements."""
    found = [*_incidents(shift, trade), *_grants(shift.id, trade), *_pauses(shift.id, trade)]
    return tuple(sorted(found, key=lambda event: (event.at, event.what, event.kind)))


def _incidents(shift: Shift, trade: str) -> list[Event]:
    """Those of the shift's candidates, and what was written of the whole centre while the shift was on."""
    from_at = (shift.opened_at or shift.starts_at) - BEFORE_THE_START
    to_at = shift.closed_at or shift.starts_at + AFTER_THE_START
    of_the_room = and_(
        Incident.centre_id == shift.centre_id,
        Incident.shift_id.is_(None),
        Incident.candidate_id.is_(None),
        Incident.happened_at.between(from_at, to_at),
    )
    of_the_shift = and_(Incident.shift_id == shift.id, or_(Incident.candidate_id.is_(None), _of(trade)))
    query = (
        select(Incident, Candidate.service_no, Candidate.name, Candidate.seat)
        .outerjoin(Candidate, Candidate.id == Incident.candidate_id)
        .outerjoin(Trade, Trade.id == Candidate.trade_id)
        .where(or_(of_the_shift, of_the_room))
    )
    return [
        Event(
            "incident",
            row.Incident.happened_at,
            row.Incident.kind,
            row.Incident.words,
            row.Incident.seconds_lost,
            row.Incident.seconds_granted,
            row.Incident.written_by,
            (Who(row.service_no, row.name, row.seat),) if row.service_no else (),
        )
        for row in db.session.execute(query)
    ]


def _grants(shift_id: UUID, trade: str) -> list[Event]:
    rows = db.session.execute(_of_attempts(TimeGrant, shift_id, trade))
    alike = _together(rows, lambda row: (row.granted_at, row.kind, row.reason, row.seconds, row.granted_by))
    return [
        Event("grant", at, kind, reason, seconds, seconds, by, who)
        for (at, kind, reason, seconds, by), who in alike.items()
    ]


def _pauses(shift_id: UUID, trade: str) -> list[Event]:
    rows = db.session.execute(_of_attempts(Pause, shift_id, trade))
    alike = _together(rows, lambda row: (row.from_at, row.kind, row.reason, row.to_at, row.paused_by))
    return [
        Event("pause", at, kind, reason, int((to_at - at).total_seconds()) if to_at else None, 0, by, who)
        for (at, kind, reason, to_at, by), who in alike.items()
    ]


def _of_attempts(model: Any, shift_id: UUID, trade: str) -> Select[Any]:
    return (
        select(model, Candidate.service_no, Candidate.name, Candidate.seat)
        .join(Attempt, Attempt.id == model.attempt_id)
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .join(Trade, Trade.id == Candidate.trade_id)
        .where(Attempt.shift_id == shift_id, _of(trade))
        .order_by(Candidate.login)
    )


def _of(trade: str) -> ColumnElement[bool]:
    return Trade.code == trade if trade else true()


def _together(rows: Any, likeness: Any) -> dict[tuple[Any, ...], tuple[Who, ...]]:
    """Rows that say the same of several candidates."""
    alike: dict[tuple[Any, ...], tuple[Who, ...]] = {}
    for row in rows:
        key = likeness(row[0])
        alike[key] = (*alike.get(key, ()), Who(row.service_no, row.name, row.seat))
    return alike
