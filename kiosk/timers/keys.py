"""What stands in a key: `deadline_ms:version:lease`, or `-:version:-` when the clock does not run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

KEEP_AFTER_DEADLINE_MS = 60_000
# an expiry this far from what it should be is wrong; less is the road, and the drift of Redis' clock
EXPIRY_TOLERANCE_MS = 30_000

# Writes any number of keys (of each its value, version, expiry and what the writer saw there); says how many it wrote.
# A slower writer must not bring an older timer back. A key of another shape or type, or without expiry, counts as none;
# nor does a higher version stand in the way of who has seen it and knows better.
WRITE = """
local written = 0
for i, key in ipairs(KEYS) do
  local value, version, keep_ms, seen = unpack(ARGV, 4 * i - 3, 4 * i)
  local old, stands = redis.pcall('GET', key), nil
  if type(old) == 'string' and old ~= seen and redis.call('PTTL', key) > 0 then
    stands = string.match(old, '^%d+:(%d+):%d+$') or string.match(old, '^%-:(%d+):%-$')
  end
  if not stands or tonumber(stands) <= tonumber(version) then
    redis.call('SET', key, value, 'PX', keep_ms)
    written = written + 1
  end
end
return written
"""


@dataclass(frozen=True)
class Timer:
    """What a key says: the deadline in Unix milliseconds (None: the clock does not run), version and lease."""

    deadline_ms: int | None
    version: int
    lease: int | None

    def written(self) -> str:
        """The value as it stands in Redis."""
        deadline, lease = ("-" if part is None else part for part in (self.deadline_ms, self.lease))
        return f"{deadline}:{self.version}:{lease}"

    def keep_ms(self, now: datetime) -> int:
        """For how long the key is kept: a minute longer than the clock runs."""
        left = 0 if self.deadline_ms is None else max(self.deadline_ms - to_ms(now), 0)
        return left + KEEP_AFTER_DEADLINE_MS


@dataclass(frozen=True)
class Found:
    """A key as it was found: its value, its expiry in milliseconds, and the timer if it is a usable one."""

    value: Any
    expires_in_ms: Any

    @property
    def timer(self) -> Timer | None:
        """The timer; None for another type or shape, or without expiry."""
        lives = isinstance(self.expires_in_ms, int) and self.expires_in_ms > 0
        return parsed(self.value) if lives else None

    def is_right(self, wanted: Timer, now: datetime) -> bool:
        """Whether the key says what it should, for as long as it should."""
        if self.value is None:
            return wanted.deadline_ms is None
        if self.timer != wanted:
            return False
        too_long_ms = self.expires_in_ms - wanted.keep_ms(now)
        is_too_short = wanted.deadline_ms is not None and too_long_ms < -EXPIRY_TOLERANCE_MS
        return not is_too_short and too_long_ms <= EXPIRY_TOLERANCE_MS


def parsed(value: Any) -> Timer | None:
    """Return the timer that a value describes; None for any other shape."""
    parts = value.split(":") if isinstance(value, str) else ()
    if len(parts) != 3 or (parts[0] == "-") != (parts[2] == "-"):
        return None
    deadline, version, lease = (None if part == "-" else _digits(part) for part in parts)
    if version is None or -1 in (deadline, version, lease):
        return None
    timer = Timer(deadline, version, lease)
    return timer if timer.written() == value else None


def to_ms(instant: datetime) -> int:
    """Return Unix milliseconds."""
    return round(instant.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    """Return the instant of Unix milliseconds, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _digits(part: str) -> int:
    return int(part) if part.isascii() and part.isdigit() and len(part) < 19 else -1
