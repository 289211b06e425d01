"""What every rule stands on: the hall, the clock, the model, and what must be so after each call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import redis
from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import func, select

from kiosk.errors import KioskError
from kiosk.extensions import db
from kiosk.models import Answer, Attempt, Slot
from kiosk.services import invariants, reports
from kiosk.states import OPEN_ATTEMPT
from tests.cast import Hall
from tests.model.world import World
from tests.snapshot import Snapshot


class Machine(RuleBasedStateMachine):
    """One candidate of the hall beside the model of them."""

    def __init__(self, hall: Hall, snapshot: Snapshot, client: redis.Redis) -> None:
        super().__init__()
        self.hall, self.redis, self.world = hall, client, World()
        snapshot.restore()
        client.flushall()
        hall.forget()
        self.player = hall.player()
        self.lease = self.player.lease
        self.now = self.noted_at = self.latest = Hall.MORNING
        self.was_swept = self.key_is_forged = False
        self.is_changed = True
        self.questions: dict[UUID, dict[int, UUID]] = {}
        self.again: Callable[[], None] | None = None

    @invariant()
    def the_database_keeps_the_invariants(self) -> None:
        if not self.is_changed:
            return
        self.is_changed = False
        found = [one for one in invariants.check(now=self.now) if not one.holds]
        assert not [one for one in found if one.name != "I4" or self.was_swept]

    @invariant()
    def states_are_those_of_the_model(self) -> None:
        db.session.rollback()
        slot = db.session.execute(
            select(Slot.status).where(Slot.candidate_id == self.player.id, Slot.closed_at.is_(None))
        ).scalar_one_or_none()
        assert (slot or "none") == self.world.slot
        rows = db.session.execute(
            select(Attempt.id, Attempt.status, Attempt.deadline_at, Attempt.lease)
            .where(Attempt.candidate_id == self.player.id)
            .order_by(Attempt.id)
        ).all()
        assert [tuple(row) for row in rows] == [
            (one.id, one.status, one.deadline_at, one.lease) if one.status == "in_progress" else tuple(row)
            for one, row in zip(self.world.sittings, rows, strict=True)
        ]
        assert [row.status for row in rows] == [one.status for one in self.world.sittings]

    @invariant()
    def acknowledged_answers_are_stored(self) -> None:
        rows = db.session.execute(
            select(Answer.attempt_id, Answer.number, Answer.seq, Answer.response)
            .join(Attempt, Attempt.id == Answer.attempt_id)
            .where(Attempt.candidate_id == self.player.id, Answer.seq > 0)
        ).all()
        stored = {(row.attempt_id, row.number): (row.seq, row.response) for row in rows}
        assert stored == {(one.id, number): kept for one in self.world.sittings for number, kept in one.stored.items()}

    @invariant()
    def the_time_shown_is_the_time_left(self) -> None:
        one = self.world.newest
        if one is None or self.key_is_forged:
            return
        for lease in (one.lease, one.lease - 1):
            shown = reports.clock(one.id, lease=lease, now=self.now)
            assert abs(shown.remaining_ms - one.left_ms(self.now)) < 1000
            assert (shown.status, shown.holds_lease) == (one.status, lease == one.lease)

    @invariant()
    def at_most_one_attempt_is_open(self) -> None:
        count = db.session.execute(
            select(func.count()).where(Attempt.candidate_id == self.player.id, Attempt.status.in_(OPEN_ATTEMPT))
        ).scalar_one()
        assert count == (self.world.open is not None)

    # --- inside ---------------------------------------------------------------------------------

    def tried(self, call: Callable[[], Any], refusal: str | None) -> Any:
        """Call a service; it must answer or refuse as the model says. Return its answer."""
        answer, met = None, None
        try:
            answer = call()
        except KioskError as error:
            met = error.code
        assert met == refusal
        return answer

    def end_if_over(self) -> bool:
        is_over = self.world.end_if_over(self.now)
        if is_over:
            self.noted()
        return is_over

    def noted(self) -> None:
        """Something was audited: from here the clock does not go back behind this moment."""
        self.noted_at = self.now
        self.was_swept, self.is_changed = False, True

    def question_id(self, attempt_id: UUID, number: int) -> UUID:
        if attempt_id not in self.questions:
            rows = db.session.execute(select(Answer.number, Answer.question_id).where(Answer.attempt_id == attempt_id))
            self.questions[attempt_id] = {row.number: row.question_id for row in rows}
        return self.questions[attempt_id][number]

    def teardown(self) -> None:
        """Leave no transaction behind."""
        db.session.remove()
