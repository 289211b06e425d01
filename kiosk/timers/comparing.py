"""Keys compared with what they should say, thousands every few seconds: only what differs is looked at closely.

One Redis compares by itself, in a script for each thousand that answers with a number for each key: one command to
pack and one answer to read instead of two thousand. In a cluster a script may only touch keys of one slot, so there
value and expiry are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import redis

from kiosk.timers.keys import EXPIRY_TOLERANCE_MS, KEEP_AFTER_DEADLINE_MS, Found, Timer, to_ms
from kiosk.timers.links import Link

# For each key: its expiry if it says what it should, nothing if it is not there, else what it says and its expiry.
# A key of a wrong type says nothing that could be meant: ''.
COMPARE = """
local call, answers = redis.pcall, {}
for i = 1, #KEYS do
  local value = call('GET', KEYS[i])
  if value == ARGV[i] then
    answers[i] = call('PTTL', KEYS[i])
  else
    answers[i] = value and {type(value) == 'string' and value or '', call('PTTL', KEYS[i])}
  end
end
return answers
"""
_name = attrgetter("name")


class Expected(NamedTuple):
    """What the key of an attempt should say, with its texts: made once, compared every few seconds."""

    attempt_id: UUID
    timer: Timer
    name: str
    written: str
    kept_until_ms: int


def expected(attempt_id: UUID, timer: Timer) -> Expected:
    """Return what the key of this attempt should say."""
    kept_until_ms = 0 if timer.deadline_ms is None else timer.deadline_ms + KEEP_AFTER_DEADLINE_MS
    return Expected(attempt_id, timer, str(attempt_id), timer.written(), kept_until_ms)


def differing(link: Link, wanted: Iterable[Expected], now: datetime) -> list[tuple[Expected, Found]]:
    """Return those whose keys are wrong, with what was found; one round trip per 1,000 and node.

    Raises redis.RedisError and OSError.
    """
    ask = _ask_for_each if link.is_many else _ask_at_once
    shortest = -to_ms(now) - EXPIRY_TOLERANCE_MS
    longest = -to_ms(now) + EXPIRY_TOLERANCE_MS
    wrong: list[tuple[Expected, Found]] = []
    for client, batch in link.batches(wanted, name=_name):
        for one, answer in zip(batch, ask(link, client, batch), strict=True):
            # as with nearly all that run; a clock that stands is never kept until then
            if type(answer) is int and shortest <= answer - one.kept_until_ms <= longest:
                continue
            found = _found(one, answer)
            if not found.is_right(one.timer, now):
                wrong.append((one, found))
    return wrong


def _found(one: Expected, answer: Any) -> Found:
    if answer is None:
        return Found(None, None)
    return Found(one.written, answer) if isinstance(answer, int) else Found(*answer)


def _ask_at_once(link: Link, client: redis.Redis, batch: Sequence[Expected]) -> list[Any]:
    keys = [link.key(one.name) for one in batch]
    (answers,) = link.ask(client, [("EVAL", COMPARE, str(len(keys)), *keys, *[one.written for one in batch])])
    if isinstance(answers, redis.RedisError):
        raise answers
    return answers


def _ask_for_each(link: Link, client: redis.Redis, batch: Sequence[Expected]) -> list[Any]:
    """As the script answers, put together here."""
    found = link.read(client, [link.key(one.name) for one in batch])
    return [
        left if value == one.written else None if value is None else (value, left)
        for one, (value, left) in zip(batch, found, strict=True)
    ]
