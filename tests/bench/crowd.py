"""Seats candidates who have written all along: attempts that end at the same second, every question answered."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import Flask
from sqlalchemy import case, insert, literal, select

from kiosk import clock
from kiosk.extensions import db, transaction
from kiosk.ids import uuid7
from kiosk.models import Activation, Answer, Attempt, Candidate, Question, QuestionSet, Slot
from kiosk.services import audit
from kiosk.services.audit import SYSTEM, Change
from tests.bench.data import Place, row_of

BATCH = 500
SEED = "bench"  # by which the crowd's attempts are told from those of the bots
_ORDER = case((Question.question_type.in_(("single", "multiple")), "ABCD"), else_="")  # as everybody sees them
STORY = (
    ("slot", "assign_exam_slot", "none", "available"),
    ("attempt", "draw", None, "initiated"),
    ("attempt", "start", "initiated", "in_progress"),
    ("slot", "start_exam_attempt", "available", "attempting"),
)

_json = partial(literal, type_=Answer.response.type)
_RESPONSE = case(
    (Question.question_type == "single", _json("A")),
    (Question.question_type == "multiple", _json(["A", "B"])),
    (Question.question_type == "true_false", _json(True)),
    (Question.question_type == "numeric", _json(12)),
    else_=_json("what somebody wrote"),
)


def seat(app: Flask, place: Place, count: int, *, within: timedelta) -> datetime:
    """Seat so many; return the one deadline of all, `within` from now."""
    with app.app_context():
        now = clock.now()
        deadline_at = now + within
        chosen = db.session.execute(
            select(QuestionSet.id, QuestionSet.paper_id)
            .join(Activation, Activation.question_set_id == QuestionSet.id)
            .where(Activation.trade_id == place.trade_id, Activation.paper_type == "primary")
            .where(Activation.ended_at.is_(None))
        ).one()
        for first in range(0, count, BATCH):
            numbers = range(first, min(first + BATCH, count))
            people = [row_of(place, f"C{number:06}", "none", now) for number in numbers]
            _seat(place, people, chosen, now, deadline_at)
        db.session.remove()
    return deadline_at


def _seat(place: Place, people: list[dict[str, Any]], chosen: Any, now: datetime, deadline_at: datetime) -> None:
    slots = [_slot(person["id"], chosen.paper_id, now) for person in people]
    attempts = [_attempt(place, slot, chosen, now, deadline_at) for slot in slots]
    drawn = select(
        Attempt.id, Question.id, Question.number, Question.part, _ORDER, _RESPONSE, literal(1),
        literal(now, Answer.saved_at.type), literal(False), literal(0),
    )  # fmt: skip
    drawn = drawn.join(Question, Question.question_set_id == Attempt.question_set_id)
    columns = ["attempt_id", "question_id", "number", "part", "option_order", "response", "seq", "saved_at"]
    columns += ["is_marked", "time_spent_seconds"]
    with transaction():
        db.session.execute(insert(Candidate), people)
        db.session.execute(insert(Slot), slots)
        db.session.execute(insert(Attempt), attempts)
        drawn = drawn.where(Attempt.id.in_([attempt["id"] for attempt in attempts]))
        db.session.execute(insert(Answer).from_select(columns, drawn))
        told = [
            Change(what, slot["id"] if what == "slot" else attempt["id"], action, before, after)  # type: ignore[arg-type]
            for slot, attempt in zip(slots, attempts, strict=True)
            for what, action, before, after in STORY
        ]
        audit.record(told, by=SYSTEM, now=now)


def _slot(candidate_id: Any, paper_id: Any, now: datetime) -> dict[str, Any]:
    return {
        "id": uuid7(), "candidate_id": candidate_id, "paper_id": paper_id, "paper_type": "primary",
        "status": "attempting", "version": 2, "assigned_at": now, "assigned_by": "the benchmark", "started_at": now,
    }  # fmt: skip


def _attempt(place: Place, slot: dict[str, Any], chosen: Any, now: datetime, deadline_at: datetime) -> dict[str, Any]:
    return {
        "id": uuid7(), "candidate_id": slot["candidate_id"], "slot_id": slot["id"], "paper_id": chosen.paper_id,
        "question_set_id": chosen.id, "centre_id": place.centre_id, "shift_id": place.shift_id, "number": 1,
        "status": "in_progress", "version": 2, "lease": 1, "seed": SEED, "created_at": now, "changed_at": now,
        "allowed_seconds": int((deadline_at - now).total_seconds()), "started_at": now, "deadline_at": deadline_at,
    }  # fmt: skip
