"""What the candidate does: start, sign in elsewhere, save, hand in, and send the same again."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from kiosk.services import answers, attempts
from tests.cast import Hall
from tests.model.machine import Machine
from tests.model.world import Sitting
from tests.player import START_CODE

# two questions that a machine marks, one for people; None clears an answer
NUMBERS = {1: ("A", "B", None), 2: ("C", "D", None), 8: ("an essay", "another essay", None)}
CHOICES = st.sampled_from([0, 1, 0, 1, 2])
SEQS = st.sampled_from([None, 1, 1, 2, 2, 3, 4, 5, 6])


class Candidate(Machine):
    """The candidate at one kiosk or another."""

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
            one = Sitting(started.attempt_id, world.paper, label, self.lease, deadline_at, self.now)
            one.slot_no = world.slot_no
            world.sittings.append(one)
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
