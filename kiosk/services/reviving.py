"""Two ways back: a cancelled attempt is restored, one whose time ran out is reopened. Both come back paused.

Nothing is lost on the way: the paper, the answers and the time are those of the attempt, and the time since it ended is
a pause. What the row forgets (receipt, cancel reason, end) stays in its audit row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import insert, update

from kiosk import timers
from kiosk.errors import BadInput
from kiosk.extensions import db, retried, transaction
from kiosk.ids import uuid7
from kiosk.models import Answer, Pause, Result, TimeGrant
from kiosk.services import _transitions, audit, grants, revivable
from kiosk.services.audit import Actor, Change
from kiosk.services.revivable import SlotTaken
from kiosk.services.slots import checked_reason
from kiosk.states import AttemptAction, AttemptStatus, SlotAction

RESTORED, REOPENED = "restore", "reopen"


@dataclass(frozen=True)
class Revived:
    """What an attempt would have, or has, when it is taken up again: paused, with this much time left."""

    candidate_id: UUID
    remaining_ms: int
    version: int


def restore(attempt_id: UUID, *, reason: str, by: Actor, now: datetime, version: int | None = None) -> None:
    """Take a cancelled attempt up again, paused, with the time that was left when it was cancelled.

    With a `version` only if nobody changed the attempt since it was read (else TransitionRefused). Raises NotFound,
    NotCancelled, NotRestorable, SlotTaken, NewerAttempt, ReasonMissing, ReasonTooLong.
    """
    _restore(attempt_id, checked_reason(reason), by, now, version)


def reopen(
    attempt_id: UUID, seconds: int, *, reason: str, by: Actor, now: datetime, version: int | None = None
) -> None:
    """Take an attempt whose time ran out up again, paused, with `seconds` to go on with. Its result is withdrawn.

    Raises NotFound, NotExpired, ShiftIsClosed, SlotTaken, NewerAttempt, BadInput, ReasonMissing, ReasonTooLong.
    """
    if not 0 < seconds <= grants.MOST_SECONDS:
        raise BadInput(problem=_("Give between 1 second and 24 hours."))
    _reopen(attempt_id, seconds, checked_reason(reason), by, now, version)


def time_if_restored(attempt_id: UUID) -> Revived:
    """Return what a restore would give back; changes nothing. Raises what `restore` would."""
    row = revivable.read(attempt_id)
    revivable.refuse_restore(row)
    return Revived(row.candidate_id, revivable.left_ms(row), row.version)


def may_reopen(attempt_id: UUID) -> Revived:
    """Return the attempt if it could be reopened; changes nothing. Raises what `reopen` would."""
    row = revivable.read(attempt_id)
    revivable.refuse_reopen(row)
    return Revived(row.candidate_id, 0, row.version)


def candidate_of(attempt_id: UUID) -> UUID:
    """Return whose attempt it is. Raises NotFound."""
    return UUID(str(revivable.read(attempt_id).candidate_id))


@retried
def _restore(attempt_id: UUID, reason: str, by: Actor, now: datetime, version: int | None) -> None:
    with transaction():
        row = revivable.locked(attempt_id)
        revivable.refuse_restore(row, version)
        _move_slot(row, SlotAction.RESTORE, reason, by, now)
        stopped_at = row.paused_at or min(row.closed_at, row.deadline_at)
        moved = _move_attempt(
            row,
            AttemptAction.RESTORE,
            reason,
            by,
            now,
            {"cancel_reason": row.cancel_reason, "reason_text": row.reason_text},
            remaining_ms=revivable.left_ms(row),
            paused_at=stopped_at,
        )
        if row.paused_at is None:
            _open_pause(row.id, RESTORED, stopped_at, reason, by)
    timers.delete_timer(attempt_id, version=moved)


@retried
def _reopen(attempt_id: UUID, seconds: int, reason: str, by: Actor, now: datetime, version: int | None) -> None:
    with transaction():
        row = revivable.locked(attempt_id)
        revivable.refuse_reopen(row, version)
        _move_slot(row, SlotAction.REOPEN, reason, by, now)
        moved = _move_attempt(
            row,
            AttemptAction.REOPEN,
            reason,
            by,
            now,
            {"receipt": row.receipt, "seconds": seconds},
            remaining_ms=seconds * 1000,
            # as of the deadline: it is then that the time ran out
            paused_at=row.closed_at,
        )
        _open_pause(row.id, REOPENED, row.closed_at, reason, by)
        granted = {"id": uuid7(), "attempt_id": row.id, "seconds": seconds, "kind": REOPENED, "reason": reason}
        db.session.execute(insert(TimeGrant), [granted | {"granted_at": now, "granted_by": by.name}])
        _withdraw_marks(row.id, reason, by, now)
    timers.delete_timer(attempt_id, version=moved)


def _move_slot(row: Any, action: SlotAction, reason: str, by: Actor, now: datetime) -> None:
    if not _transitions.move_slots([row.slot_id], action, by=by, now=now, reason=reason):
        raise SlotTaken


def _move_attempt(
    row: Any, action: AttemptAction, reason: str, by: Actor, now: datetime, details: dict[str, Any], **values: Any
) -> int:
    """Make the attempt paused, as if it had never ended; return its version."""
    moved = _transitions.move_attempts(
        [row.id],
        action,
        by=by,
        now=now,
        reason=reason,
        only_from=AttemptStatus(row.status),
        only_version=row.version,
        details=details | {"closed_at": row.closed_at.isoformat()},
        deadline_at=None,
        closed_at=None,
        ended_by=None,
        cancel_reason=None,
        reason_text=None,
        receipt=None,
        marked_at=None,
        marking_tries=0,
        retry_at=None,
        **values,
    )
    return int(moved[0].version)


def _open_pause(attempt_id: UUID, kind: str, from_at: datetime, reason: str, by: Actor) -> None:
    row = {"id": uuid7(), "attempt_id": attempt_id, "kind": kind, "from_at": from_at}
    db.session.execute(insert(Pause), [row | {"paused_by": by.name, "reason": reason}])


def _withdraw_marks(attempt_id: UUID, reason: str, by: Actor, now: datetime) -> None:
    """Nothing is marked any more; the version of the result that counted stays as history."""
    db.session.execute(update(Answer).where(Answer.attempt_id == attempt_id).values(marks=None))
    withdrawn = db.session.execute(
        update(Result)
        .where(Result.attempt_id == attempt_id, Result.superseded_at.is_(None))
        .values(superseded_at=now)
        .returning(Result.id, Result.version)
        .execution_options(synchronize_session=False)
    ).all()
    audit.record(
        [
            Change("result", row.id, "withdraw_result", "current", "withdrawn", reason, {"version": row.version})
            for row in withdrawn
        ],
        by=by,
        now=now,
    )
