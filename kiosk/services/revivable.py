"""Which attempts can be taken up again, and in words why another can't. The rows come with their locks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, or_, select

from kiosk.errors import KioskError, NotFound, TransitionRefused
from kiosk.extensions import db
from kiosk.models import Activation, Attempt, Candidate, Shift, Slot
from kiosk.states import OPEN_ATTEMPT, AttemptStatus, CancelReason, SlotStatus

RESTORABLE = (CancelReason.SET_SWITCHED, CancelReason.CLEARED, CancelReason.STAFF)
_OTHER = Attempt.__table__.alias("other")


class NotCancelled(KioskError):
    status, code = 409, "not_cancelled"
    message = _l("Only a cancelled test can be restored. This one is not cancelled.")


class NotRestorable(KioskError):
    status, code = 409, "not_restorable"
    message = _l("A test whose slot was reset or reassigned, or that never began, cannot be restored.")


class SlotTaken(KioskError):
    status, code = 409, "slot_taken"
    message = _l("The slot of this test is not free for it any more.")


class NewerAttempt(KioskError):
    status, code = 409, "newer_attempt"
    message = _l("The candidate has a newer test. Only the newest one can be taken up again.")


class NotExpired(KioskError):
    status, code = 409, "not_expired"
    message = _l("Only a test whose time ran out can be reopened.")


class ShiftIsClosed(KioskError):
    status, code = 409, "shift_closed"
    message = _l("The shift of this test is closed.")


def read(attempt_id: UUID) -> Any:
    """Return the attempt with its slot, its shift's state, and whether there is a newer one. Raises NotFound."""
    newer = (
        exists()
        .where(
            _OTHER.c.candidate_id == Attempt.candidate_id,
            _OTHER.c.id != Attempt.id,
            # what was only drawn and never begun takes nothing away
            or_(
                _OTHER.c.status.in_(OPEN_ATTEMPT),
                (_OTHER.c.id > Attempt.id) & (_OTHER.c.slot_id == Attempt.slot_id) & _OTHER.c.started_at.is_not(None),
            ),
        )
        .label("has_newer")
    )
    row = db.session.execute(
        select(
            *Attempt.__table__.c,
            Slot.status.label("slot_status"),
            Slot.closed_at.label("slot_closed_at"),
            Slot.paper_type,
            Candidate.trade_id,
            Shift.status.label("shift_status"),
            newer,
        )
        .join(Slot, Slot.id == Attempt.slot_id)
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .outerjoin(Shift, Shift.id == Attempt.shift_id)
        .where(Attempt.id == attempt_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def locked(attempt_id: UUID) -> Any:
    """Return the row under its locks, in everybody's order: shift, activation, candidate, slot, attempt."""
    known = read(attempt_id)
    db.session.execute(select(Shift.id).where(Shift.id == known.shift_id).with_for_update(read=True))
    # a switch goes first or waits: what was restored before it is cancelled by it, what comes after stays
    db.session.execute(
        select(Activation.id)
        .where(
            Activation.trade_id == known.trade_id,
            Activation.paper_type == known.paper_type,
            Activation.ended_at.is_(None),
        )
        .with_for_update(read=True)
    )
    for model, one in ((Candidate, known.candidate_id), (Slot, known.slot_id), (Attempt, attempt_id)):
        db.session.execute(select(model.id).where(model.id == one).with_for_update(key_share=True))
    return read(attempt_id)


def refuse_restore(row: Any, version: int | None = None) -> None:
    """Raise what stands in the way of a restore."""
    if row.status != AttemptStatus.CANCELLED:
        raise NotCancelled
    _refuse_changed(row, version)
    if row.cancel_reason not in RESTORABLE or row.started_at is None:
        raise NotRestorable
    if row.slot_closed_at is not None:
        raise SlotTaken
    if row.has_newer:
        raise NewerAttempt
    if row.slot_status != SlotStatus.AVAILABLE:
        raise SlotTaken


def refuse_reopen(row: Any, version: int | None = None) -> None:
    """Raise what stands in the way of reopening."""
    has_expired = row.ended_by == "expired" and row.status in (AttemptStatus.EXPIRED, AttemptStatus.COMPLETED)
    if not has_expired:
        raise NotExpired
    _refuse_changed(row, version)
    if row.shift_status == "closed":
        raise ShiftIsClosed
    if row.slot_closed_at is not None or row.slot_status != SlotStatus.CONSUMED:
        raise SlotTaken
    if row.has_newer:
        raise NewerAttempt


def _refuse_changed(row: Any, version: int | None) -> None:
    if version not in (None, row.version):
        raise TransitionRefused(found=row.status)


def left_ms(row: Any) -> int:
    """Return the time at the moment of the cancel: what a pause kept, or the deadline left; never negative."""
    if row.paused_at is not None:
        return int(row.remaining_ms)
    return max(round((row.deadline_at - row.closed_at).total_seconds() * 1000), 0)
