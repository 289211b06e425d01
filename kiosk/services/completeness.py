"""Is a question set complete: part by part what it has and what its paper demands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, select

from kiosk.errors import NotFound
from kiosk.extensions import db
from kiosk.models import Part, Question, QuestionSet


@dataclass(frozen=True)
class PartCount:
    """How many questions of a part a set has, and how many the paper demands."""

    letter: str
    found: int
    demanded: int
    marks_fit: bool

    @property
    def is_ok(self) -> bool:
        """Whether the part is exactly as the paper demands."""
        return self.found == self.demanded and self.marks_fit


def completeness(set_id: UUID) -> tuple[PartCount, ...]:
    """Return part by part what a set has and what its paper demands."""
    found: dict[str, Counter[Any]] = {}
    for part, marks, negative, count in db.session.execute(
        select(Question.part, Question.marks, Question.negative_marks, func.count())
        .where(Question.question_set_id == set_id)
        .group_by(Question.part, Question.marks, Question.negative_marks)
    ):
        found.setdefault(part, Counter())[(marks, negative)] += count
    parts = db.session.execute(
        select(Part.letter, Part.question_count, Part.marks_each, Part.negative_marks)
        .join(QuestionSet, QuestionSet.paper_id == Part.paper_id)
        .where(QuestionSet.id == set_id)
        .order_by(Part.letter)
    ).all()
    demanded = {row.letter: row for row in parts}
    return tuple(
        _part_count(letter, found.get(letter, Counter()), demanded.get(letter))
        for letter in sorted(demanded.keys() | found.keys())
    )


def problems(set_id: UUID) -> list[str]:
    """Return in words what keeps a set from being activated; empty if nothing does."""
    row = db.session.execute(select(QuestionSet.status).where(QuestionSet.id == set_id)).one_or_none()
    if row is None:
        raise NotFound
    said = [] if row.status == "published" else [_("the set is not published")]
    counts = completeness(set_id)
    if not counts:
        said.append(_("the paper has no parts"))
    for part in counts:
        if part.found != part.demanded:
            said.append(
                _(
                    "Part %(letter)s: %(found)s of %(demanded)s",
                    letter=part.letter,
                    found=part.found,
                    demanded=part.demanded,
                )
            )
        elif not part.marks_fit:
            said.append(_("Part %(letter)s: marks differ from the paper's", letter=part.letter))
    return said


def _part_count(letter: str, found: Counter[Any], demanded: Any) -> PartCount:
    if demanded is None:
        return PartCount(letter, found.total(), 0, marks_fit=False)
    fits = all(key == (demanded.marks_each, demanded.negative_marks) for key in found)
    return PartCount(letter, found.total(), demanded.question_count, marks_fit=fits)
