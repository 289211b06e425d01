"""Admission at the start bell: a worker computes one password hash at a time, and nobody queues up for it.

A hash takes 25 ms of a core. A hall that signs in at once would otherwise hold every thread of a worker, and those who
write already would wait behind it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from kiosk.sign_in_errors import SignInBusy

PATIENCE_SECONDS = 2.0


class Admission:
    """One turn at a time. One more may wait for it: the other threads of a worker belong to those who write."""

    def __init__(self) -> None:
        """Begin with nobody in."""
        self._turn = threading.Lock()
        self._seat = threading.Lock()

    @contextmanager
    def turn(self, *, wait_seconds: float) -> Iterator[None]:
        """Hold the turn. Raises SignInBusy at once, or after `wait_seconds` where the one seat is free."""
        if not self._enter(wait_seconds):
            raise SignInBusy
        try:
            yield
        finally:
            self._turn.release()

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
