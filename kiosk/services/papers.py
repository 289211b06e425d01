"""Papers and question sets: filling a draft set from a file, publishing it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select

from kiosk.errors import BadInput
from kiosk.extensions import db
from kiosk.ids import uuid7
from kiosk.models import Question, QuestionSet
from kiosk.services import audit
from kiosk.services.audit import Actor, Change


def add_set(
    paper_id: UUID, label: str, questions: list[dict[str, Any]], *, publish: bool, by: Actor, now: datetime
) -> UUID:
    """Add a new version of a set inside the caller's transaction; return its id.

    Raises BadInput if two questions have the same number.
    """
    twice = [number for number, count in Counter(row["number"] for row in questions).items() if count > 1]
    if twice:
        raise BadInput(problem=f"Question number {twice[0]} stands twice.")
    newest = db.session.execute(
        select(func.max(QuestionSet.version)).where(QuestionSet.paper_id == paper_id, QuestionSet.label == label)
    ).scalar_one()
    status = "published" if publish else "draft"
    question_set = QuestionSet(
        id=uuid7(),
        paper_id=paper_id,
        label=label,
        version=(newest or 0) + 1,
        status=status,
        created_at=now,
        published_at=now if publish else None,
    )
    db.session.add(question_set)
    db.session.flush()
    set_id = question_set.id
    db.session.execute(insert(Question), [row | {"id": uuid7(), "question_set_id": set_id} for row in questions])
    details = {"label": label, "version": question_set.version, "questions": len(questions)}
    audit.record([Change("question_set", set_id, "add_set", None, status, None, details)], by=by, now=now)
    return set_id
