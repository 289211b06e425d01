"""A candidate of the tests: starts, saves, hands in, and tells what the database has of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from kiosk.extensions import db
from kiosk.models import Answer, Attempt, Slot
from kiosk.services import answers, attempts
from kiosk.services.attempts import Started
from kiosk.services.audit import Actor

if TYPE_CHECKING:
    from tests.cast import Hall

START_CODE = "246810"


class Player:
    """A candidate at a kiosk: a sign-in of their own, acting through the services."""

    def __init__(self, hall: Hall, candidate_id: UUID, login_no: int) -> None:
        self.hall, self.id, self.lease = hall, candidate_id, login_no
        self.actor = Actor("candidate", "Test Candidate", candidate_id, hall.organisation_id)

    def start(self, *, at: datetime | None = None, code: str = START_CODE) -> Started:
        """Start, or go on with what runs."""
        return attempts.start(self.id, lease=self.lease, by=self.actor, now=at or self.hall.MORNING, start_code=code)

    def resume(self, *, at: datetime | None = None) -> Started:
        """Take the lease for this sign-in."""
        return attempts.resume(self.id, lease=self.lease, by=self.actor, now=at or self.hall.MORNING)

    def save(
        self, number: int, response: Any, *, seq: int | None = None, at: datetime | None = None
    ) -> answers.SavedAnswer:
        """Save a response to the question with this number."""
        attempt = self.attempt
        question_id = db.session.execute(
            select(Answer.question_id).where(Answer.attempt_id == attempt.id, Answer.number == number)
        ).scalar_one()
        return answers.save(
            attempt.id, question_id, response, seq=seq, lease=self.lease, by=self.actor, now=at or self.hall.MORNING
        )

    def submit(self, *, at: datetime | None = None) -> None:
        """Hand in."""
        attempts.submit(self.attempt.id, by=self.actor, now=at or self.hall.MORNING)

    @property
    def attempt(self) -> Attempt:
        """The newest attempt, read afresh."""
        db.session.expire_all()
        return db.session.execute(
            select(Attempt).where(Attempt.candidate_id == self.id).order_by(Attempt.id.desc()).limit(1)
        ).scalar_one()

    @property
    def slot(self) -> Slot | None:
        """The current slot, read afresh."""
        db.session.expire_all()
        return db.session.execute(
            select(Slot).where(Slot.candidate_id == self.id, Slot.closed_at.is_(None))
        ).scalar_one_or_none()

    def paper(self) -> list[tuple[Any, ...]]:
        """Questions, order, option order and answers: what must survive everything."""
        db.session.expire_all()
        rows = db.session.execute(
            select(Answer.number, Answer.question_id, Answer.option_order, Answer.response)
            .where(Answer.attempt_id == self.attempt.id)
            .order_by(Answer.number)
        ).all()
        return [tuple(row) for row in rows]
