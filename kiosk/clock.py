"""One clock for everybody: the database's. The only place that asks a machine for the time.

Each process measures the offset between the database's clock and its own monotonic clock (the middle of the
round trip) and adds it, so that a wrong wall clock on a worker never makes an answer late.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

JUMP_SECONDS = 2.0

_lock = threading.Lock()
_offset_seconds: float | None = None
_doubtful_offset: float | None = None
_frozen: datetime | None = None


def now() -> datetime:
    """Return the database's time, aware, UTC, whole milliseconds."""
    if _frozen is not None:
        return _frozen
    offset = _offset_seconds
    if offset is None:
        # nobody has asked the database yet: only before the first measurement, when nothing is decided
        offset = time.time() - time.monotonic()
    return _whole_milliseconds(offset + time.monotonic())


def measure(ask_database: Callable[[], datetime]) -> bool:
    """Measure the offset to the database's clock; return whether the clock can be trusted.

    A measurement that jumps by more than 2 s is taken over only when the next one agrees with it.
    """
    before = time.monotonic()
    instant = ask_database()
    offset = instant.timestamp() - (before + time.monotonic()) / 2
    return _take_over(offset)


def is_trusted() -> bool:
    """Whether the last measurement agreed with the ones before it."""
    return _doubtful_offset is None


def freeze(instant: datetime | None) -> None:
    """Make `now()` stand still at `instant`, or run again with None. For tests and rehearsals."""
    global _frozen
    _frozen = instant


def _take_over(offset: float) -> bool:
    global _offset_seconds, _doubtful_offset
    with _lock:
        known, doubtful = _offset_seconds, _doubtful_offset
        agrees = known is None or abs(offset - known) <= JUMP_SECONDS
        if agrees or (doubtful is not None and abs(offset - doubtful) <= JUMP_SECONDS):
            _offset_seconds, _doubtful_offset = offset, None
            return True
        _doubtful_offset = offset
        return False


def _whole_milliseconds(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds * 1000) // 1000, UTC) + timedelta(milliseconds=int(seconds * 1000) % 1000)
