"""Ids that a browser or a client sees: UUIDv7, so that new rows lie side by side in an index."""

from __future__ import annotations

import os
import threading
import time
from datetime import datetime
from uuid import UUID


class _Maker:
    """Makes UUIDv7, each greater than the one before: RFC 9562, section 6.2, method 1."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def make(self, milliseconds: int) -> UUID:
        with self._lock:
            self._last = stamp = max(milliseconds << 12, self._last + 1)
        return _uuid(stamp, int.from_bytes(os.urandom(8), "big") >> 2)

    def take_millisecond(self, milliseconds: int) -> int:
        """Return a millisecond of which nobody has made an id yet, and of which `make` makes none."""
        with self._lock:
            taken = max(milliseconds, (self._last >> 12) + 1)
            self._last = taken << 12 | 0xFFF
        return taken


_by_own_clock, _by_given_time = _Maker(), _Maker()


def uuid7() -> UUID:
    """Return a new UUIDv7: 48 bits of Unix milliseconds, a 12-bit counter, 62 random bits.

    Within a process each id is greater than the one before, so that rows of one transaction sort in the order in
    which they were made.
    """
    return _by_own_clock.make(time.time_ns() // 1_000_000)


def uuid7_at(instant: datetime) -> UUID:
    """Return a new UUIDv7 with a given time: for rows whose order must not hang on the wall clocks of several hosts.

    Within a process each is greater than the one before, even if the time went back.
    """
    return _by_given_time.make(_milliseconds(instant))


def uuid7_head(instant: datetime) -> str:
    """Return the first 12 hex digits of ids that a database puts together itself: with any `uuid7_tail` one UUIDv7.

    They are greater than each that `uuid7_at` gave so far, and smaller than each that it will give.
    """
    return f"{_by_given_time.take_millisecond(_milliseconds(instant)):012x}"


def uuid7_tail(place: int) -> str:
    """Return the other 20 hex digits of an id, greater with each place (up to 2^20)."""
    chance = int.from_bytes(os.urandom(7), "big") >> 2
    return f"{0x7 << 76 | place >> 8 << 64 | 0x2 << 62 | (place & 0xFF) << 54 | chance:020x}"


def lowest_uuid7(instant: datetime) -> UUID:
    """Return the lowest UUIDv7 of an instant: what was made earlier is smaller."""
    return _uuid(_milliseconds(instant) << 12, 0)


def _milliseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def _uuid(stamp: int, tail: int) -> UUID:
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64
    return UUID(int=value | 0x2 << 62 | tail)
