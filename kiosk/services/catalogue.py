"""Published questions, read once per process: a published set never changes, so nothing here can be stale."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from kiosk.extensions import db
from kiosk.models import Part, Question, QuestionSet

SETS_KEPT = 256
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class FrozenQuestion:
    """A question of a published set, with the word limits of its part."""

    id: UUID
    set_id: UUID
    part: str
    number: int
    question_type: str
    text: str
    text_hi: str | None
    options: tuple[dict[str, str], ...]
    answer: Any
    marks: Decimal
    negative_marks: Decimal
    min_words: int | None
    max_words: int | None

    @property
    def letters(self) -> str:
        """The letters under which options are shown and answered: A, B, C … as many as there are."""
        return LETTERS[: len(self.options)]


_sets: OrderedDict[UUID, dict[UUID, FrozenQuestion]] = OrderedDict()
_by_id: dict[UUID, FrozenQuestion] = {}


def question(question_id: UUID) -> FrozenQuestion | None:
    """Return a question of a published set, None if there is none with this id."""
    known = _by_id.get(question_id)
    if known is not None:
        return known
    set_id = db.session.execute(select(Question.question_set_id).where(Question.id == question_id)).scalar_one_or_none()
    return questions_of(set_id).get(question_id) if set_id else None


def questions_of(set_id: UUID) -> dict[UUID, FrozenQuestion]:
    """Return the questions of a published set by id, in the set's order."""
    known = _sets.get(set_id)
    if known is None:
        known = _load(set_id)
        if not known:
            return known
        _sets[set_id] = known
        _by_id.update(known)
        while len(_sets) > SETS_KEPT:
            for question_id in _sets.popitem(last=False)[1]:
                _by_id.pop(question_id, None)
    return known


def _load(set_id: UUID) -> dict[UUID, FrozenQuestion]:
    rows = db.session.execute(
        select(Question, Part.min_words, Part.max_words)
        .join(QuestionSet, QuestionSet.id == Question.question_set_id)
        .outerjoin(Part, (Part.paper_id == QuestionSet.paper_id) & (Part.letter == Question.part))
        .where(QuestionSet.id == set_id, QuestionSet.status != "draft")
        .order_by(Question.number)
    ).all()
    return {row.Question.id: _frozen(row.Question, row.min_words, row.max_words) for row in rows}


def _frozen(row: Question, min_words: int | None, max_words: int | None) -> FrozenQuestion:
    return FrozenQuestion(
        id=row.id,
        set_id=row.question_set_id,
        part=row.part,
        number=row.number,
        question_type=row.question_type,
        text=row.text,
        text_hi=row.text_hi,
        options=tuple(row.options or ()),
        answer=row.answer,
        marks=row.marks,
        negative_marks=row.negative_marks,
        min_words=min_words,
        max_words=max_words,
    )
