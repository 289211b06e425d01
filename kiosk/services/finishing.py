"""The one way in which an attempt ends with what was saved: submit button, sweeper and invigilator alike."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select, text, update

from kiosk.errors import AttemptNotRunning, NotAllowed, NotFound, OpenedElsewhere
from kiosk.extensions import db, execute, transaction
from kiosk.models import Answer, Attempt, Slot
from kiosk.prepared import Prepared
from kiosk.services import _transitions
from kiosk.services.audit import Actor
from kiosk.services.receipts import receipt_code
from kiosk.services.system import settings
from kiosk.states import HANDED_IN, AttemptAction, AttemptStatus, SlotAction, attempt_target

log = logging.getLogger(__name__)

PUSH_BACK = timedelta(minutes=1)
# ASCII's own separators: no JSON has them as they are
RECORD, UNIT = "\x1e", "\x1f"
_ONE = f"CAST(question_id AS text) || '{UNIT}' || option_order || '{UNIT}' || coalesce(CAST(response AS text), '')"
# one value for each attempt: much quicker than a row for each answer, let alone JSON that is taken apart and made anew
_RAW_ANSWERS = {
    "postgresql": text(
        f"SELECT CAST(attempt_id AS text), max(number), string_agg({_ONE}, '{RECORD}' ORDER BY number) "  # noqa: S608  constants
        "FROM answers WHERE attempt_id = ANY(CAST(:attempts AS uuid[])) GROUP BY attempt_id"
    ),
    "sqlite": text(
        "SELECT value, (SELECT max(number) FROM answers WHERE attempt_id = value), "  # noqa: S608  constants
        f"(SELECT group_concat(one, '{RECORD}') FROM "
        f"(SELECT {_ONE} AS one FROM answers WHERE attempt_id = value ORDER BY number)) FROM json_each(:attempts)"
    ),
}


@dataclass(frozen=True)
class Ended:
    """An attempt that this call ended, with its answers as they are handed in."""

    status: AttemptStatus
    version: int
    answers: Sequence[Any]


def finish(
    attempt_id: UUID,
    *,
    by: Actor,
    now: datetime,
    owner_id: UUID | None,
    lease: int | None = None,
    reason: str | None = None,
) -> Ended | None:
    """End a running attempt inside the caller's transaction; None if it was handed in before.

    Up to deadline + grace it is submitted, later expired, as of the deadline. With `owner_id` only that
    candidate's, with `lease` only from the sign-in that may write. Raises NotFound, NotAllowed,
    AttemptNotRunning, OpenedElsewhere.
    """
    # slot before attempt, the order that everybody keeps: a reset may arrive at the same moment
    row = execute(_locked(), {"p_attempt": attempt_id}).one_or_none()
    if row is None:
        raise NotFound
    if owner_id is not None and row.candidate_id != owner_id:
        raise NotAllowed
    if row.status in HANDED_IN:
        return None
    if row.status != AttemptStatus.IN_PROGRESS:
        raise AttemptNotRunning(attempt_status=row.status, reason=row.cancel_reason)
    if lease is not None and row.lease != lease:
        raise OpenedElsewhere
    is_late = now > row.deadline_at + timedelta(seconds=settings().save_grace_seconds)
    action = AttemptAction.EXPIRE if is_late else AttemptAction.SUBMIT
    how = "expired" if is_late else "submitted"
    closed_at = min(now, row.deadline_at)
    # read after the lock: a save that was faster is part of what is handed in
    answers = answers_of(attempt_id)
    moved = _transitions.move_attempts(
        [attempt_id],
        action,
        by=by,
        now=now,
        reason=reason,
        closed_at=closed_at,
        ended_by=how,
        receipt=receipt_code(attempt_id, closed_at, [(one.question_id, one.response) for one in answers]),
    )
    _transitions.move_slots(
        [row.slot_id], SlotAction.CONSUME, by=by, now=now, reason=reason, consumed_at=closed_at, consumed_how=how
    )
    return Ended(attempt_target(action), moved[0].version, answers)


def is_over(attempt: Any, now: datetime) -> bool:
    """Whether a running attempt is past deadline and grace: it is over, whatever its row says."""
    grace = timedelta(seconds=settings().save_grace_seconds)
    return attempt.status == AttemptStatus.IN_PROGRESS and now > attempt.deadline_at + grace


def answers_of(attempt_id: UUID) -> Sequence[Any]:
    """Return number, question id, response and option order of an attempt's answers, in the paper's order."""
    return execute(_answers(), {"p_attempt": attempt_id}).all()


def raw_answers(attempt_ids: list[UUID]) -> dict[UUID, list[str]]:
    """Return the answers of many attempts, in the papers' order, as `read_answer` understands them.

    Thousands answer the same few questions in the same few ways: whoever reads them makes objects of each way once.
    Raises LookupError where an answer is missing: the place of each is its number.
    """
    dialect = db.engine.dialect.name
    ids = [str(one) for one in attempt_ids] if dialect == "postgresql" else json.dumps([one.hex for one in attempt_ids])
    answers: dict[UUID, list[str]] = {one: [] for one in attempt_ids}
    rows: Any = execute(_RAW_ANSWERS[dialect], {"attempts": ids}).all()
    for raw_id, most, together in rows:
        if together is not None:
            answers[UUID(raw_id)] = found = together.split(RECORD)
            if len(found) != most:
                raise LookupError(f"attempt {raw_id} has {len(found)} of {most} answers")
    return answers


def read_answer(raw: str) -> tuple[UUID, Any, str]:
    """Return question id, response and option order of an answer that `raw_answers` gave."""
    question_id, option_order, response = raw.split(UNIT)
    return UUID(question_id), json.loads(response) if response else None, option_order


@cache
def _locked() -> Prepared:
    """What decides about an end, the slot and the attempt locked. Built once, like all of this path (ADR 4)."""
    return Prepared(
        select(
            Attempt.candidate_id,
            Attempt.slot_id,
            Attempt.status,
            Attempt.deadline_at,
            Attempt.cancel_reason,
            Attempt.lease,
        )
        .select_from(Slot)
        .join(Attempt, Attempt.slot_id == Slot.id)
        .where(Attempt.id == bindparam("p_attempt", type_=Uuid))
        .with_for_update(of=(Slot, Attempt), key_share=True)
    )


@cache
def _answers() -> Prepared:
    return Prepared(
        select(Answer.number, Answer.question_id, Answer.response, Answer.option_order)
        .where(Answer.attempt_id == bindparam("p_attempt", type_=Uuid))
        .order_by(Answer.number)
    )


def push_back(attempt_id: UUID, error: Exception, *, now: datetime) -> None:
    """Leave an attempt that could not be ended or marked alone for a minute; the log and the row say why."""
    log.error("attempt pushed back attempt=%s error=%s", attempt_id, error, exc_info=error)
    # a database's error would repeat its parameters, answers among them: only what the database itself said
    said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    with transaction():
        db.session.execute(
            update(Attempt)
            .where(Attempt.id == attempt_id)
            .values(
                retry_at=now + PUSH_BACK,
                marking_tries=Attempt.marking_tries + 1,
                trouble=f"{type(error).__name__}: {said}"[:200],
            )
        )
