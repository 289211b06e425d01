"""Admission at the start bell: a worker computes one password hash at a time, and nobody queues up for it.

A hash takes 25 ms of a core. A hall that signs in at once would otherwise hold every thread of a worker, and those who
write already would wait behind it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from kiosk.sign_in_errors import SignInBusy

PATIENCE_SECONDS = 2.0
SOONEST_SECONDS, LATEST_SECONDS = 0.4, 15.0
USUAL_SECONDS = 0.03  # a turn, until one was measured
# pages that come back twice as fast as turns end leave few turns unused, and are refused twice each on the average
CROWDING = 2


class Admission:
    """One turn at a time. One more may wait for it: the other threads of a worker belong to those who write."""

    def __init__(self) -> None:
        """Begin with nobody in."""
        self._turn = threading.Lock()
        self._seat = threading.Lock()
        self._row = threading.Lock()
        self._pace_seconds = USUAL_SECONDS
        self._row_ends_at = 0.0

    @contextmanager
    def turn(self, *, wait_seconds: float) -> Iterator[None]:
        """Hold the turn. Raises SignInBusy at once, or after `wait_seconds` where the one seat is free."""
        if not self._enter(wait_seconds):
            raise SignInBusy
        begun_at = time.monotonic()
        try:
            yield
        finally:
            self._pace_seconds += (time.monotonic() - begun_at - self._pace_seconds) / 8
            self._turn.release()

    def come_back_seconds(self) -> float:
        """Return when a page that was refused should try again: the later, the more were refused before it."""
        with self._row:
            now = time.monotonic()
            after = max(now + SOONEST_SECONDS, self._row_ends_at + self._pace_seconds / CROWDING)
            self._row_ends_at = min(after, now + LATEST_SECONDS)
            wait = self._row_ends_at - now
        return wait + random.random() * SOONEST_SECONDS  # noqa: S311  spreads load, guards nothing

    def _enter(self, wait_seconds: float) -> bool:
        if self._turn.acquire(blocking=False):
            return True
        if wait_seconds <= 0 or not self._seat.acquire(blocking=False):
            return False
        try:
            return self._turn.acquire(timeout=wait_seconds)
        finally:
            self._seat.release()


hashing = Admission()
