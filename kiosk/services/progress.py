"""How far a candidate is: derived from answers and visits, never a second copy. And what a program reports of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import case, select, update

from kiosk.errors import QuestionNotInAttempt
from kiosk.extensions import db, retried, transaction
from kiosk.models import Answer, Attempt
from kiosk.services import answers, presence
from kiosk.services.audit import Actor
from kiosk.states import AttemptStatus


@dataclass(frozen=True)
class Progress:
    """Counts over the questions of an attempt; the index counts from 0 in the attempt's order."""

    current_question_index: int
    answered: int
    marked_for_review: int
    not_visited: int
    total_questions: int
    percentage: float
    time_spent: dict[str, int]


def of(attempt_id: UUID) -> Progress:
    """Return the progress of an attempt: two statements."""
    rows = _rows(attempt_id)
    answered = sum(row.response is not None for row in rows)
    visited = [row for row in rows if row.visited_at is not None]
    latest = max(visited, key=lambda row: row.visited_at, default=None)
    return Progress(
        current_question_index=latest.number - 1 if latest else 0,
        answered=answered,
        marked_for_review=sum(row.is_marked for row in rows),
        not_visited=len(rows) - len(visited),
        total_questions=len(rows),
        percentage=round(100 * answered / len(rows), 2) if rows else 0.0,
        time_spent=_time_spent(attempt_id, rows),
    )


def _time_spent(attempt_id: UUID, rows: list[Any]) -> dict[str, int]:
    """Seconds per question: as a program reported them, else from one look at a question to the next.

    The time of the question that is open now is counted once it is left.
    """
    reported = {str(row.question_id): row.time_spent_seconds for row in rows if row.time_spent_seconds}
    if reported:
        return reported
    seconds: Counter[int] = Counter()
    for (number, at), (_next, left_at) in pairwise(presence.way_through(attempt_id)):
        seconds[number] += round((left_at - at).total_seconds())
    return {str(row.question_id): seconds[row.number] for row in rows if seconds[row.number]}


def record(
    attempt_id: UUID,
    current_index: int,
    *,
    time_spent: dict[UUID, int],
    marked: list[UUID] | None,
    lease: int,
    by: Actor,
    now: datetime,
) -> None:
    """Record the question looked at, seconds per question (they only grow) and, if given, which ones are marked.

    Raises QuestionNotInAttempt, and what `answers.go` raises.
    """
    known = [row.question_id for row in _rows(attempt_id)]
    if not {*time_spent, *(marked or ())} <= set(known):
        raise QuestionNotInAttempt
    answers.go(attempt_id, lease=lease, by=by, now=now, to_number=current_index + 1)
    if time_spent or marked is not None:
        _note(attempt_id, time_spent, marked, lease)


@retried
def _note(attempt_id: UUID, time_spent: dict[UUID, int], marked: list[UUID] | None, lease: int) -> None:
    with transaction():
        running = db.session.execute(
            select(Attempt.id)
            .where(Attempt.id == attempt_id, Attempt.lease == lease, Attempt.status == AttemptStatus.IN_PROGRESS)
            .with_for_update(read=True)
        ).one_or_none()
        if running is None:
            return  # ended or taken over since the visit was recorded: nothing is left to note
        values: dict[str, Any] = {}
        if marked is not None:
            values["is_marked"] = Answer.question_id.in_(marked)
        if time_spent:
            # totals, not steps: sent twice or out of order they do no harm
            seconds = case(time_spent, value=Answer.question_id, else_=0)
            values["time_spent_seconds"] = case(
                (seconds > Answer.time_spent_seconds, seconds), else_=Answer.time_spent_seconds
            )
        db.session.execute(
            update(Answer)
            .where(Answer.attempt_id == attempt_id)
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def _rows(attempt_id: UUID) -> list[Any]:
    return list(
        db.session.execute(
            select(
                Answer.question_id,
                Answer.number,
                Answer.response,
                Answer.is_marked,
                Answer.visited_at,
                Answer.time_spent_seconds,
            )
            .where(Answer.attempt_id == attempt_id)
            .order_by(Answer.number)
        ).all()
    )
