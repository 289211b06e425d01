"""Who may write an attempt now: the condition inside the hot statements, and in words why not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from kiosk.errors import AttemptNotRunning, KioskError, NotAllowed, NotFound, OpenedElsewhere, SignedOut, TimeOver
from kiosk.extensions import db
from kiosk.models import Attempt, Candidate
from kiosk.services.audit import Actor
from kiosk.services.system import settings
from kiosk.states import AttemptStatus


def parameters(attempt_id: UUID, lease: int, by: Actor, now: datetime, *, within: timedelta) -> dict[str, Any]:
    """Return what the hot statements ask of an attempt that may be written to (`hot_statements`)."""
    return {
        "p_attempt": attempt_id,
        "p_candidate": by.id,
        "p_epoch": by.epoch,
        "p_lease": lease,
        "p_not_before": now - within,
        "p_now": now,
    }


def why_not(attempt_id: UUID, lease: int, by: Actor, now: datetime, *, within: timedelta) -> KioskError | None:
    """Return why this attempt takes no answers from this sign-in now; None if it does."""
    attempt = db.session.execute(
        select(
            Attempt.candidate_id,
            Attempt.centre_id,
            Attempt.status,
            Attempt.deadline_at,
            Attempt.lease,
            Attempt.ended_by,
            Attempt.cancel_reason,
            select(Candidate.id).where(Candidate.id == _signed_in(by)).exists().label("is_signed_in"),
        ).where(Attempt.id == attempt_id)
    ).one_or_none()
    if attempt is None:
        return NotFound()
    if attempt.candidate_id != by.id:
        return NotAllowed()
    if not attempt.is_signed_in:
        return SignedOut()
    if attempt.status == AttemptStatus.EXPIRED or attempt.ended_by == "expired":
        return TimeOver()
    if attempt.status != AttemptStatus.IN_PROGRESS:
        return AttemptNotRunning(attempt_status=attempt.status, reason=attempt.cancel_reason)
    if attempt.lease != lease:
        return OpenedElsewhere()
    return TimeOver() if attempt.deadline_at < now - within else None


def grace() -> timedelta:
    """How long after the deadline an answer may arrive."""
    return timedelta(seconds=settings().save_grace_seconds)


def _signed_in(by: Actor) -> Any:
    """The candidate's id; nothing if their sign-ins were ended since this one (no statement of its own)."""
    if by.epoch is None:
        return by.id
    holds = (Candidate.id == by.id, Candidate.session_epoch == by.epoch, Candidate.archived_at.is_(None))
    return select(Candidate.id).where(*holds).scalar_subquery()
