"""The end of the time: overdue attempts are ended in batches, as of their deadlines, and marked."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from kiosk import timers
from kiosk.errors import KioskError
from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt, Slot
from kiosk.services import _transitions, finishing, marking
from kiosk.services.audit import SYSTEM
from kiosk.services.finishing import Ended
from kiosk.services.receipts import canonical, sealed_code
from kiosk.services.system import settings
from kiosk.states import AttemptAction, AttemptStatus, SlotAction

log = logging.getLogger(__name__)

BATCH = 500


def expire_overdue(*, now: datetime) -> int:
    """End every attempt past deadline and grace, as of its deadline; return how many.

    A batch is one transaction and a constant number of statements. If one attempt spoils its batch, the batch
    is ended one by one: the bad one is pushed back a minute and the others go on.
    """
    count = 0
    while ids := overdue(now=now, most=BATCH):
        try:
            ended = _end_batch(ids, now)
        except Exception as error:
            log.warning("batch ended one by one: %s", error)
            ended = {i: one.version for i in ids if (one := _end_one(i, now))}
        timers.delete_timers(ended)
        count += len(ended)
        if len(ids) < BATCH or not ended:
            break
    if 0 < count < BATCH:
        # of more than that the sweeper marks the others: nobody's request waits for thousands
        marking.mark_waiting(now=now)
    return count


def overdue(*, now: datetime, most: int) -> list[UUID]:
    """Return the running attempts past deadline and grace, the earliest first."""
    limit = now - timedelta(seconds=settings().save_grace_seconds)
    return list(
        db.session.execute(
            select(Attempt.id)
            .where(
                Attempt.status == AttemptStatus.IN_PROGRESS,
                Attempt.deadline_at < limit,
                or_(Attempt.retry_at.is_(None), Attempt.retry_at <= now),
            )
            .order_by(Attempt.deadline_at)
            .limit(most)
        ).scalars()
    )


@retried
def _end_batch(attempt_ids: list[UUID], now: datetime) -> dict[UUID, int]:
    """End what is still overdue among these; rows that another sweeper holds are left to it. Return their versions."""
    limit = now - timedelta(seconds=settings().save_grace_seconds)
    with transaction():
        rows = db.session.execute(
            select(Attempt.id, Attempt.slot_id, Attempt.deadline_at, Attempt.version)
            .select_from(Slot)
            .join(Attempt, Attempt.slot_id == Slot.id)
            .where(
                Attempt.id.in_(attempt_ids), Attempt.status == AttemptStatus.IN_PROGRESS, Attempt.deadline_at < limit
            )
            .order_by(Slot.id)
            .with_for_update(of=(Slot, Attempt), key_share=True, skip_locked=True)
        ).all()
        answers, sealed = finishing.raw_answers([row.id for row in rows]), _Sealed()
        values = [_ending(row, answers[row.id], sealed) for row in rows]
        _transitions.move_each_attempt(
            values, AttemptAction.EXPIRE, source=AttemptStatus.IN_PROGRESS, by=SYSTEM, now=now
        )
        ended_at = (
            select(Attempt.closed_at)
            # by id: an index on the status would visit all that have just ended
            .where(Attempt.slot_id == Slot.id, Attempt.id.in_([row.id for row in rows]))
            .scalar_subquery()
        )
        _transitions.move_slots(
            [row.slot_id for row in rows],
            SlotAction.CONSUME,
            by=SYSTEM,
            now=now,
            consumed_at=ended_at,
            consumed_how="expired",
        )
    return {row.id: row.version + 1 for row in rows}


def _ending(row: Any, answers: list[str], sealed: _Sealed) -> dict[str, Any]:
    code = sealed_code(row.id, row.deadline_at, [sealed[raw] for raw in answers])
    return {"id": row.id, "closed_at": row.deadline_at, "ended_by": "expired", "receipt": code}


class _Sealed(dict[str, str]):
    """The canonical JSON of a raw answer, made once for all of a batch who gave the same."""

    def __missing__(self, raw: str) -> str:
        question_id, response, _ = finishing.read_answer(raw)
        self[raw] = made = canonical([str(question_id), response])
        return made


def _end_one(attempt_id: UUID, now: datetime) -> Ended | None:
    try:
        return _finish(attempt_id, now)
    except KioskError:
        return None  # somebody else ended, paused or cancelled it since
    except Exception as error:
        finishing.push_back(attempt_id, error, now=now)
        return None


@retried
def _finish(attempt_id: UUID, now: datetime) -> Ended | None:
    with transaction():
        return finishing.finish(attempt_id, by=SYSTEM, now=now, owner_id=None)
