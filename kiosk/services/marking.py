"""Marking by the machine: objective types right after the hand-in; the rest waits for people."""

from __future__ import annotations

import logging
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, insert, or_, select, update

from kiosk.extensions import db, transaction
from kiosk.ids import uuid7
from kiosk.models import Answer, Attempt, Result
from kiosk.services import _transitions, catalogue, finishing, shapes
from kiosk.services.audit import SYSTEM
from kiosk.services.catalogue import FrozenQuestion
from kiosk.services.finishing import Ended
from kiosk.states import ATTEMPT_MOVES, AttemptAction, AttemptStatus

log = logging.getLogger(__name__)

ZERO = Decimal(0)
BATCH = 100
_STRAY_STOP = re.compile(r"(?<!\d)\.|\.(?!\d)")


@dataclass(frozen=True)
class Score:
    """What the machine could mark: points, out of how many, and whether people have nothing left to mark."""

    score: Decimal
    max_score: Decimal
    is_final: bool


def machine_marks(question: FrozenQuestion, response: Any, option_order: str) -> Decimal | None:
    """Return the marks of one response; None where a person has to judge. No response is worth nothing."""
    if response is None:
        return ZERO
    right = _is_right(question, response, option_order)
    if right is None:
        return None
    return question.marks if right else -question.negative_marks


def mark_now(attempt_id: UUID, *, now: datetime, ended: Ended | None = None) -> None:
    """Mark a handed-in attempt in a transaction of its own. Never raises: the sweeper tries again.

    `ended` spares reading again what was just handed in; it can't have changed since.
    """
    try:
        with transaction():
            _mark(attempt_id, ended or _handed_in(attempt_id), now)
    except Exception as error:
        finishing.push_back(attempt_id, error, now=now)


def mark_many(ended: dict[UUID, Ended], *, now: datetime) -> None:
    """Mark many handed-in attempts, a hundred in a transaction. Never raises: what fails is marked one by one."""
    items = list(ended.items())
    for start in range(0, len(items), BATCH):
        batch = items[start : start + BATCH]
        try:
            with transaction():
                for attempt_id, one in batch:
                    _mark(attempt_id, one, now)
        except Exception as error:
            log.warning("batch marked one by one: %s", error)
            for attempt_id, one in batch:
                mark_now(attempt_id, now=now, ended=one)


def waiting(*, now: datetime, most: int = 200) -> list[UUID]:
    """Return handed-in attempts that the machine has not marked yet."""
    return list(
        db.session.execute(
            select(Attempt.id)
            .where(
                Attempt.status.in_((AttemptStatus.SUBMITTED, AttemptStatus.EXPIRED)),
                Attempt.marked_at.is_(None),
                or_(Attempt.retry_at.is_(None), Attempt.retry_at <= now),
            )
            .limit(most)
        ).scalars()
    )


def score_of(attempt_id: UUID) -> Score:
    """Return the sum of the marks so far; the maximum counts what has been marked."""
    rows = db.session.execute(select(Answer.question_id, Answer.marks).where(Answer.attempt_id == attempt_id)).all()
    return _sum([(row.question_id, row.marks) for row in rows])


def _handed_in(attempt_id: UUID) -> Ended:
    row = db.session.execute(select(Attempt.status, Attempt.version).where(Attempt.id == attempt_id)).one()
    return Ended(AttemptStatus(row.status), row.version, finishing.answers_of(attempt_id))


def _mark(attempt_id: UUID, ended: Ended, now: datetime) -> None:
    marks = [
        (row.question_id, machine_marks(_question(row.question_id), row.response, row.option_order))
        for row in ended.answers
    ]
    score = _sum(marks)
    # compare-and-set: of two sweepers one marks
    if not (_complete if score.is_final else _note_marked)(attempt_id, ended, now):
        return
    _store(attempt_id, marks)
    if score.is_final:
        # one more than the versions that were withdrawn when the attempt was reopened
        newest = select(func.coalesce(func.max(Result.version), 0)).where(Result.attempt_id == attempt_id)
        row = {"id": uuid7(), "attempt_id": attempt_id, "version": newest.scalar_subquery() + 1, "computed_at": now}
        db.session.execute(insert(Result).values(row | {"score": score.score, "max_score": score.max_score}))


def _complete(attempt_id: UUID, ended: Ended, now: datetime) -> bool:
    if (ended.status, AttemptAction.COMPLETE) not in ATTEMPT_MOVES:
        return False
    moved = _transitions.move_attempts(
        [attempt_id],
        AttemptAction.COMPLETE,
        by=SYSTEM,
        now=now,
        only_from=ended.status,
        # reopened and ended again meanwhile, these are not the answers that were handed in last
        only_version=ended.version,
        marked_at=now,
    )
    return bool(moved)


def _note_marked(attempt_id: UUID, ended: Ended, now: datetime) -> bool:
    """What is left is for people: the attempt stays as it was handed in."""
    noted = db.session.execute(
        update(Attempt)
        .where(
            Attempt.id == attempt_id,
            Attempt.status == ended.status,
            Attempt.version == ended.version,
            Attempt.marked_at.is_(None),
        )
        .values(marked_at=now)
        .returning(Attempt.id)
        .execution_options(synchronize_session=False)
    ).first()
    return noted is not None


def _store(attempt_id: UUID, marks: list[tuple[UUID, Decimal | None]]) -> None:
    table = Answer.__table__
    db.session.connection().execute(
        table.update()  # type: ignore[attr-defined]
        .where(table.c.attempt_id == attempt_id, table.c.question_id == bindparam("b_question_id"))
        .values(marks=bindparam("b_marks")),
        [{"b_question_id": question_id, "b_marks": mark} for question_id, mark in marks],
    )


def _sum(marks: list[tuple[UUID, Decimal | None]]) -> Score:
    given = [(question_id, mark) for question_id, mark in marks if mark is not None]
    return Score(
        score=sum((mark for _, mark in given), ZERO),
        max_score=sum((_question(question_id).marks for question_id, _ in given), ZERO),
        is_final=len(given) == len(marks),
    )


def _question(question_id: UUID) -> FrozenQuestion:
    question = catalogue.question(question_id)
    if question is None:
        raise LookupError(f"question {question_id} is gone")
    return question


def _is_right(question: FrozenQuestion, response: Any, option_order: str) -> bool | None:
    """Whether a response is right; None where only a person can tell."""
    kind, key = question.question_type, question.answer
    if kind == "single":
        return shapes.own_keys([response], option_order) == {key}
    if kind == "multiple":
        return shapes.own_keys(response, option_order) == set(key)
    if kind == "true_false":
        return response is key
    if kind == "numeric":
        off = abs(Decimal(str(response)) - Decimal(str(key["value"])))
        return off <= Decimal(str(key.get("tolerance", 0)))
    if kind == "fill":
        return True if _folded(response) in {_folded(form) for form in key} else None
    return None


def _folded(text: str) -> str:
    """Fold case, white space and punctuation away, but not what changes a value: 12.5 is not 125, -3 is not 3."""
    normal = unicodedata.normalize("NFKC", text).casefold()
    # Devanagari vowel signs are marks (M), not punctuation
    return "".join(char for char in _STRAY_STOP.sub("", normal) if _counts(char))


def _counts(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNM" or char in "+-.°%"
