"""The papers of the tests: a question or a few of each type, with known keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from kiosk.extensions import db
from kiosk.ids import uuid7
from kiosk.models import Paper, Part

# one question of each type, so that every kind of answer is tried everywhere
PARTS = (
    ("A", "single", 3, 1, 0),
    ("B", "multiple", 1, 2, 1),
    ("C", "short", 1, 2, 0),
    ("D", "fill", 2, 1, 0),  # the second one is numeric
    ("E", "long", 1, 5, 0),
    ("F", "true_false", 2, 1, 0),
)


def add_paper(
    organisation_id: UUID, trade_id: UUID | None, paper_type: str, *, duration: timedelta, **values: Any
) -> UUID:
    """Add a paper with its parts; return its id."""
    paper = Paper(
        id=uuid7(),
        organisation_id=organisation_id,
        trade_id=trade_id,
        paper_type=paper_type,
        title=f"TTC · {paper_type.capitalize()} paper",
        status="in_use",
        duration_seconds=int(duration.total_seconds()),
        written_marks=60,
        practical_marks=30,
        viva_marks=10,
        **values,
    )
    db.session.add(paper)
    db.session.flush()
    for letter, kind, count, marks, negative in PARTS:
        part = Part(
            id=uuid7(),
            paper_id=paper.id,
            letter=letter,
            question_type=kind,
            question_count=count,
            marks_each=marks,
            negative_marks=negative,
            min_words=20 if kind == "short" else None,
            max_words=30 if kind == "short" else None,
        )
        db.session.add(part)
        db.session.flush()
    return paper.id


def questions(label: str) -> list[dict[str, Any]]:
    """All questions of a set; the right answers are own key B, own keys A and C, true, 'ohm' and so on."""
    rows: list[dict[str, Any]] = []
    for letter, kind, count, marks, negative in PARTS:
        for place in range(count):
            rows.append(question(label, letter, kind, len(rows) + 1, place, marks, negative))
    return rows


def question(label: str, letter: str, kind: str, number: int, place: int, marks: int, negative: int) -> dict[str, Any]:
    """One question of a set, as an import would give it; `place` counts within its part."""
    has_options = kind in ("single", "multiple")
    if kind == "fill" and place:
        kind = "numeric"
    options = [{"key": key, "text": f"option {key} of {label}{number}", "text_hi": ""} for key in "ABCD"]
    key: Any = {
        "single": "B",
        "multiple": ["A", "C"],
        "true_false": place == 0,
        "fill": ["ohm", "ओम"],
        "numeric": {"value": "12.5", "tolerance": "0.1"},
        "short": "A model answer.",
        "long": "A long model answer.",
    }[kind]
    return {
        "part": letter,
        "number": number,
        "question_type": kind,
        "text": f"Question {number} of set {label}?",
        "text_hi": f"सेट {label} का प्रश्न {number}?" if label == "A" else None,
        "options": options if has_options else None,
        "answer": key,
        "marks": marks,
        "negative_marks": negative,
        "topic": "test",
    }
