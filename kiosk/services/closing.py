"""A shift is closed: not while somebody writes; what was drawn and never begun is cancelled.

Tests that a server outage paused and nobody resumed are ended as of the deadline that they had.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from kiosk import timers
from kiosk.errors import KioskError
from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt, Candidate, Pause, Slot
from kiosk.services import _transitions, finishing, marking, pauses, shifts
from kiosk.services.audit import Actor
from kiosk.services.finishing import Ended
from kiosk.services.system import settings
from kiosk.shift_states import ShiftAction
from kiosk.states import AttemptAction, AttemptStatus, CancelReason

OUTAGE = "outage"


class StillWriting(KioskError):
    status, code = 409, "still_writing"
    message = _l(
        "The shift stays open: %(writing)s are writing and %(paused)s are paused. "
        "Hand in, resume or cancel their tests first."
    )


@dataclass(frozen=True)
class Sitter:
    """Somebody whose test stands in the way, or is ended by the closing."""

    attempt_id: UUID
    candidate_id: UUID
    service_no: str
    name: str
    seat: str | None
    is_paused: bool
    last_seen_at: datetime | None


@dataclass(frozen=True)
class Outlook:
    """What closing would meet: who is in the way, whose test it ends, how many drawn papers it cancels."""

    writing: tuple[Sitter, ...]
    paused: tuple[Sitter, ...]
    left_over: tuple[Sitter, ...]
    not_started: int

    @property
    def is_clear(self) -> bool:
        """Whether nobody stands in the way."""
        return not (self.writing or self.paused)


@dataclass(frozen=True)
class Closed:
    """What closing did."""

    ended: int
    cancelled: int


def outlook(shift_id: UUID, *, now: datetime) -> Outlook:
    """Return what closing this shift would meet now."""
    rows = _open_attempts(shift_id)
    left_over = {row.id for row in rows if _is_left_over(row, now)}
    return Outlook(
        writing=tuple(_sitter(row) for row in rows if _is_writing(row, now)),
        paused=tuple(_sitter(row) for row in rows if row.status == AttemptStatus.PAUSED and row.id not in left_over),
        left_over=tuple(_sitter(row) for row in rows if row.id in left_over),
        not_started=len(_not_started(shift_id)),
    )


def close(shift_id: UUID, *, by: Actor, now: datetime) -> Closed:
    """Close an open shift. Raises NotFound, TransitionRefused, StillWriting (nothing was changed)."""
    ended, cancelled = _close(shift_id, by, now)
    timers.delete_timers({attempt_id: one.version for attempt_id, one in ended.items()})
    for attempt_id, one in ended.items():
        marking.mark_now(attempt_id, now=now, ended=one)
    return Closed(len(ended), cancelled)


@retried
def _close(shift_id: UUID, by: Actor, now: datetime) -> tuple[dict[UUID, Ended], int]:
    with transaction():
        # first the shift: a start that came a moment earlier is waited for and then counted, a later one is refused
        shifts.move(shift_id, ShiftAction.CLOSE, by=by, now=now)
        ahead = outlook(shift_id, now=now)
        if not ahead.is_clear:
            raise StillWriting(writing=len(ahead.writing), paused=len(ahead.paused))
        ended = _end_left_over([one.attempt_id for one in ahead.left_over], by, now)
        waiting = db.session.execute(
            select(Attempt.id)
            .select_from(Slot)
            .join(Attempt, Attempt.slot_id == Slot.id)
            .where(Attempt.id.in_(_not_started(shift_id)))
            .order_by(Slot.id)
            .with_for_update(of=(Slot, Attempt), key_share=True)
        ).scalars()
        cancelled = _transitions.move_attempts(
            list(waiting),
            AttemptAction.CANCEL,
            by=by,
            now=now,
            reason=CancelReason.NOT_STARTED,
            only_from=AttemptStatus.INITIATED,
            cancel_reason=CancelReason.NOT_STARTED,
            closed_at=now,
        )
    return ended, len(cancelled)


def _end_left_over(attempt_ids: list[UUID], by: Actor, now: datetime) -> dict[UUID, Ended]:
    """Take the outage's pauses back and end the tests as of the deadline that they had before it."""
    pauses.take_back_locked(attempt_ids, by=by, now=now)
    found = {one: finishing.finish(one, by=by, now=now, owner_id=None) for one in sorted(attempt_ids)}
    return {attempt_id: ended for attempt_id, ended in found.items() if ended is not None}


def _open_attempts(shift_id: UUID) -> list[Any]:
    return list(
        db.session.execute(
            select(
                Attempt.id,
                Attempt.candidate_id,
                Attempt.status,
                Attempt.deadline_at,
                Attempt.remaining_ms,
                Attempt.paused_at,
                Attempt.last_seen_at,
                Candidate.service_no,
                Candidate.name,
                Candidate.seat,
                Pause.kind,
            )
            .join(Candidate, Candidate.id == Attempt.candidate_id)
            .outerjoin(Pause, (Pause.attempt_id == Attempt.id) & Pause.to_at.is_(None))
            .where(
                Attempt.shift_id == shift_id,
                Attempt.status.in_((AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)),
            )
            .order_by(Candidate.login)
        ).all()
    )


def _not_started(shift_id: UUID) -> list[UUID]:
    """The drawn papers of those who are in this shift now: whoever was moved on begins in the other one."""
    return list(
        db.session.execute(
            select(Attempt.id)
            .join(Candidate, Candidate.id == Attempt.candidate_id)
            .where(Candidate.shift_id == shift_id, Attempt.status == AttemptStatus.INITIATED)
        ).scalars()
    )


def _is_writing(row: Any, now: datetime) -> bool:
    return row.status == AttemptStatus.IN_PROGRESS and not finishing.is_over(row, now)


def _is_left_over(row: Any, now: datetime) -> bool:
    """Whether an outage paused this test and its time would be over by now, had the clock gone on."""
    if row.status != AttemptStatus.PAUSED or row.kind != OUTAGE:
        return False
    grace = timedelta(seconds=settings().save_grace_seconds)
    return now > row.paused_at + timedelta(milliseconds=row.remaining_ms) + grace


def _sitter(row: Any) -> Sitter:
    is_paused = row.status == AttemptStatus.PAUSED
    return Sitter(row.id, row.candidate_id, row.service_no, row.name, row.seat, is_paused, row.last_seen_at)
