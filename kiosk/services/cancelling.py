"""What staff do to one attempt: cancel it, stop its clock, let it go on. Each says why where it can't be done."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from kiosk import timers
from kiosk.errors import AttemptNotRunning, KioskError, NotFound, TimeOver, TransitionRefused
from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt, Slot
from kiosk.services import _transitions, finishing, pauses
from kiosk.services.audit import Actor
from kiosk.services.slots import checked_reason
from kiosk.states import OPEN_ATTEMPT, AttemptAction, AttemptStatus, CancelReason, SlotAction

KIND = "staff"


@retried
def cancel(attempt_id: UUID, *, reason: str, by: Actor, now: datetime) -> None:
    """End an open attempt without a result and release its slot; the answers stay.

    Raises NotFound, AttemptNotRunning, ReasonMissing, ReasonTooLong.
    """
    reason = checked_reason(reason)
    with transaction():
        # slot before attempt, the order that everybody keeps
        row = db.session.execute(
            select(Attempt.slot_id, Attempt.status, Attempt.deadline_at, Attempt.cancel_reason)
            .select_from(Slot)
            .join(Attempt, Attempt.slot_id == Slot.id)
            .where(Attempt.id == attempt_id)
            .with_for_update(of=(Slot, Attempt), key_share=True)
        ).one_or_none()
        if row is None:
            raise NotFound
        if row.status not in OPEN_ATTEMPT or finishing.is_over(row, now):
            raise _ended(row, now)
        _transitions.move_slots([row.slot_id], SlotAction.RELEASE, by=by, now=now, reason=reason)
        [moved] = _transitions.move_attempts(
            [attempt_id],
            AttemptAction.CANCEL,
            by=by,
            now=now,
            reason=reason,
            only_from=AttemptStatus(row.status),
            cancel_reason=CancelReason.STAFF,
            closed_at=now,
            reason_text=reason,
        )
    timers.delete_timer(attempt_id, version=moved.version)


def pause(attempt_id: UUID, *, reason: str, by: Actor, now: datetime) -> None:
    """Stop the clock of a running attempt that has time left.

    Raises NotFound, TimeOver, AttemptNotRunning, ReasonMissing, ReasonTooLong.
    """
    reason = checked_reason(reason)
    if not pauses.pause([attempt_id], kind=KIND, reason=reason, by=by, now=now):
        raise _why_not_paused(_row(attempt_id), now)


def unpause(attempt_id: UUID, *, by: Actor, now: datetime) -> None:
    """Let the clock of a paused attempt go on. Raises NotFound, AttemptNotRunning, TransitionRefused."""
    if pauses.unpause([attempt_id], by=by, now=now):
        return
    row = _row(attempt_id)
    is_running = row.status == AttemptStatus.IN_PROGRESS and not finishing.is_over(row, now)
    raise TransitionRefused(found=row.status) if is_running else _ended(row, now)


def _row(attempt_id: UUID) -> Any:
    row = db.session.execute(
        select(Attempt.status, Attempt.deadline_at, Attempt.cancel_reason).where(Attempt.id == attempt_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def _why_not_paused(row: Any, now: datetime) -> KioskError:
    is_running = row.status == AttemptStatus.IN_PROGRESS and not finishing.is_over(row, now)
    # between deadline and grace it reads as running, and there is nothing left that a pause could keep
    return TimeOver() if is_running else _ended(row, now)


def _ended(row: Any, now: datetime) -> AttemptNotRunning:
    status = AttemptStatus.EXPIRED if finishing.is_over(row, now) else row.status
    return AttemptNotRunning(attempt_status=status, reason=row.cancel_reason)
