"""Marking by the machine: objective types right after the hand-in; the rest waits for people."""

from __future__ import annotations

import json
import logging
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, case, exists, func, insert, or_, select, text, update

from kiosk.extensions import db, execute, transaction
from kiosk.ids import uuid7
from kiosk.models import Answer, Attempt, Pause, Result
from kiosk.services import _transitions, catalogue, finishing, shapes
from kiosk.services.audit import SYSTEM
from kiosk.services.catalogue import FrozenQuestion
from kiosk.services.finishing import Ended
from kiosk.states import ATTEMPT_MOVES, AttemptAction, AttemptStatus

log = logging.getLogger(__name__)

ZERO = Decimal(0)
BATCH = 200
WORDS_KEPT = 10_000
UNMARKED = (AttemptStatus.SUBMITTED, AttemptStatus.EXPIRED)
_attempts: Any = Attempt.__table__
_STORE_POSTGRESQL = text(
    "UPDATE answers SET marks = new.marks FROM unnest(CAST(:attempts AS uuid[]), CAST(:questions AS uuid[]), "
    "CAST(:marks AS numeric[])) AS new (attempt_id, question_id, marks) "
    "WHERE answers.attempt_id = new.attempt_id AND answers.question_id = new.question_id"
)
_STORE_SQLITE = text(
    "UPDATE answers SET marks = new.marks FROM (SELECT value ->> 0 AS attempt_id, value ->> 1 AS question_id, "
    "value ->> 2 AS marks FROM json_each(:rows)) AS new "
    "WHERE answers.attempt_id = new.attempt_id AND answers.question_id = new.question_id"
)
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
            ended = ended or _handed_in(attempt_id)
            # reopened and ended again meanwhile, these are not the answers that were handed in last
            _mark({attempt_id: ended}, now, only_version=ended.version)
    except Exception as error:
        finishing.push_back(attempt_id, error, now=now)


def mark_waiting(*, now: datetime) -> None:
    """Mark all that waits, a batch in a transaction. Never raises: what fails is marked one by one."""
    while ids := waiting(now=now, most=BATCH):
        try:
            marked = _mark_batch(ids, now)
        except Exception as error:
            log.warning("batch marked one by one: %s", error)
            marked = len(ids)
            for attempt_id in ids:
                mark_now(attempt_id, now=now)
        if len(ids) < BATCH or not marked:
            break


def _mark_batch(attempt_ids: list[UUID], now: datetime) -> int:
    """Mark what still waits among these; what another sweeper holds is left to it. Return how many."""
    with transaction():
        rows = db.session.execute(
            select(Attempt.id, Attempt.status, Attempt.version)
            .where(Attempt.id.in_(attempt_ids), Attempt.status.in_(UNMARKED), Attempt.marked_at.is_(None))
            .with_for_update(key_share=True, skip_locked=True)
        ).all()
        answers = finishing.answers_of_many([row.id for row in rows])
        batch = {row.id: Ended(AttemptStatus(row.status), row.version, answers[row.id]) for row in rows}
        for status in UNMARKED:
            _mark({i: ended for i, ended in batch.items() if ended.status == status}, now)
    return len(rows)


def waiting(*, now: datetime, most: int = 200) -> list[UUID]:
    """Return handed-in attempts that the machine has not marked yet."""
    return list(
        db.session.execute(
            select(Attempt.id)
            .where(
                Attempt.status.in_(UNMARKED),
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


def _mark(batch: dict[UUID, Ended], now: datetime, *, only_version: int | None = None) -> None:
    """Mark attempts that all ended in the same way, in the same few statements however many there are."""
    if not batch:
        return
    status = next(iter(batch.values())).status
    marks = {attempt_id: _marks(ended) for attempt_id, ended in batch.items()}
    scores = {attempt_id: _sum(found) for attempt_id, found in marks.items()}
    final = [attempt_id for attempt_id, score in scores.items() if score.is_final]
    # compare-and-set: of two sweepers one marks
    complete = _complete(final, status, now, only_version)
    noted = _note_marked([i for i in batch if not scores[i].is_final], status, now, only_version)
    _store([(attempt_id, *one) for attempt_id in complete + noted for one in marks[attempt_id]])
    _add_results({attempt_id: scores[attempt_id] for attempt_id in complete}, now)


def _marks(ended: Ended) -> list[tuple[UUID, Decimal | None]]:
    return [
        (row.question_id, machine_marks(_question(row.question_id), row.response, row.option_order))
        for row in ended.answers
    ]


def _complete(attempt_ids: list[UUID], status: AttemptStatus, now: datetime, only_version: int | None) -> list[UUID]:
    if not attempt_ids or (status, AttemptAction.COMPLETE) not in ATTEMPT_MOVES:
        return []
    moved = _transitions.move_attempts(
        attempt_ids,
        AttemptAction.COMPLETE,
        by=SYSTEM,
        now=now,
        only_from=status,
        only_version=only_version,
        marked_at=now,
    )
    return [row.id for row in moved]


def _note_marked(attempt_ids: list[UUID], status: AttemptStatus, now: datetime, only_version: int | None) -> list[UUID]:
    """What is left is for people: the attempt stays as it was handed in."""
    if not attempt_ids:
        return []
    given = {"p_ids": attempt_ids, "p_status": status, "p_version": only_version, "p_now": now}
    return list(execute(_marked(is_same=only_version is not None), given).scalars())


def _store(rows: list[tuple[UUID, UUID, Decimal | None]]) -> None:
    """Write the marks of many answers in one statement."""
    if not rows:
        return
    if db.engine.dialect.name == "postgresql":
        attempt_ids, question_ids, marks = (list(column) for column in zip(*rows, strict=True))
        execute(_STORE_POSTGRESQL, {"attempts": attempt_ids, "questions": question_ids, "marks": marks})
        return
    plain = [[one.hex, question_id.hex, None if mark is None else float(mark)] for one, question_id, mark in rows]
    execute(_STORE_SQLITE, {"rows": json.dumps(plain)})


def _add_results(scores: dict[UUID, Score], now: datetime) -> None:
    if not scores:
        return
    execute(
        _result(),
        [
            {"id": uuid7(), "attempt_id": attempt_id, "b_attempt": attempt_id, "computed_at": now}
            | {"score": score.score, "max_score": score.max_score}
            for attempt_id, score in scores.items()
        ],
    )


@cache
def _result() -> Any:
    # one more than the versions that were withdrawn when the attempt was reopened. That left a pause; who has none
    # is spared the search, which reads the whole table: only current results are in its index
    newest = select(func.max(Result.version)).where(Result.attempt_id == bindparam("b_attempt")).scalar_subquery()
    was_paused = exists().where(Pause.attempt_id == bindparam("b_attempt"))
    return insert(Result).values(version=case((was_paused, func.coalesce(newest, 0) + 1), else_=1))


@cache
def _marked(*, is_same: bool) -> Any:
    noted = update(_attempts).where(
        _attempts.c.id.in_(bindparam("p_ids", expanding=True)),
        _attempts.c.status == bindparam("p_status", type_=_attempts.c.status.type),
        _attempts.c.marked_at.is_(None),
    )
    if is_same:
        noted = noted.where(_attempts.c.version == bindparam("p_version"))
    return noted.values(marked_at=bindparam("p_now", type_=_attempts.c.marked_at.type)).returning(_attempts.c.id)


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
        return True if _folded(response) in {_form(word) for word in key} else None
    return None


@lru_cache(WORDS_KEPT)
def _form(word: str) -> str:
    """One of the words of a key, which comes again with every candidate."""
    return _folded(word)


def _folded(text: str) -> str:
    """Fold case, white space and punctuation away, but not what changes a value: 12.5 is not 125, -3 is not 3."""
    normal = unicodedata.normalize("NFKC", text).casefold()
    # Devanagari vowel signs are marks (M), not punctuation
    return "".join(char for char in _STRAY_STOP.sub("", normal) if _counts(char))


def _counts(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNM" or char in "+-.°%"
