"""The statements of the hot path: saving an answer and opening a question. Each is built once, with parameters.

Built anew for each call they cost more than the database does: SQLAlchemy keys and compiles a statement once for each
object (ADR 4). Tables instead of classes: nothing here needs an ORM's unit of work.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import CTE, BigInteger, Boolean, Integer, Uuid, case, exists, func, insert, or_, select, update
from sqlalchemy.sql.expression import bindparam

from kiosk.models import Answer, AnswerSave, Attempt, Candidate
from kiosk.models.types import Json, UtcDateTime
from kiosk.prepared import Prepared
from kiosk.states import AttemptStatus

_answers: Any = Answer.__table__
_saves: Any = AnswerSave.__table__
_attempts: Any = Attempt.__table__
_candidates: Any = Candidate.__table__

# what a question is drawn from
QUESTION = tuple(
    _answers.c[name]
    for name in ("number", "question_id", "part", "option_order", "response", "seq", "is_marked", "visited_at")
)


def deadline() -> Any:
    """The deadline of an answer's attempt: RETURNING knows no other table on SQLite, a subquery is the same on both."""
    own = select(_attempts.c.deadline_at).where(_attempts.c.id == _answers.c.attempt_id)
    return own.scalar_subquery().label("deadline_at")


@cache
def save(*, asks_epoch: bool, is_text: bool) -> Prepared:
    """PostgreSQL: the answer and its history in one statement; the new `seq`, number, mark and deadline come back."""
    changed = _change(asks_epoch=asks_epoch).cte("changed")
    kept = (
        insert(_saves).from_select(_HISTORY, _history(changed.c.seq, is_text=is_text).select_from(changed)).cte("kept")
    )
    return Prepared(select(changed).add_cte(kept))


@cache
def change(*, asks_epoch: bool) -> Prepared:
    """The answer alone, as SQLite needs it."""
    return Prepared(_change(asks_epoch=asks_epoch))


@cache
def keep(*, is_text: bool) -> Prepared:
    """The history alone: with `p_stored_seq`, what `change` returned."""
    return Prepared(insert(_saves).from_select(_HISTORY, _history(_given("p_stored_seq", BigInteger), is_text=is_text)))


@cache
def move(*, asks_epoch: bool) -> Prepared:
    """The visit of question `p_to`, the mark of `p_marked_number` (0: none), and both questions as they are then."""
    running = _running(asks_epoch=asks_epoch)
    to, left = _given("p_to", Integer), _given("p_left", Integer)
    moved = (
        update(_answers)
        .where(_answers.c.attempt_id == running.c.id, or_(_answers.c.number == to, _answers.c.number == left))
        .values(
            is_marked=case(
                (_answers.c.number == _given("p_marked_number", Integer), _given("p_marked", Boolean)),
                else_=_answers.c.is_marked,
            ),
            visited_at=case((_answers.c.number == to, _given("p_now", UtcDateTime)), else_=_answers.c.visited_at),
        )
        .returning(*QUESTION, deadline())
    )
    return Prepared(moved)


_HISTORY = ("attempt_id", "question_id", "seq", "response", "arrived_at", "lease", "is_counted", "refusal")


def _given(name: str, kind: Any) -> Any:
    return bindparam(name, type_=kind)


def _running(*, asks_epoch: bool) -> CTE:
    """The attempt if it may be written to; locked, so that no save slips in behind a hand-in or a reset.

    With an epoch the candidate's sign-in is asked by the way whether it still holds.
    """
    owner = _given("p_candidate", Uuid)
    if asks_epoch:
        holds = (
            _candidates.c.id == owner,
            _candidates.c.session_epoch == _given("p_epoch", Integer),
            _candidates.c.archived_at.is_(None),
        )
        owner = select(_candidates.c.id).where(*holds).scalar_subquery()
    return (
        select(_attempts.c.id)
        .where(
            _attempts.c.id == _given("p_attempt", Uuid),
            _attempts.c.candidate_id == owner,
            _attempts.c.lease == _given("p_lease", BigInteger),
            _attempts.c.status == AttemptStatus.IN_PROGRESS,
            _attempts.c.deadline_at >= _given("p_not_before", UtcDateTime),
        )
        .with_for_update(read=True, of=_attempts)
        .cte("running")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )


def _change(*, asks_epoch: bool) -> Any:
    running = _running(asks_epoch=asks_epoch)
    now = _given("p_now", UtcDateTime)
    return (
        update(_answers)
        .where(
            _answers.c.attempt_id == running.c.id,
            _answers.c.question_id == _given("p_question", Uuid),
            _answers.c.seq < _given("p_below", BigInteger),
        )
        .values(
            response=_given("p_response", Json),
            seq=func.coalesce(_given("p_seq", BigInteger), _answers.c.seq + 1),
            saved_at=now,
            visited_at=func.coalesce(_answers.c.visited_at, now),
        )
        .returning(_answers.c.seq, _answers.c.number, _answers.c.is_marked, deadline())
    )


def _history(seq: Any, *, is_text: bool) -> Any:
    """One row of history; of a text being written at most one in 15 s (`p_lately`)."""
    attempt, question = _given("p_attempt", Uuid), _given("p_question", Uuid)
    row = select(
        attempt.label("attempt_id"),
        question.label("question_id"),
        seq,
        _given("p_response", Json).label("response"),
        _given("p_now", UtcDateTime).label("arrived_at"),
        _given("p_lease", BigInteger).label("lease"),
        _given("p_counted", Boolean).label("is_counted"),
        _given("p_refusal", _saves.c.refusal.type).label("refusal"),
    )
    if not is_text:
        return row
    lately = exists().where(
        _saves.c.attempt_id == attempt,
        _saves.c.question_id == question,
        _saves.c.is_counted,
        _saves.c.arrived_at > _given("p_lately", UtcDateTime),
    )
    return row.where(~lately)
