"""What happens by itself: time passes, the sweeper comes, Redis forgets or lies."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from kiosk.jobs import sweeper
from tests.model.machine import Machine
from tests.model.world import GRACE

LATELY = timedelta(minutes=10)


class Accidents(Machine):
    """Clock, sweeper and Redis."""

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
