"""May this candidate start now, and if not, why: one read and the rules of the day."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Uuid, and_, bindparam, func, select
from sqlalchemy.orm import aliased

from kiosk import extensions
from kiosk.errors import (
    AttemptLimit,
    GoToSeat,
    KioskError,
    KioskRequired,
    LockdownRequired,
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
from kiosk.models import Attempt, Candidate, Centre, Kiosk, Paper, Shift, SignInTries, Slot, Trade
from kiosk.prepared import Prepared, Tables, one_of
from kiosk.services import tries
from kiosk.services.audit import Actor
from kiosk.sign_in_errors import TooManyStartCodes
from kiosk.states import OPEN_ATTEMPT, AttemptStatus, SlotStatus


@dataclass(frozen=True)
class Entry:
    """Everything that decides about a start, as it was read in one statement.

    `kiosk` is the enrolled kiosk of the centre at which the candidate sits; None anywhere else.
    """

    candidate: Candidate
    centre: Centre
    trade: Trade
    shift: Shift | None
    slot: Slot | None
    paper: Paper | None
    attempt: Attempt | None
    kiosk: Kiosk | None
    wrong_codes: SignInTries | None
    attempts_made: int
    is_locked_down: bool = False

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


def read(candidate_id: UUID, *, by: Actor | None = None) -> Entry:
    """Return what decides about a start by `by`, at the place where they are: one statement. Raises NotFound."""
    given = {
        "p_candidate": candidate_id,
        "p_kiosk": by.kiosk_id if by else None,
        "p_source": tries.start_code_source(candidate_id).name,
    }
    row = extensions.read(_everything(), given).one_or_none()
    if row is None:
        raise NotFound
    return Entry(**_TABLES.of(row), attempts_made=row.made, is_locked_down=bool(by and by.is_locked_down))


_TABLES = Tables(
    candidate=Candidate,
    centre=Centre,
    trade=Trade,
    shift=Shift,
    slot=Slot,
    paper=Paper,
    attempt=Attempt,
    kiosk=Kiosk,
    wrong_codes=SignInTries,
)


@cache
def _everything() -> Prepared:
    """The statement of `read`. Built once: nine joins cost more than the database needs for them (ADR 4)."""
    earlier = aliased(Attempt)
    made = (
        select(func.count())
        .select_from(earlier)
        .where(
            earlier.candidate_id == Candidate.id,
            earlier.paper_id == Slot.paper_id,
            ~one_of(earlier.status, (AttemptStatus.CANCELLED, *OPEN_ATTEMPT)),
        )
        .scalar_subquery()
    )
    wanted = (
        select(*_TABLES.columns, made.label("made"))
        .select_from(Candidate)
        .join(Centre, Centre.id == Candidate.centre_id)
        .join(Trade, Trade.id == Candidate.trade_id)
        .outerjoin(Shift, Shift.id == Candidate.shift_id)
        .outerjoin(Slot, and_(Slot.candidate_id == Candidate.id, Slot.closed_at.is_(None)))
        .outerjoin(Paper, Paper.id == Slot.paper_id)
        .outerjoin(Attempt, and_(Attempt.candidate_id == Candidate.id, one_of(Attempt.status, OPEN_ATTEMPT)))
        .outerjoin(
            Kiosk,
            # an enrolment that was taken back counts no more, whatever the cookie says
            and_(
                Kiosk.id == bindparam("p_kiosk", type_=Uuid),
                Kiosk.centre_id == Candidate.centre_id,
                Kiosk.archived_at.is_(None),
                Kiosk.token_hash.is_not(None),
            ),
        )
        .outerjoin(SignInTries, SignInTries.source == bindparam("p_source"))
        .where(Candidate.id == bindparam("p_candidate", type_=Uuid))
    )
    return Prepared(wanted)


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


def start_code_refusal(entry: Entry, start_code: str | None, *, now: datetime) -> KioskError | None:
    """Return WrongStartCode if the shift has a code and this is not it, TooManyStartCodes after many wrong ones."""
    wanted = entry.shift.start_code if entry.shift else None
    if not wanted:
        return None
    row, source = entry.wrong_codes, tries.start_code_source(entry.candidate.id)
    if row is not None and tries.is_stopped(row, source, now=now):
        return TooManyStartCodes(seconds=(row.since_at + tries.WINDOW - now).total_seconds())
    is_right = hmac.compare_digest(wanted.encode(), (start_code or "").strip().encode())
    return None if is_right else WrongStartCode()


def kiosk_refusal(entry: Entry) -> KioskError | None:
    """Return why the exam can't be written at this place: no kiosk of the centre, another seat, not locked down."""
    seat = entry.candidate.seat
    if entry.centre.kiosk_rule == "any":
        return None
    if entry.kiosk is None:
        return GoToSeat(seat=seat) if seat else KioskRequired()
    if entry.centre.demands_seat and entry.kiosk.seat != seat:
        return GoToSeat(seat=seat) if seat else NotCheckedIn()
    if entry.centre.kiosk_rule == "locked_down" and not entry.is_locked_down:
        return LockdownRequired()
    return None


def _shift_refusal(entry: Entry, now: datetime) -> KioskError | None:
    shift = entry.shift
    if shift is None or shift.centre_id != entry.centre.id:
        return WrongShift()
    if shift.status != "open":
        if shift.status in ("planned", "gate") and now < shift.starts_at:
            return TooEarly(clock_time=entry.at_centre(shift.starts_at))
        return ShiftNotOpen()
    is_too_late = shift.latest_entry_at is not None and now > shift.latest_entry_at
    if is_too_late and entry.candidate.late_entry_shift_id != shift.id:
        assert shift.latest_entry_at is not None
        return TooLate(clock_time=entry.at_centre(shift.latest_entry_at))
    return None


def _centre_refusal(entry: Entry) -> KioskError | None:
    if entry.centre.demands_check_in and entry.candidate.checked_in_at is None:
        return NotCheckedIn()
    if entry.centre.demands_seat and not entry.candidate.seat:
        return NotCheckedIn()
    return kiosk_refusal(entry)
