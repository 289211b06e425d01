"""Before the clock runs: which paper a candidate may start, and the attempt that waits for its start."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from kiosk.errors import (
    AttemptNotRunning,
    KioskRequired,
    NoSlot,
    NotCheckedIn,
    NotFound,
    ShiftNotOpen,
    SlotConsumed,
    TransitionRefused,
)
from kiosk.extensions import db, transaction
from kiosk.ids import uuid7
from kiosk.models import Attempt, Slot
from kiosk.services import _transitions, attempts, catalogue, drawing, entry, finishing, sitting_reports
from kiosk.services.attempts import Started
from kiosk.services.audit import Actor
from kiosk.services.entry import Entry
from kiosk.states import AttemptStatus, SlotStatus

# what the day may still bring: it is asked for at the start, not before
LATER = (ShiftNotOpen, NotCheckedIn, KioskRequired)


def prepare(candidate_id: UUID, paper_id: UUID, *, lease: int, by: Actor, now: datetime) -> bool:
    """Draw an attempt that waits for its start; return whether there was none open yet.

    Raises NotFound (no such paper), NoSlot (another paper), SlotConsumed, PaperNotPublished, AttemptLimit,
    NoActiveSet.
    """
    found = _entry_to(paper_id, candidate_id, by)
    if found.attempt is not None:
        return False
    refused = entry.refusal(found, now=now)
    if refused and not isinstance(refused, LATER):
        raise refused
    try:
        with transaction():
            _draw(found, lease=lease, by=by, now=now)
    except (IntegrityError, TransitionRefused):
        # another call was first, or the slot changed under us
        again = _entry_to(paper_id, candidate_id, by)
        if again.attempt is None:
            raise entry.refusal(again, now=now) or TransitionRefused(found=SlotStatus.NONE) from None
        return False
    return True


def open_attempt_id(candidate_id: UUID) -> UUID:
    """Return the candidate's open attempt. Raises NotFound."""
    found = entry.read(candidate_id)
    if found.attempt is None:
        raise NotFound
    return found.attempt.id


def start_paper(candidate_id: UUID, paper_id: UUID, *, lease: int, by: Actor, now: datetime) -> Started:
    """Start the paper of the candidate's current slot without a start code; while it runs: that attempt.

    Raises NotFound (no such paper), NoSlot (another paper), AttemptNotRunning (paused), and what
    `attempts.start` raises.
    """
    found = _entry_to(paper_id, candidate_id, by)
    if found.attempt is not None:
        _refuse_paused_and_over(found, found.attempt, by=by, now=now)
    return attempts.start(
        candidate_id, lease=lease, by=by, now=now, demands_start_code=False, language=found.candidate.language
    )


def start_attempt(attempt_id: UUID, *, candidate_id: UUID, lease: int, by: Actor, now: datetime) -> Started:
    """Start the candidate's own prepared attempt. Raises NotFound, NotAllowed, AttemptNotRunning, as `start_paper`."""
    row = sitting_reports.own_attempt(attempt_id, candidate_id=candidate_id)
    if row.status not in (AttemptStatus.INITIATED, AttemptStatus.IN_PROGRESS):
        raise AttemptNotRunning(attempt_status=row.status, reason=row.cancel_reason)
    return start_paper(candidate_id, row.paper_id, lease=lease, by=by, now=now)


def end_overdue(candidate_id: UUID, *, by: Actor, now: datetime) -> None:
    """End the candidate's open attempt if its time is over, as of its deadline."""
    found = entry.read(candidate_id)
    if found.attempt is not None and finishing.is_over(found.attempt, now):
        attempts.submit(found.attempt.id, by=by, now=now)


def _entry_to(paper_id: UUID, candidate_id: UUID, by: Actor) -> Entry:
    """What decides about the candidate's start of this paper. Raises NotFound, NoSlot."""
    found = entry.read(candidate_id, by=by)
    if found.paper is not None and found.paper.id == paper_id:
        return found
    assert by.organisation_id is not None
    raise NoSlot if sitting_reports.paper_exists(paper_id, by.organisation_id) else NotFound


def _draw(found: Entry, *, lease: int, by: Actor, now: datetime) -> None:
    """The transaction of `prepare`: active set, slot, attempt, questions, audit."""
    slot, paper, attempt_id, seed = found.slot, found.paper, uuid7(), drawing.new_seed()
    assert slot is not None
    assert paper is not None
    set_id = attempts.active_set(found.trade.id, paper.paper_type)
    still_there = db.session.execute(
        select(Slot.id)
        .where(Slot.id == slot.id, Slot.closed_at.is_(None), Slot.status == SlotStatus.AVAILABLE)
        .with_for_update(key_share=True)
    ).one_or_none()
    if still_there is None:
        raise TransitionRefused(found=slot.status)
    values = {
        "id": attempt_id,
        "candidate_id": found.candidate.id,
        "slot_id": slot.id,
        "paper_id": paper.id,
        "question_set_id": set_id,
        "centre_id": found.centre.id,
        "shift_id": found.shift.id if found.shift else None,
        "number": found.attempts_made + 1,
        "version": 1,
        "seed": seed,
        "lease": lease,
        "language": found.candidate.language,
        "allowed_seconds": found.allowed_seconds,
    }
    _transitions.open_attempt(values, is_started=False, by=by, now=now)
    drawing.draw(attempt_id, catalogue.questions_of(set_id).values(), seed, first_seen_at=None)


def _refuse_paused_and_over(found: Entry, attempt: Attempt, *, by: Actor, now: datetime) -> None:
    """A paused attempt is not started; one past its time is ended, and the slot is then consumed."""
    if attempt.status == AttemptStatus.PAUSED:
        raise AttemptNotRunning(attempt_status=attempt.status)
    if finishing.is_over(attempt, now):
        attempts.submit(attempt.id, by=by, now=now)
        ended = entry.read(found.candidate.id, by=by)
        raise entry.refusal(ended, now=now) or SlotConsumed(at=now, clock_time=ended.at_centre(now), is_time_over=True)
