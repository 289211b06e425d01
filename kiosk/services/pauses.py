"""Pauses: the clock of an attempt stands still, and goes on with exactly the time it had."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from kiosk import timers
from kiosk.extensions import db, retried, transaction
from kiosk.ids import uuid7
from kiosk.models import Attempt, Pause
from kiosk.services import _transitions
from kiosk.services.audit import Actor
from kiosk.states import AttemptAction, AttemptStatus
from kiosk.timers import Timer

MOVE = "move"  # the candidate changes seats, and the clock goes on where they sit down


@retried
def pause(attempt_ids: list[UUID], *, kind: str, reason: str, by: Actor, now: datetime) -> int:
    """Stop the clocks of those that run and have time left; return how many."""
    with transaction():
        moved = pause_locked(
            _lock(attempt_ids, AttemptStatus.IN_PROGRESS), kind=kind, reason=reason, as_of=now, by=by, now=now
        )
    timers.delete_timers(moved)
    return len(moved)


@retried
def unpause(attempt_ids: list[UUID], *, by: Actor, now: datetime) -> int:
    """Let the clocks of paused attempts go on with exactly the time they had; return how many."""
    with transaction():
        rows = _lock(attempt_ids, AttemptStatus.PAUSED)
        values = [
            {
                "id": row.id,
                "deadline_at": now + timedelta(milliseconds=row.remaining_ms or 0),
                "remaining_ms": None,
                "paused_at": None,
            }
            for row in rows
        ]
        _transitions.move_each_attempt(values, AttemptAction.RESUME, source=AttemptStatus.PAUSED, by=by, now=now)
        _close_rows([row.id for row in rows], by=by, now=now)
    running = {
        row.id: Timer(timers.to_ms(value["deadline_at"]), row.version + 1, row.lease)
        for row, value in zip(rows, values, strict=True)
    }
    timers.create_timers(running, now=now)
    return len(rows)


def resume_moved(attempt_id: UUID, *, by: Actor, now: datetime) -> bool:
    """Let an attempt go on that was paused to move its candidate; return whether it was. Any other pause stays."""
    found = db.session.execute(
        select(Pause.id).where(Pause.attempt_id == attempt_id, Pause.to_at.is_(None), Pause.kind == MOVE)
    ).first()
    return bool(found and unpause([attempt_id], by=by, now=now))


def pause_locked(
    rows: list[Any], *, kind: str, reason: str, as_of: datetime, by: Actor, now: datetime
) -> dict[UUID, int]:
    """Pause locked, running attempts as of an instant, inside the caller's transaction; return id → version.

    What began after that instant is paused as of its start; what had ended by then is left to expire.
    """
    values = []
    for row in rows:
        at = max(as_of, row.started_at)
        if row.deadline_at > at:
            left = round((row.deadline_at - at).total_seconds() * 1000)
            values.append({"id": row.id, "deadline_at": None, "remaining_ms": left, "paused_at": at})
    _transitions.move_each_attempt(
        values, AttemptAction.PAUSE, source=AttemptStatus.IN_PROGRESS, by=by, now=now, reason=reason
    )
    _open_rows(values, kind=kind, reason=reason, by=by)
    paused = {value["id"] for value in values}
    return {row.id: row.version + 1 for row in rows if row.id in paused}


def take_back_locked(attempt_ids: list[UUID], *, by: Actor, now: datetime) -> None:
    """Undo these attempts' pauses inside the caller's transaction: the clocks run as if they had never stopped."""
    rows = _lock(attempt_ids, AttemptStatus.PAUSED)
    values = [
        {
            "id": row.id,
            "deadline_at": row.paused_at + timedelta(milliseconds=row.remaining_ms or 0),
            "remaining_ms": None,
            "paused_at": None,
        }
        for row in rows
    ]
    _transitions.move_each_attempt(values, AttemptAction.RESUME, source=AttemptStatus.PAUSED, by=by, now=now)
    db.session.execute(
        update(Pause)
        .where(Pause.attempt_id.in_([row.id for row in rows]), Pause.to_at.is_(None))
        .values(to_at=Pause.from_at, resumed_by=by.name)
        .execution_options(synchronize_session=False)
    )


def _lock(attempt_ids: list[UUID], status: AttemptStatus) -> list[Any]:
    columns = (
        Attempt.id,
        Attempt.version,
        Attempt.lease,
        Attempt.started_at,
        Attempt.deadline_at,
        Attempt.remaining_ms,
        Attempt.paused_at,
    )
    return list(
        db.session.execute(
            select(*columns)
            .where(Attempt.id.in_(attempt_ids), Attempt.status == status)
            .order_by(Attempt.id)
            .with_for_update()
        ).all()
    )


def _open_rows(values: list[dict[str, Any]], *, kind: str, reason: str, by: Actor) -> None:
    """Write the row of each pause (`id` of the attempt, `paused_at`)."""
    if values:
        db.session.execute(
            insert(Pause),
            [
                {"id": uuid7(), "attempt_id": value["id"], "kind": kind, "from_at": value["paused_at"]}
                | {"paused_by": by.name, "reason": reason}
                for value in values
            ],
        )


def _close_rows(attempt_ids: list[UUID], *, by: Actor, now: datetime) -> None:
    """End the open pauses of these attempts."""
    db.session.execute(
        update(Pause)
        .where(Pause.attempt_id.in_(attempt_ids), Pause.to_at.is_(None))
        .values(to_at=now, resumed_by=by.name)
    )
