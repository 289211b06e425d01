"""Answers: saving one, and moving from question to question. The hot path: counted statements, no ORM."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, exists, insert, null, select, update
from sqlalchemy.sql.expression import bindparam

from kiosk.errors import (
    BadInput,
    KioskError,
    NotAllowed,
    NotFound,
    QuestionNotInAttempt,
    SeqReused,
)
from kiosk.extensions import db, retried, transaction
from kiosk.models import Answer, AnswerSave, Attempt
from kiosk.models.types import Json
from kiosk.services import catalogue, presence, responses, shapes, write_access
from kiosk.services.audit import Actor
from kiosk.services.screens import Cell, CellState, QuestionView

LARGEST_SEQ = 2**53
TEXT_HISTORY_SECONDS = 15


@dataclass(frozen=True)
class SavedAnswer:
    """What became of a save. Not `saved`: a newer one was there; `seq` and `response` are the stored ones."""

    saved: bool
    seq: int
    response: Any
    saved_at: datetime
    number: int
    state: CellState
    remaining_ms: int


@dataclass(frozen=True)
class Swap:
    """The question moved to, and the palette cells that changed on the way."""

    question: QuestionView
    left: Cell | None
    here: Cell
    remaining_ms: int


@retried
def save(
    attempt_id: UUID, question_id: UUID, response: Any, *, seq: int | None, lease: int, by: Actor, now: datetime
) -> SavedAnswer:
    """Store a response; `now` is when the request arrived. An older `seq` never overwrites a newer one.

    Raises BadInput (seq), BadResponse, QuestionNotInAttempt, TimeOver, AttemptNotRunning, OpenedElsewhere,
    SeqReused, NotAllowed, NotFound, SignedOut. A refused save of the candidate's own attempt is kept as not counted.
    """
    if seq is not None and (isinstance(seq, bool) or not isinstance(seq, int) or not 1 <= seq <= LARGEST_SEQ):
        raise BadInput(problem="seq must be a whole number from 1 to 2^53")
    question = catalogue.question(question_id)
    if question is None:
        raise QuestionNotInAttempt
    response = responses.checked(question, response)
    row = _store(
        attempt_id, question_id, response, seq, lease, by, now, is_text=question.question_type in responses.TEXT_TYPES
    )
    if row is not None:
        presence.seen(attempt_id, now=now)
        return SavedAnswer(
            True,
            row.seq,
            response,
            now,
            row.number,
            shapes.cell_state(response, row.is_marked, True),
            shapes.remaining_ms(row.deadline_at, now),
        )
    return _not_stored(attempt_id, question_id, response, seq, lease, by, now)


@retried
def go(
    attempt_id: UUID,
    *,
    lease: int,
    by: Actor,
    now: datetime,
    to_number: int,
    left_number: int | None = None,
    marked: bool | None = None,
    language: str = "en",
) -> Swap:
    """Move to question `to_number`: one statement records the visit, and the mark on the question left.

    Raises QuestionNotInAttempt, TimeOver, AttemptNotRunning, OpenedElsewhere, NotAllowed, NotFound.
    """
    left_number = left_number or to_number
    marks = case((Answer.number == left_number, bool(marked)), else_=Answer.is_marked)
    running = write_access.running(attempt_id, lease, by, now, within=timedelta(0))
    with transaction():
        rows = db.session.execute(
            update(Answer)
            .where(Answer.attempt_id == running.c.id, Answer.number.in_({left_number, to_number}))
            .values(
                is_marked=Answer.is_marked if marked is None else marks,
                visited_at=case((Answer.number == to_number, now), else_=Answer.visited_at),
            )
            .returning(*_ANSWER_COLUMNS, _deadline())
            .execution_options(synchronize_session=False)
        ).all()
    by_number = {row.number: row for row in rows}
    if to_number not in by_number:
        raise write_access.why_not(attempt_id, lease, by, now, within=timedelta(0)) or QuestionNotInAttempt()
    presence.visited(attempt_id, to_number, now=now)
    here = by_number[to_number]
    left = by_number.get(left_number) if left_number != to_number else None
    return Swap(
        question=shapes.question_view(here, language),
        left=shapes.cell(left, is_current=False) if left else None,
        here=shapes.cell(here, is_current=True),
        remaining_ms=shapes.remaining_ms(here.deadline_at, now),
    )


_ANSWER_COLUMNS = (
    Answer.number,
    Answer.question_id,
    Answer.part,
    Answer.option_order,
    Answer.response,
    Answer.seq,
    Answer.is_marked,
    Answer.visited_at,
)


def _deadline() -> Any:
    # RETURNING knows no other table on SQLite; a scalar subquery is the same on both
    return select(Attempt.deadline_at).where(Attempt.id == Answer.attempt_id).scalar_subquery().label("deadline_at")


def _store(
    attempt_id: UUID,
    question_id: UUID,
    response: Any,
    seq: int | None,
    lease: int,
    by: Actor,
    now: datetime,
    *,
    is_text: bool,
) -> Any:
    running = write_access.running(attempt_id, lease, by, now, within=write_access.grace())
    changed = (
        update(Answer)
        .where(
            Answer.attempt_id == running.c.id,
            Answer.question_id == question_id,
            Answer.seq < (LARGEST_SEQ if seq is None else seq),
        )
        .values(
            response=bindparam("response", response, type_=Json) if response is not None else null(),
            seq=Answer.seq + 1 if seq is None else seq,
            saved_at=now,
            visited_at=case((Answer.visited_at.is_(None), now), else_=Answer.visited_at),
        )
        .returning(Answer.seq, Answer.number, Answer.is_marked, _deadline())
        .execution_options(synchronize_session=False)
    )
    history = {
        "attempt_id": attempt_id,
        "question_id": question_id,
        "response": response,
        "arrived_at": now,
        "lease": lease,
    }
    with transaction():
        row = db.session.execute(changed).one_or_none()
        if row is not None:
            _keep(history | {"seq": row.seq}, is_text=is_text)
    return row


def _keep(history: dict[str, Any], *, is_text: bool) -> None:
    """Append to the history; of a text being written at most one row in 15 s."""
    columns = {**history, "is_counted": True, "refusal": None}
    values: Select[Any] = select(
        *(bindparam(f"h_{name}", value, type_=AnswerSave.__table__.c[name].type) for name, value in columns.items())
    )
    if is_text:
        lately = history["arrived_at"] - timedelta(seconds=TEXT_HISTORY_SECONDS)
        values = values.where(
            ~exists().where(
                AnswerSave.attempt_id == history["attempt_id"],
                AnswerSave.question_id == history["question_id"],
                AnswerSave.is_counted,
                AnswerSave.arrived_at > lately,
            )
        )
    db.session.execute(insert(AnswerSave).from_select(list(columns), values))


def _not_stored(
    attempt_id: UUID, question_id: UUID, response: Any, seq: int | None, lease: int, by: Actor, now: datetime
) -> SavedAnswer:
    """No row was changed: ask once why. Either the save is old news, or it is refused and kept as evidence."""
    refusal = write_access.why_not(attempt_id, lease, by, now, within=write_access.grace())
    stored = db.session.execute(
        select(*_ANSWER_COLUMNS, Answer.saved_at, _deadline()).where(
            Answer.attempt_id == attempt_id, Answer.question_id == question_id
        )
    ).one_or_none()
    if stored is None and not isinstance(refusal, NotFound | NotAllowed):
        raise QuestionNotInAttempt
    if refusal is not None:
        if not isinstance(refusal, NotFound | NotAllowed):
            _keep_refused(attempt_id, question_id, response, seq or 0, lease, now, refusal)
        raise refusal
    assert stored is not None
    if seq is None:
        raise SeqReused  # the question's numbers are used up
    if stored.seq == seq and stored.response != response:
        raise SeqReused
    return SavedAnswer(
        stored.seq == seq,
        stored.seq,
        stored.response,
        stored.saved_at or now,
        stored.number,
        shapes.cell_state(stored.response, stored.is_marked, True),
        shapes.remaining_ms(stored.deadline_at, now),
    )


def _keep_refused(
    attempt_id: UUID, question_id: UUID, response: Any, seq: int, lease: int, now: datetime, refusal: KioskError
) -> None:
    row = {"attempt_id": attempt_id, "question_id": question_id, "seq": seq, "response": response, "arrived_at": now}
    with transaction():
        db.session.execute(insert(AnswerSave), [row | {"lease": lease, "is_counted": False, "refusal": refusal.code}])
