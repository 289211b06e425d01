"""May this candidate start now, and if not, why: one read and the rules of the day."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from kiosk.errors import (
    AttemptLimit,
    KioskError,
    KioskRequired,
    NoSlot,
    NotCheckedIn,
    NotFound,
    PaperNotPublished,
    ShiftNotOpen,
    SlotConsumed,
    TooEarly,
    TooLate,
    WrongShift,
    WrongStartCode,
)
from kiosk.extensions import db
from kiosk.models import Attempt, Candidate, Centre, Paper, Shift, Slot, Trade
from kiosk.states import OPEN_ATTEMPT, AttemptStatus, SlotStatus


@dataclass(frozen=True)
class Entry:
    """Everything that decides about a start, as it was read in one statement."""

    candidate: Candidate
    centre: Centre
    trade: Trade
    shift: Shift | None
    slot: Slot | None
    paper: Paper | None
    attempt: Attempt | None
    attempts_made: int

    @property
    def allowed_seconds(self) -> int:
        """Duration with the candidate's extra minutes per hour."""
        assert self.paper is not None
        return self.paper.duration_seconds + self.extra_seconds

    @property
    def extra_seconds(self) -> int:
        """The candidate's extra time for this paper."""
        assert self.paper is not None
        return self.paper.duration_seconds * self.candidate.extra_minutes_per_hour // 60

    def at_centre(self, instant: datetime) -> str:
        """The instant as the centre's clock shows it (HH:MM)."""
        return instant.astimezone(ZoneInfo(self.centre.time_zone)).strftime("%H:%M")


def read(candidate_id: UUID) -> Entry:
    """Return what decides about a start: one statement. Raises NotFound."""
    earlier = aliased(Attempt)
    made = (
        select(func.count())
        .select_from(earlier)
        .where(
            earlier.candidate_id == Candidate.id,
            earlier.paper_id == Slot.paper_id,
            earlier.status.not_in((AttemptStatus.CANCELLED, *OPEN_ATTEMPT)),
        )
        .scalar_subquery()
    )
    row = db.session.execute(
        select(Candidate, Centre, Trade, Shift, Slot, Paper, Attempt, made.label("made"))
        .join(Centre, Centre.id == Candidate.centre_id)
        .join(Trade, Trade.id == Candidate.trade_id)
        .outerjoin(Shift, Shift.id == Candidate.shift_id)
        .outerjoin(Slot, and_(Slot.candidate_id == Candidate.id, Slot.closed_at.is_(None)))
        .outerjoin(Paper, Paper.id == Slot.paper_id)
        .outerjoin(Attempt, and_(Attempt.candidate_id == Candidate.id, Attempt.status.in_(OPEN_ATTEMPT)))
        .where(Candidate.id == candidate_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound
    for found in row:
        if found is not None and not isinstance(found, int):
            # detached, the values stay as they were read: the transaction that follows would expire them
            db.session.expunge(found)
    return Entry(*row)


def refusal(entry: Entry, *, now: datetime) -> KioskError | None:
    """Return why a start is not possible now, whatever start code is given; None if it is."""
    if entry.candidate.archived_at is not None or entry.slot is None or entry.paper is None:
        return NoSlot()
    if entry.slot.status == SlotStatus.CONSUMED:
        ended = entry.slot.consumed_at
        assert ended is not None
        return SlotConsumed(
            at=ended, clock_time=entry.at_centre(ended), is_time_over=entry.slot.consumed_how == "expired"
        )
    if entry.paper.status != "in_use":
        return PaperNotPublished()
    if entry.attempts_made >= entry.paper.max_attempts + entry.slot.extra_attempts:
        return AttemptLimit()
    return _shift_refusal(entry, now) or _centre_refusal(entry)


def start_code_refusal(entry: Entry, start_code: str | None) -> KioskError | None:
    """Return WrongStartCode if the shift has a code and this is not it."""
    wanted = entry.shift.start_code if entry.shift else None
    if wanted and not hmac.compare_digest(wanted.encode(), (start_code or "").strip().encode()):
        return WrongStartCode()
    return None


def _shift_refusal(entry: Entry, now: datetime) -> KioskError | None:
    shift = entry.shift
    if shift is None or shift.centre_id != entry.centre.id:
        return WrongShift()
    if shift.status != "open":
        if shift.status in ("planned", "gate") and now < shift.starts_at:
            return TooEarly(clock_time=entry.at_centre(shift.starts_at))
        return ShiftNotOpen()
    if shift.latest_entry_at is not None and now > shift.latest_entry_at:
        return TooLate(clock_time=entry.at_centre(shift.latest_entry_at))
    return None


def _centre_refusal(entry: Entry) -> KioskError | None:
    if entry.centre.demands_check_in and entry.candidate.checked_in_at is None:
        return NotCheckedIn()
    if entry.centre.demands_seat and not entry.candidate.seat:
        return NotCheckedIn()
    return KioskRequired() if entry.centre.kiosk_rule != "any" else None
