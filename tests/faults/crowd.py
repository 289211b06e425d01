"""Thousands who write until the same second, made by a few big statements."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, insert, literal, select, update

from kiosk.extensions import db, transaction
from kiosk.ids import uuid7
from kiosk.models import Answer, Attempt, Candidate, Part, Question, Slot
from kiosk.services import audit, papers
from kiosk.services.audit import SYSTEM, Change
from tests import short_papers
from tests.cast import Hall

QUESTIONS = 43
CHUNK = 500


def gather(hall: Hall, count: int, *, questions: int = QUESTIONS) -> datetime:
    """Let `count` more candidates write a paper of so many questions, each answered; return their one deadline."""
    now, deadline_at = hall.MORNING, hall.MORNING + hall.DURATION
    with transaction():
        paper_id = hall.add_paper(hall.trade_id, "secondary")
        db.session.execute(update(Part).where(Part.paper_id == paper_id).values(question_type="single"))
        rows = [short_papers.question("Z", "A", "single", number, number, 1, 0) for number in range(1, questions + 1)]
        set_id = papers.add_set(paper_id, "Z", rows, publish=True, by=SYSTEM, now=now)
    for first in range(0, count, CHUNK):
        _seat(hall, f"Z{count:05}", range(first, min(first + CHUNK, count)), paper_id, set_id)
    if db.engine.dialect.name == "postgresql":
        with db.engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    return deadline_at


def _seat(hall: Hall, prefix: str, numbers: range, paper_id: UUID, set_id: UUID) -> None:
    now, deadline_at = hall.MORNING, hall.MORNING + hall.DURATION
    people = [_person(hall, f"{prefix}{number:05}") for number in numbers]
    sittings = [_sitting(hall, person["id"], paper_id, set_id, now, deadline_at) for person in people]
    drawn = select(
        Attempt.id, Question.id, Question.number, literal("A"), literal("ABCD"), literal("B", Answer.response.type),
        literal(1), literal(now, Answer.saved_at.type), literal(False), literal(0),
    )  # fmt: skip
    drawn = drawn.join(Question, Question.question_set_id == Attempt.question_set_id)
    drawn = drawn.where(Attempt.id.in_([attempt["id"] for _, attempt in sittings]))
    columns = ("attempt_id", "question_id", "number", "part", "option_order", "response", "seq", "saved_at")
    with transaction():
        db.session.execute(insert(Candidate), people)
        db.session.execute(insert(Slot), [slot for slot, _ in sittings])
        db.session.execute(insert(Attempt), [attempt for _, attempt in sittings])
        db.session.execute(insert(Answer).from_select([*columns, "is_marked", "time_spent_seconds"], drawn))
        for slot, attempt in sittings:
            audit.record(_story(slot["id"], attempt["id"]), by=SYSTEM, now=now)


def statuses() -> dict[str, int]:
    """How many attempts there are in each state."""
    db.session.rollback()
    return {row[0]: row[1] for row in db.session.execute(select(Attempt.status, func.count()).group_by(Attempt.status))}


def _person(hall: Hall, number: str) -> dict[str, object]:
    return {
        "id": uuid7(), "organisation_id": hall.organisation_id, "centre_id": hall.centre_id, "trade_id": hall.trade_id,
        "shift_id": hall.shift_id, "service_no": number, "login": number.lower(), "name": number, "rank": "",
        "password_hash": "none", "created_at": hall.MORNING,
    }  # fmt: skip


def _sitting(
    hall: Hall, candidate_id: UUID, paper_id: UUID, set_id: UUID, now: datetime, deadline_at: datetime
) -> tuple[dict[str, object], dict[str, object]]:
    slot = {
        "id": uuid7(), "candidate_id": candidate_id, "paper_id": paper_id, "paper_type": "secondary",
        "status": "attempting", "version": 2, "assigned_at": now, "assigned_by": "the tests", "started_at": now,
    }  # fmt: skip
    attempt = {
        "id": uuid7(), "candidate_id": candidate_id, "slot_id": slot["id"], "paper_id": paper_id,
        "question_set_id": set_id, "centre_id": hall.centre_id, "shift_id": hall.shift_id, "number": 1,
        "status": "in_progress", "version": 2, "lease": 1, "seed": "none",
        "allowed_seconds": int((deadline_at - now) / timedelta(seconds=1)), "created_at": now, "changed_at": now,
        "started_at": now, "deadline_at": deadline_at,
    }  # fmt: skip
    return slot, attempt


def _story(slot_id: object, attempt_id: object) -> list[Change]:
    return [
        Change("slot", slot_id, "assign_exam_slot", "none", "available"),  # type: ignore[arg-type]
        Change("attempt", attempt_id, "draw", None, "initiated"),  # type: ignore[arg-type]
        Change("attempt", attempt_id, "start", "initiated", "in_progress"),  # type: ignore[arg-type]
        Change("slot", slot_id, "start_exam_attempt", "available", "attempting"),  # type: ignore[arg-type]
    ]
