"""Answers: saving one, and moving from question to question. The hot path: counted statements, no ORM."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from kiosk.errors import (
    BadInput,
    KioskError,
    NotAllowed,
    NotFound,
    QuestionNotInAttempt,
    SeqReused,
)
from kiosk.extensions import db, retried, transaction
from kiosk.models import Answer, AnswerSave
from kiosk.services import catalogue, hot_statements, presence, responses, shapes, write_access
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
    chosen = write_access.parameters(attempt_id, lease, by, now, within=timedelta(0)) | {
        "p_to": to_number,
        "p_left": left_number,
        "p_marked_number": 0 if marked is None else left_number,
        "p_marked": bool(marked),
    }
    with transaction(is_one_statement=True) as connection:
        rows = hot_statements.move(asks_epoch=by.epoch is not None).run(connection, chosen)
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
    asks_epoch = by.epoch is not None
    given = write_access.parameters(attempt_id, lease, by, now, within=write_access.grace()) | {
        "p_question": question_id,
        "p_response": response,
        "p_seq": seq,
        "p_below": LARGEST_SEQ if seq is None else seq,
        "p_lately": now - timedelta(seconds=TEXT_HISTORY_SECONDS),
        "p_counted": True,
        "p_refusal": None,
    }
    with transaction(is_one_statement=True) as connection:
        if connection.dialect.name == "postgresql":
            return hot_statements.save(asks_epoch=asks_epoch, is_text=is_text).run(connection, given).one_or_none()
        row = hot_statements.change(asks_epoch=asks_epoch).run(connection, given).one_or_none()
        if row is not None:
            hot_statements.keep(is_text=is_text).run(connection, given | {"p_stored_seq": row.seq})
    return row


def _not_stored(
    attempt_id: UUID, question_id: UUID, response: Any, seq: int | None, lease: int, by: Actor, now: datetime
) -> SavedAnswer:
    """No row was changed: ask once why. Either the save is old news, or it is refused and kept as evidence."""
    refusal = write_access.why_not(attempt_id, lease, by, now, within=write_access.grace())
    stored = db.session.execute(
        select(*hot_statements.QUESTION, Answer.saved_at, hot_statements.deadline()).where(
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
