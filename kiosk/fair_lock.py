"""A lock with a queue, for those who write to SQLite."""

from __future__ import annotations

import threading
from collections import deque


class FairLock:
    """A lock that is given out in the order in which it was asked for.

    SQLite has one writer at a time. Left to its busy handler, an unlucky thread can starve for seconds.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def acquire(self, *, within_seconds: float) -> bool:
        """Take the lock, after everybody who asked earlier; return whether it came to that in time."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=within_seconds):
            return True
        with self._guard:
            if turn not in self._waiting:
                return True  # it was handed over in the very last moment
            self._waiting.remove(turn)
            return False

    def release(self) -> None:
        """Hand the lock to the one who has waited longest."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
