"""Ids that a browser or a client sees: UUIDv7, so that new rows lie side by side in an index."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """Return a new UUIDv7: 48 bits of Unix milliseconds, a 12-bit counter, 62 random bits.

    RFC 9562, section 6.2, method 1: within a process each id is greater than the one before, so that rows of
    one transaction (the audit log above all) sort in the order in which they were made.
    """
    global _last
    with _lock:
        _last = stamp = max(time.time_ns() // 1_000_000 << 12, _last + 1)
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64
    return UUID(int=value | 0x2 << 62 | int.from_bytes(os.urandom(8), "big") >> 2)
