"""Marking by the machine: objective types right after the hand-in; the rest waits for people."""

from __future__ import annotations

import logging
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, case, exists, func, or_, select, text, update

from kiosk.extensions import db, execute, transaction
from kiosk.ids import uuid7
from kiosk.models import Answer, Attempt, Pause, Result
from kiosk.prepared import Prepared, insert_into
from kiosk.services import _transitions, catalogue, finishing, shapes
from kiosk.services.audit import SYSTEM
from kiosk.services.catalogue import FrozenQuestion
from kiosk.services.finishing import Ended
from kiosk.states import ATTEMPT_MOVES, AttemptAction, AttemptStatus

log = logging.getLogger(__name__)

ZERO = Decimal(0)
BATCH = 500
WORDS_KEPT = 10_000
UNMARKED = (AttemptStatus.SUBMITTED, AttemptStatus.EXPIRED)
_attempts: Any = Attempt.__table__
# The marks of one attempt are one line of cells: the question with number 1 has the first 8 characters, and so on. A
# cell that begins with a blank is for people. So a statement takes a text for each attempt instead of 43 numbers.
CELL = 8
EMPTY = " " * CELL
_STORE_POSTGRESQL = Prepared(
    text(
        "UPDATE answers SET marks = CAST(trim(substr(new.line, 8 * number - 7, 8)) AS numeric) "
        "FROM unnest(CAST(:attempts AS uuid[]), CAST(:lines AS text[])) AS new (attempt_id, line) "
        "WHERE answers.attempt_id = new.attempt_id AND substr(new.line, 8 * number - 7, 1) <> ' '"
    )
)
_STORE_SQLITE = Prepared(
    text(
        "UPDATE answers SET marks = CAST(substr(:line, 8 * number - 7, 8) AS numeric) "
        "WHERE attempt_id = :attempt AND substr(:line, 8 * number - 7, 1) <> ' '"
    )
)
_STRAY_STOP = re.compile(r"(?<!\d)\.|\.(?!\d)")


@dataclass(frozen=True)
class Score:
    """What the machine could mark: points, out of how many, and whether people have nothing left to mark."""

    score: Decimal
    max_score: Decimal
    is_final: bool


class Mark(NamedTuple):
    """What the machine gave for one answer: None where a person has to judge; and its cell in the line."""

    mark: Decimal | None
    most: Decimal
    cell: str


class Sheet(NamedTuple):
    """The marks of one attempt: as a line, and their sum unless people have something left to mark."""

    line: str
    score: Score | None


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
            marks = {row.number: _judge(row.question_id, row.response, row.option_order) for row in ended.answers}
            _mark({attempt_id: _sheet(marks)}, ended.status, now, only_version=ended.version)
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
        answers, judged = finishing.raw_answers([row.id for row in rows]), _Judged()
        for status in UNMARKED:
            ended = [row.id for row in rows if row.status == status]
            _mark({i: _sheet(dict(enumerate([judged[raw] for raw in answers[i]], 1))) for i in ended}, status, now)
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
    given = [(row.marks, _question(row.question_id).marks) for row in rows if row.marks is not None]
    return _score(given, is_final=len(given) == len(rows))


def _handed_in(attempt_id: UUID) -> Ended:
    row = db.session.execute(select(Attempt.status, Attempt.version).where(Attempt.id == attempt_id)).one()
    return Ended(AttemptStatus(row.status), row.version, finishing.answers_of(attempt_id))


def _mark(sheets: dict[UUID, Sheet], status: AttemptStatus, now: datetime, *, only_version: int | None = None) -> None:
    """Mark attempts that all ended in the same way, in the same few statements however many there are."""
    scores = {attempt_id: sheet.score for attempt_id, sheet in sheets.items() if sheet.score is not None}
    # compare-and-set: of two sweepers one marks
    complete = _complete(list(scores), status, now, only_version)
    noted = _note_marked([one for one in sheets if one not in scores], status, now, only_version)
    _store({attempt_id: sheets[attempt_id].line for attempt_id in complete + noted})
    _add_results({attempt_id: scores[attempt_id] for attempt_id in complete}, now)


class _Judged(dict[str, Mark]):
    """The marks of a raw answer, found once for all of a batch who gave the same."""

    def __missing__(self, raw: str) -> Mark:
        self[raw] = made = _judge(*finishing.read_answer(raw))
        return made


def _judge(question_id: UUID, response: Any, option_order: str) -> Mark:
    question = _question(question_id)
    mark = machine_marks(question, response, option_order)
    return Mark(mark, question.marks, EMPTY if mark is None else str(mark).ljust(CELL))


def _sheet(marks: dict[int, Mark]) -> Sheet:
    """Put together the marks of one attempt, by the numbers of its questions."""
    cells = [marks[number].cell if number in marks else EMPTY for number in range(1, max(marks, default=0) + 1)]
    given = [(one.mark, one.most) for one in marks.values() if one.mark is not None]
    return Sheet("".join(cells), _score(given, is_final=True) if len(given) == len(marks) else None)


def _score(given: list[tuple[Decimal, Decimal]], *, is_final: bool) -> Score:
    return Score(sum((mark for mark, _ in given), ZERO), sum((most for _, most in given), ZERO), is_final)


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


def _store(lines: dict[UUID, str]) -> None:
    """Write the marks of many answers in one statement. What waits for people has none and keeps none."""
    if not lines:
        return
    if db.engine.dialect.name == "postgresql":
        execute(_STORE_POSTGRESQL, {"attempts": list(lines), "lines": list(lines.values())})
        return
    execute(_STORE_SQLITE, [{"attempt": attempt_id.hex, "line": line} for attempt_id, line in lines.items()])


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
def _result() -> Prepared:
    # one more than the versions that were withdrawn when the attempt was reopened. That left a pause; who has none
    # is spared the search, which reads the whole table: only current results are in its index
    newest = select(func.max(Result.version)).where(Result.attempt_id == bindparam("b_attempt")).scalar_subquery()
    was_paused = exists().where(Pause.attempt_id == bindparam("b_attempt"))
    version = case((was_paused, func.coalesce(newest, 0) + 1), else_=1)
    return insert_into(Result.__table__, ("id", "attempt_id", "score", "max_score", "computed_at"), version=version)


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
