"""Time granted to many attempts at once: their clocks, what invigilators have granted so far, and the grants."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select

from kiosk import timers
from kiosk.extensions import db
from kiosk.ids import uuid7
from kiosk.models import Attempt, TimeGrant
from kiosk.services import audit, grants
from kiosk.services.audit import Actor, Change
from kiosk.states import AttemptStatus

WITH_A_CLOCK = (AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)


def clocks(ids: Iterable[UUID], *, is_locked: bool) -> list[Any]:
    """Return those of these attempts that have a clock, running or stopped, in the order of their ids."""
    query = (
        select(
            Attempt.id,
            Attempt.status,
            Attempt.version,
            Attempt.lease,
            Attempt.started_at,
            Attempt.deadline_at,
            Attempt.remaining_ms,
        )
        .where(Attempt.id.in_(ids), Attempt.status.in_(WITH_A_CLOCK))
        .order_by(Attempt.id)
    )
    return list(db.session.execute(query.with_for_update() if is_locked else query).all())


def short_seconds(ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return how much each was granted by those who may grant ten minutes in total."""
    rows = db.session.execute(
        select(TimeGrant.attempt_id, func.sum(TimeGrant.seconds))
        .where(TimeGrant.attempt_id.in_(ids), TimeGrant.kind.in_(grants.SHORT_KINDS))
        .group_by(TimeGrant.attempt_id)
    )
    return {attempt_id: int(seconds) for attempt_id, seconds in rows}


def add(
    rows: list[Any], plan: dict[UUID, int], *, kind: str, change: Change, by: Actor, now: datetime
) -> dict[UUID, timers.Timer]:
    """Grant the seconds of `plan` to the `clocks` of it, locked by the caller, inside the caller's transaction.

    Each is logged as `change` is, with its own seconds. Returns the timers to write after the transaction.
    """
    chosen = [row for row in rows if row.id in plan]
    if not chosen:
        return {}
    _move(chosen, plan, now)
    common = {"kind": kind, "reason": change.reason, "granted_at": now, "granted_by": by.name}
    db.session.execute(
        insert(TimeGrant), [common | {"id": uuid7(), "attempt_id": row.id, "seconds": plan[row.id]} for row in chosen]
    )
    audit.record([_logged(change, row, plan[row.id]) for row in chosen], by=by, now=now)
    return {
        row.id: timers.Timer(
            timers.to_ms(row.deadline_at + timedelta(seconds=plan[row.id])), row.version + 1, row.lease
        )
        for row in chosen
        if row.deadline_at is not None
    }


def _logged(change: Change, row: Any, seconds: int) -> Change:
    details = (change.details or {}) | {"seconds": seconds}
    return Change("attempt", row.id, change.action, row.status, row.status, change.reason, details)


def _move(rows: list[Any], plan: dict[UUID, int], now: datetime) -> None:
    """Move the deadlines of those who write, and what is kept for those who are paused."""
    table = Attempt.__table__
    values = [
        {
            "b_id": row.id,
            "b_deadline": row.deadline_at and row.deadline_at + timedelta(seconds=plan[row.id]),
            "b_kept": row.remaining_ms if row.remaining_ms is None else row.remaining_ms + plan[row.id] * 1000,
        }
        for row in rows
    ]
    db.session.connection().execute(
        table.update()  # type: ignore[attr-defined]
        .where(table.c.id == bindparam("b_id"))
        .values(
            version=table.c.version + 1,
            changed_at=now,
            deadline_at=bindparam("b_deadline"),
            remaining_ms=bindparam("b_kept"),
        ),
        values,
    )
