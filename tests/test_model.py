"""One candidate's exam against a model of it: any calls in any order, and the two agree after each.

Hypothesis chooses the calls; the clock is an argument, so a day of exams takes milliseconds. What happens at the same
moment is not tried here but in `tests/races`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import redis
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from kiosk.errors import KioskError
from kiosk.extensions import db
from kiosk.jobs import sweeper
from kiosk.models import Answer, Attempt, Slot
from kiosk.services import answers, attempts, cancelling, grants, invariants, pauses, reports, slots
from kiosk.states import OPEN_ATTEMPT
from tests.cast import START_CODE, Hall
from tests.conftest import RedisServer
from tests.snapshot import Snapshot

GRACE = timedelta(seconds=2)
LATELY = timedelta(minutes=10)
PROFILE = settings(
    max_examples=20_000 if os.environ.get("KIOSK_TEST_LONG") else 20,
    stateful_step_count=30,
    deadline=None,
    derandomize=not os.environ.get("KIOSK_TEST_LONG"),
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
# two questions that a machine marks, one for people; None clears an answer
NUMBERS = {1: ("A", "B", None), 2: ("C", "D", None), 8: ("an essay", "another essay", None)}
CHOICES = st.sampled_from([0, 1, 0, 1, 2])
SEQS = st.sampled_from([None, 1, 1, 2, 2, 3, 4, 5, 6])


# --- the model ------------------------------------------------------------------------------------


@dataclass
class Sitting:
    """What the model knows of one attempt. `stored` has (seq, response) of each question answered."""

    id: UUID
    paper: str
    label: str
    lease: int
    deadline_at: datetime | None
    changed_at: datetime
    status: str = "in_progress"
    kept: timedelta = timedelta()
    is_out_of_time: bool = False
    stored: dict[int, tuple[int, Any]] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.status in ("in_progress", "paused")

    def ends_before(self, now: datetime) -> bool:
        """Whether deadline and grace have passed."""
        return self.deadline_at is not None and now > self.deadline_at + GRACE

    def left_ms(self, now: datetime) -> int:
        left = self.deadline_at - now if self.deadline_at else self.kept if self.status == "paused" else timedelta()
        return max(round(left / timedelta(milliseconds=1)), 0)

    def close(self, status: str, now: datetime) -> None:
        self.status, self.deadline_at, self.changed_at = status, None, now

    def hand_in(self, now: datetime, *, expired: bool) -> None:
        self.is_out_of_time = expired
        waits_for_people = self.stored.get(8, (0, None))[1] is not None
        self.close(("expired" if expired else "submitted") if waits_for_people else "completed", now)


@dataclass
class World:
    """The candidate's slot, attempts and active sets as they ought to be."""

    slot: str = "available"
    paper: str = "primary"
    extra: int = 0
    done: set[str] = field(default_factory=set)
    active: dict[str, str] = field(default_factory=lambda: {"primary": "A", "secondary": "A"})
    sittings: list[Sitting] = field(default_factory=list)

    @property
    def newest(self) -> Sitting | None:
        return self.sittings[-1] if self.sittings else None

    @property
    def open(self) -> Sitting | None:
        return self.newest if self.newest and self.newest.is_open else None

    def made(self, paper: str) -> int:
        return sum(one.paper == paper and not one.is_open and one.status != "cancelled" for one in self.sittings)

    def start_refusal(self, now: datetime) -> str | None:
        if self.slot in ("none", "consumed"):
            return "no_slot" if self.slot == "none" else "slot_consumed"
        if self.made(self.paper) > self.extra:
            return "attempt_limit"
        return "shift_not_open" if now > Hall.MORNING + timedelta(hours=12) else None

    def assign(self) -> None:
        paper = "secondary" if "primary" in self.done else "primary"
        if self.slot in ("none", "consumed") and paper not in self.done and not self.made(paper):
            self.slot, self.paper, self.extra = "available", paper, 0

    def end_slot(self, slot: str, now: datetime) -> None:
        """Reset (to none) or reassign (to available)."""
        if self.slot == "none":
            return
        if self.slot == "consumed":
            self.done.discard(self.paper)
            self.extra += 1
        self.slot = slot
        if self.open:
            self.open.close("cancelled", now)

    def release(self, now: datetime) -> None:
        """Clear, or a switch that voids."""
        if self.open:
            self.open.close("cancelled", now)
            self.slot = "available"

    def hand_in(self, now: datetime, *, expired: bool) -> None:
        assert self.open
        self.open.hand_in(now, expired=expired)
        self.slot = "consumed"
        self.done.add(self.paper)

    def end_if_over(self, now: datetime) -> bool:
        """Whoever's time is over has handed in, whichever call comes first."""
        is_over = self.open is not None and self.open.ends_before(now)
        if is_over:
            self.hand_in(now, expired=True)
        return is_over

    def write_refusal(self, one: Sitting, lease: int, now: datetime) -> str | None:
        if one.status != "in_progress":
            return "time_over" if one.is_out_of_time else "attempt_not_running"
        if one.lease != lease:
            return "open_elsewhere"
        return "time_over" if one.ends_before(now) else None

    def save(self, one: Sitting, number: int, seq: int | None, response: Any) -> str | tuple[bool, int, Any]:
        """Store what is newer; return (saved, seq, response) as they are answered, or the refusal."""
        stored_seq, stored = one.stored.get(number, (0, None))
        if seq is None or seq > stored_seq:
            one.stored[number] = (seq or stored_seq + 1, response)
            return (True, *one.stored[number])
        if seq == stored_seq and stored != response:
            return "seq_reused"
        return seq == stored_seq, stored_seq, stored


# --- the machine ----------------------------------------------------------------------------------


class Exam(RuleBasedStateMachine):
    """The candidate, the staff, the sweeper and the accidents of an exam hall."""

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

    # --- the candidate --------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        """Most of what can go wrong needs somebody who writes."""
        self.start()

    @rule()
    def start(self) -> None:
        self.end_if_over()
        refusal = None if self.world.open else self.world.start_refusal(self.now)
        started = self.tried(
            lambda: attempts.start(
                self.player.id, lease=self.lease, by=self.player.actor, now=self.now, start_code=START_CODE
            ),
            refusal,
        )
        if refusal is None:
            assert started.is_new == (self.world.open is None)
            self.began_or_took_over(started)
        self.again = self.start

    @precondition(lambda self: self.world.open or not self.again)
    @rule()
    def login_other_kiosk(self) -> None:
        self.lease += 1
        self.resume(self.lease)

    def resume(self, lease: int) -> None:
        refusal = None if self.world.open else "not_found"
        is_over = self.end_if_over()
        started = self.tried(
            lambda: attempts.resume(self.player.id, lease=lease, by=self.player.actor, now=self.now), refusal
        )
        if started is not None and not is_over:
            self.began_or_took_over(started)
        self.again = lambda: self.resume(self.lease)

    def began_or_took_over(self, started: attempts.Started) -> None:
        world = self.world
        if world.open is None:
            deadline_at = self.now + Hall.DURATION
            label = world.active[world.paper]
            world.sittings.append(Sitting(started.attempt_id, world.paper, label, self.lease, deadline_at, self.now))
            world.slot = "attempting"
            self.key_is_forged = False
            self.noted()
        elif world.open.lease != self.lease:
            world.open.lease, world.open.changed_at = self.lease, self.now
            self.noted()
        assert (started.attempt_id, started.deadline_at) == (world.open.id, world.open.deadline_at)

    @precondition(lambda self: self.world.sittings)
    @rule(number=st.sampled_from(list(NUMBERS)), choice=CHOICES, seq=SEQS)
    def save(self, number: int, choice: int, seq: int | None) -> None:
        self.send(self.world.sittings[-1], number, seq, NUMBERS[number][choice], self.lease)

    @precondition(lambda self: self.world.open)
    @rule(number=st.sampled_from(list(NUMBERS)), choice=CHOICES, newer=st.sampled_from([1, 1, 1, 0, -1]))
    def save_another(self, number: int, choice: int, newer: int) -> None:
        """As a page does: one more than last time, and sometimes late or twice."""
        one = self.world.sittings[-1]
        seq = max(one.stored.get(number, (0, None))[0] + newer, 1)
        self.send(one, number, seq, NUMBERS[number][choice], self.lease)

    @precondition(lambda self: self.world.sittings)
    @rule(number=st.sampled_from(list(NUMBERS)), choice=CHOICES, seq=SEQS, to_first_attempt=st.booleans())
    def save_on_an_old_page(self, number: int, choice: int, seq: int | None, to_first_attempt: bool) -> None:
        one, lease = self.world.sittings[-1], self.lease - 1
        if to_first_attempt:
            one, lease = self.world.sittings[0], self.lease
        self.send(one, number, seq, NUMBERS[number][choice], lease)

    def send(self, one: Sitting, number: int, seq: int | None, response: Any, lease: int) -> None:
        arrived_at, self.is_changed = self.now, True
        refusal = self.world.write_refusal(one, lease, arrived_at)
        expected = refusal or self.world.save(one, number, seq, response)
        answer = self.tried(
            lambda: answers.save(
                one.id,
                self.question_id(one.id, number),
                response,
                seq=seq,
                lease=lease,
                by=self.player.actor,
                now=arrived_at,
            ),
            expected if isinstance(expected, str) else None,
        )
        if answer is not None:
            assert (answer.saved, answer.seq, answer.response) == expected
            assert answer.remaining_ms == one.left_ms(arrived_at)
        self.again = lambda: self.send(one, number, seq, response, lease)

    @precondition(lambda self: self.world.sittings)
    @rule()
    def submit(self) -> None:
        one = self.world.newest
        assert one
        refusal = "attempt_not_running" if one.status in ("paused", "cancelled") else None
        self.tried(lambda: attempts.submit(one.id, by=self.player.actor, now=self.now), refusal)
        if one.status == "in_progress":
            self.world.hand_in(self.now, expired=one.ends_before(self.now))
            self.noted()
        self.again = self.submit

    @precondition(lambda self: self.again)
    @rule()
    def duplicate_last_request(self) -> None:
        self.again()

    # --- the staff ------------------------------------------------------------------------------

    @rule()
    def assign_slot(self) -> None:
        self.end_if_over()
        slots.assign([self.player.id], by=self.hall.centre_admin, now=self.now)
        self.world.assign()
        self.noted()
        self.again = self.assign_slot

    @rule(to=st.sampled_from(["none", "available"]))
    def reset_or_reassign(self, to: str) -> None:
        self.end_if_over()
        service = slots.reset if to == "none" else slots.reassign
        service([self.player.id], reason="the model wants it", by=self.hall.admin, now=self.now)
        self.world.end_slot(to, self.now)
        self.noted()
        self.again = lambda: self.reset_or_reassign(to)

    @rule(is_single=st.booleans())
    def clear(self, is_single: bool) -> None:
        one = self.world.open
        if is_single and one:
            self.cancel(one)
            return
        self.end_if_over()
        slots.clear_incomplete([self.player.id], by=self.hall.admin, now=self.now)
        self.world.release(self.now)
        self.noted()
        self.again = lambda: self.clear(is_single)

    def cancel(self, one: Sitting) -> None:
        refusal = "attempt_not_running" if one.ends_before(self.now) else None
        self.tried(
            lambda: cancelling.cancel(one.id, reason="the model wants it", by=self.hall.admin, now=self.now), refusal
        )
        if refusal is None:
            self.world.release(self.now)
            self.noted()

    @precondition(lambda self: self.world.sittings)
    @rule()
    def pause(self) -> None:
        one = self.world.newest
        assert one
        may = one.status == "in_progress" and one.deadline_at > self.now
        done = pauses.pause([one.id], kind="staff", reason="fire alarm", by=self.hall.admin, now=self.now)
        assert done == may
        if may:
            one.kept = one.deadline_at - self.now
            one.close("paused", self.now)
            self.noted()
        self.again = self.pause

    @precondition(lambda self: self.world.sittings)
    @rule()
    def unpause(self) -> None:
        one = self.world.newest
        assert one
        may = one.status == "paused"
        assert pauses.unpause([one.id], by=self.hall.admin, now=self.now) == may
        if may:
            one.status, one.deadline_at, one.changed_at = "in_progress", self.now + one.kept, self.now
            self.noted()
        self.again = self.unpause

    @precondition(lambda self: self.world.sittings)
    @rule(seconds=st.sampled_from([1, 300, 3600]))
    def extend(self, seconds: int) -> None:
        one = self.world.newest
        assert one
        is_over = one.ends_before(self.now)
        refusal = None if one.is_open and not is_over else "attempt_not_running"
        self.tried(
            lambda: grants.extend(one.id, seconds, reason="was ill", is_short=False, by=self.hall.admin, now=self.now),
            refusal,
        )
        if refusal is None:
            if one.deadline_at:
                one.deadline_at += timedelta(seconds=seconds)
            else:
                one.kept += timedelta(seconds=seconds)
            one.changed_at = self.now
            self.noted()

    @rule(label=st.sampled_from("ABC"), keep_running=st.booleans())
    def switch_set(self, label: str, keep_running: bool) -> None:
        self.end_if_over()
        refusal = "set_not_ready" if self.world.active["primary"] == label else None
        self.tried(lambda: self.hall.activate(label, at=self.now, keep_running=keep_running), refusal)
        if refusal is None:
            self.world.active["primary"] = label
            one = self.world.open
            if one and not keep_running and one.paper == "primary" and one.label != label:
                self.world.release(self.now)
            self.noted()
        self.again = lambda: self.switch_set(label, keep_running)

    # --- time, the sweeper and Redis ----------------------------------------------------------------

    @rule(seconds=st.sampled_from([-2, -1, 1, 3, 60, 60, 600]) | st.integers(-2, 7200))
    def advance_clock(self, seconds: int) -> None:
        # a save may arrive a little out of order, the audited changes of one attempt don't
        floor = max(self.noted_at, self.latest - GRACE)
        self.now = max(self.now + timedelta(seconds=seconds), floor)
        self.latest = max(self.latest, self.now)
        self.was_swept = False

    @precondition(lambda self: self.world.open and self.world.open.deadline_at)
    @rule(milliseconds=st.sampled_from([-1000, 0, 1999, 2000, 2001, 2001, 8000, 8000]))
    def wait_for_the_deadline(self, milliseconds: int) -> None:
        deadline_at = self.world.open.deadline_at
        self.now = max(self.now, deadline_at + timedelta(milliseconds=milliseconds))
        self.latest = max(self.latest, self.now)
        self.was_swept = False

    @rule(reconcile=st.booleans())
    def sweep(self, reconcile: bool) -> None:
        ended = sweeper.sweep(now=self.now, reconcile=reconcile)
        assert ended == self.end_if_over()
        newest = self.world.newest
        if reconcile and newest and (newest.status == "in_progress" or newest.changed_at > self.now - LATELY):
            self.key_is_forged = False
        self.was_swept = self.is_changed = True
        self.again = lambda: self.sweep(reconcile)

    @rule()
    def redis_flush(self) -> None:
        self.redis.flushall()
        self.key_is_forged = False

    @precondition(lambda self: self.world.open and self.world.open.deadline_at)
    @rule(how=st.sampled_from(["too long", "too short", "other version", "garbage", "other type", "other lease"]))
    def forge_key(self, how: str) -> None:
        one = self.world.open
        key, deadline_ms = f"exam:timer:{one.id}", round(one.deadline_at.timestamp() * 1000)
        values = {
            "too long": f"{deadline_ms + 600_000}:1:{one.lease}",
            "too short": f"{deadline_ms - 600_000}:1:{one.lease}",
            "other version": f"{deadline_ms + 5000}:999999:{one.lease}",
            "garbage": "42",
            "other lease": f"{deadline_ms + 5000}:1:{one.lease + 1000}",
        }
        self.redis.delete(key)
        if how == "other type":
            self.redis.rpush(key, "x")
        else:
            self.redis.set(key, values[how], px=60_000)
        self.key_is_forged = True

    # --- what must be so at any time ------------------------------------------------------------

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


@pytest.fixture
def machine(app: Flask, hall: Hall, snapshot: Snapshot, redis_server: RedisServer) -> Iterator[Callable[[], Exam]]:
    """Makes machines, each on the database as it was at the beginning."""
    client = redis_server.client()
    yield lambda: Exam(hall, snapshot, client)
    # the check of `hall` looks at the morning
    snapshot.restore()


def test_any_calls_in_any_order_leave_what_the_model_says(machine: Callable[[], Exam]) -> None:
    run_state_machine_as_test(machine, settings=PROFILE)
