"""The exam timer in Redis: the fast path of every poll. The only module that speaks Redis for exam time.

The key `exam:timer:{attempt_id}` holds `deadline_ms:version:lease`. It is a copy; the database has the truth.
Redis may be slow, emptied or gone: then reads give None, writes False, and the caller asks the database. Nothing raises.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import redis
from flask import Flask, current_app
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

CALL_SECONDS = 0.25
KEEP_AFTER_DEADLINE_MS = 60_000
FAILURES_THAT_OPEN = 3
PROBE_SECONDS = 1.0
# the last three are what redis-py itself stumbles over when an answer is of a shape that no Redis gives
TROUBLE = (redis.RedisError, OSError, ValueError, TypeError, LookupError, AttributeError)

# A slower writer must not bring an older timer back. A key of another shape or type counts as none.
_WRITE = """
local old = redis.pcall('GET', KEYS[1])
if type(old) == 'string' and ARGV[4] == '0' then
  local version = string.match(old, '^%-?%d*:(%d+):%-?%d*$')
  if version and tonumber(version) > tonumber(ARGV[2]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return 1
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


def create_timer(attempt_id: UUID, deadline_at: datetime, *, version: int, lease: int, now: datetime) -> bool:
    """Write the key of a running attempt; return whether Redis took it."""
    timer = Timer(to_ms(deadline_at), version, lease)
    return _store().write(attempt_id, timer, keep_ms=_keep_ms(timer, now))


def create_timers(timers: dict[UUID, Timer], *, now: datetime) -> None:
    """As `create_timer` for many attempts at once: one round trip per 1,000."""
    _store().write_all(timers, now=now)


def delete_timer(attempt_id: UUID, *, version: int) -> bool:
    """Leave `-:version:-` for 60 s: polls learn of the end at once and no slower reader brings the timer back."""
    return _store().write(attempt_id, Timer(None, version, None), keep_ms=KEEP_AFTER_DEADLINE_MS)


def delete_timers(versions: dict[UUID, int]) -> None:
    """As `delete_timer` for many attempts at once: one round trip per 1,000."""
    create_timers({i: Timer(None, version, None) for i, version in versions.items()}, now=from_ms(0))


def forget_timer(attempt_id: UUID) -> None:
    """Remove the key of an attempt that never came to be."""
    _store().call(lambda client: client.delete(_key(attempt_id)))


def read_timer(attempt_id: UUID) -> Timer | None:
    """Return what Redis knows; None for no usable key: then only the database can tell."""
    return _store().read([attempt_id]).get(attempt_id)


def reconcile(truth: Callable[[], dict[UUID, Timer]], *, now: datetime) -> int:
    """Mend the keys that differ from the database; return how many were wrong.

    `truth` is asked again before a higher version is overwritten: its change may have been committed in between.
    """
    store, known = _store(), truth()
    if not known or not store.is_up:
        return 0
    found = store.read(known)
    wrong = {attempt_id: timer for attempt_id, timer in known.items() if _differs(found.get(attempt_id), timer)}
    if any(found[i].version > timer.version for i, timer in wrong.items() if i in found):
        wrong = {i: timer for i, timer in truth().items() if i in wrong and _differs(found.get(i), timer)}
    return store.write_all(wrong, now=now) if wrong else 0


def is_up() -> bool:
    """Whether Redis answered lately."""
    return _store().is_up


def ping() -> bool:
    """Ask Redis now whether it takes a write: a full one still answers a PING, but no exam could start."""
    return bool(_store().call(lambda client: client.set("exam:probe", "1", px=1000)))


def took_a_break() -> bool:
    """Whether Redis was away since the last call: then every key is to be compared, not only the changed ones."""
    return _store().took_a_break()


def maxmemory_policy() -> str | None:
    """Return Redis' eviction policy (wanted: noeviction); None where Redis does not say."""
    return _store().call(lambda client: client.config_get("maxmemory-policy").get("maxmemory-policy"))


def to_ms(instant: datetime) -> int:
    """Return Unix milliseconds."""
    return round(instant.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    """Return the instant of Unix milliseconds, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def init_app(app: Flask, url: Callable[[], str | None]) -> None:
    """Give `app` its connection; `url` is asked again at each probe, as the embedded Redis may come later."""
    app.extensions["timers"] = TimerStore(url)


class TimerStore:
    """One process's bounded connection to Redis, with a breaker and a background probe."""

    def __init__(self, url: Callable[[], str | None]) -> None:
        """Connect lazily to what `url` returns; None means that there is no Redis now."""
        self._url = url
        self._client: redis.Redis | None = None
        self._script: Any = None
        self._failures = 0
        self._open = False
        self._broke = True
        self._guard = threading.Lock()
        self.round_trips = 0

    @property
    def is_up(self) -> bool:
        """Whether the breaker is closed."""
        return not self._open

    def took_a_break(self) -> bool:
        """Whether the breaker was open since the last call (true at the very first)."""
        broke, self._broke = self._broke, False
        return broke

    def forgive(self) -> None:
        """Close the breaker and connect anew: Redis is known to be back."""
        self._client, self._failures, self._open = None, 0, False

    def read(self, attempt_ids: Iterable[UUID]) -> dict[UUID, Timer]:
        """Return the usable keys among those of `attempt_ids`: one round trip per 1,000."""
        found: dict[UUID, Timer] = {}
        for batch in _batches(list(attempt_ids)):
            for attempt_id, value, expiry in self.call(partial(_read_batch, attempt_ids=batch)) or ():
                timer = _parse(value) if isinstance(expiry, int) and expiry > 0 else None
                if timer:
                    found[attempt_id] = timer
        return found

    def write(self, attempt_id: UUID, timer: Timer, *, keep_ms: int) -> bool:
        """Write one key unless a newer version stands there; return whether Redis answered."""
        answer = self.call(
            lambda _: self._script(keys=[_key(attempt_id)], args=[timer.written(), timer.version, keep_ms, 0])
        )
        return answer is not None

    def write_all(self, timers: dict[UUID, Timer], *, now: datetime) -> int:
        """Write many keys as the database has them, whatever stands there; return how many."""
        for batch in _batches(list(timers.items())):
            self.call(partial(_write_batch, pairs=batch, now=now))
        return len(timers)

    def call(self, use: Callable[[Any], Any]) -> Any:
        """Return what `use(client)` returns; None if Redis is away or refuses."""
        if self._open:
            return None
        try:
            client = self._connected()
            if client is None:
                return None
            self.round_trips += 1
            answer = use(client)
        except TROUBLE as error:
            self._failed(error)
            return None
        self._failures = 0
        return answer

    def _connected(self) -> redis.Redis | None:
        if self._client is None:
            url = self._url()
            if url is None:
                raise redis.ConnectionError("no Redis is running")
            client = redis.Redis.from_url(
                url,
                socket_timeout=CALL_SECONDS,
                socket_connect_timeout=CALL_SECONDS,
                retry=Retry(NoBackoff(), 0),
                decode_responses=True,
                max_connections=64,
            )
            self._script = client.register_script(_WRITE)
            self._client = client
        return self._client

    def _failed(self, error: Exception) -> None:
        with self._guard:
            self._failures += 1
            if self._open or self._failures < FAILURES_THAT_OPEN:
                return
            self._open = self._broke = True
        log.warning("redis is away, the database answers alone: %s", type(error).__name__)
        threading.Thread(target=self._probe_until_back, name="redis-probe", daemon=True).start()

    def _probe_until_back(self) -> None:
        while True:
            time.sleep(PROBE_SECONDS)
            try:
                self._client = None
                client = self._connected()
                if client is not None and client.ping():
                    break
            except TROUBLE:
                continue
        self._failures, self._open = 0, False
        log.warning("redis is back")


def _store() -> TimerStore:
    return current_app.extensions["timers"]


def _key(attempt_id: UUID) -> str:
    return f"exam:timer:{attempt_id}"


def _keep_ms(timer: Timer, now: datetime) -> int:
    left = 0 if timer.deadline_ms is None else max(timer.deadline_ms - to_ms(now), 0)
    return left + KEEP_AFTER_DEADLINE_MS


def _differs(found: Timer | None, wanted: Timer) -> bool:
    return wanted.deadline_ms is not None if found is None else found != wanted


def _write_batch(client: redis.Redis, pairs: list[tuple[UUID, Timer]], now: datetime) -> list[Any]:
    pipe = client.pipeline(transaction=False)
    for attempt_id, timer in pairs:
        pipe.set(_key(attempt_id), timer.written(), px=_keep_ms(timer, now))
    return pipe.execute()


def _read_batch(client: redis.Redis, attempt_ids: list[UUID]) -> list[tuple[UUID, Any, int]]:
    pipe = client.pipeline(transaction=False)
    for attempt_id in attempt_ids:
        pipe.get(_key(attempt_id))
        pipe.pttl(_key(attempt_id))
    # a key of a wrong type is an answer about that key, not a failure of Redis
    answers = pipe.execute(raise_on_error=False)
    failure = next((a for a in answers if isinstance(a, redis.RedisError) and "WRONGTYPE" not in str(a)), None)
    if failure:
        raise failure
    return [(attempt_id, answers[2 * place], answers[2 * place + 1]) for place, attempt_id in enumerate(attempt_ids)]


def _parse(value: Any) -> Timer | None:
    """Return the timer that a value describes; None for any other shape."""
    parts = value.split(":") if isinstance(value, str) else ()
    if len(parts) != 3:
        return None
    deadline, version, lease = (None if part == "-" else _digits(part) for part in parts)
    if version is None or -1 in (deadline, version, lease):
        return None
    return Timer(deadline, version, lease)


def _digits(part: str) -> int:
    return int(part) if part.isascii() and part.isdigit() and len(part) < 19 else -1


def _batches(items: list[Any], size: int = 1000) -> Iterable[list[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
