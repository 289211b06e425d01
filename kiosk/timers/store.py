"""One process's bounded connection to Redis: the breaker that opens, the probe that finds Redis again."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any, cast
from uuid import UUID

import redis
from redis.exceptions import MovedError, ReadOnlyError, RedisClusterException

from kiosk.timers import comparing, links
from kiosk.timers.comparing import Expected
from kiosk.timers.keys import WRITE, Found, Timer
from kiosk.timers.links import CALL_SECONDS, WANTED_POLICY, Link

log = logging.getLogger(__name__)

FAILURES_THAT_OPEN = 3
LATELY_SECONDS = 5.0
PROBE_SECONDS = 1.0
RENEW_SECONDS = 5.0
FIRST_SECONDS = 2.0
# redis-py's trouble with a cluster is no RedisError; the last three are what it stumbles over itself when an answer
# is of a shape that no Redis gives
TROUBLE = (redis.RedisError, RedisClusterException, OSError, ValueError, TypeError, LookupError, AttributeError)
# said by a node that is no longer the one to ask: trying it again is no use, the probe finds the right one at once
ELSEWHERE = (ReadOnlyError, MovedError)


class TimerStore:
    """One process's bounded connection to Redis, with a breaker and a background probe."""

    def __init__(self, url: Callable[[], str | None]) -> None:
        """Connect lazily to what `url` returns; None means that there is no Redis now."""
        self._url = url
        self._link: Link | None = None
        self._search: threading.Thread | None = None
        self._trouble: Exception | None = None
        self._looked_at = 0.0
        self._has_told_policy = False
        self._failed_at: deque[float] = deque(maxlen=FAILURES_THAT_OPEN)
        self._open = False
        self._broke = True
        self._guard = threading.Lock()
        self.round_trips = 0

    @property
    def is_up(self) -> bool:
        """Whether the breaker is closed."""
        return not self._open

    def took_a_break(self) -> bool:
        """Whether the breaker was open since the last call (true at the very first); not told while it still is."""
        if self._open:
            return False
        broke, self._broke = self._broke, False
        return broke

    def forgive(self) -> None:
        """Close the breaker and connect anew: Redis is known to be back."""
        self._link, self._open = None, False
        self._failed_at.clear()

    def find(self, attempt_ids: Iterable[UUID]) -> dict[UUID, Found] | None:
        """Return the keys of `attempt_ids` as they stand, one round trip per 1,000 and node; None if Redis is away."""
        return self.call(lambda link: _each_batch(link, attempt_ids, _read_batch))

    def differing(self, wanted: Iterable[Expected], *, now: datetime) -> list[tuple[Expected, Found]] | None:
        """Return those whose keys are wrong, with what was found; None if Redis is away."""
        return self.call(lambda link: comparing.differing(link, wanted, now))

    def read(self, attempt_id: UUID) -> Timer | None:
        """Return the key of one attempt if it is a usable one."""
        found = self.call(lambda link: _read_batch(link, link.client_for(link.key(attempt_id)), [attempt_id]))
        return found[attempt_id].timer if found else None

    def write(self, attempt_id: UUID, timer: Timer, *, keep_ms: int) -> bool:
        """Write one key unless a newer version stands there; return whether Redis answered."""

        def use(link: Link) -> bool:
            key = link.key(attempt_id)
            _write(link, link.client_for(key), [(key, timer, keep_ms, "")])
            return True

        return self.call(use) is not None

    def write_all(self, timers: dict[UUID, Timer], *, now: datetime, seen: dict[UUID, Found] | None = None) -> int:
        """Write many keys unless newer versions than those `seen` stand there; return how many Redis answered."""
        write = partial(_write_batch, timers=timers, now=now, seen=seen or {})
        return len(self.call(lambda link: _each_batch(link, timers, write)) or ())

    def takes_writes(self) -> bool:
        """Ask Redis now, each master of a cluster, whether it takes a write."""
        return bool(self.call(lambda link: link.takes_writes()))

    def policies(self) -> set[str]:
        """Return the eviction policies found, of a cluster those of all nodes."""
        return self.call(lambda link: link.policies()) or set()

    def call(self, use: Callable[[Link], Any]) -> Any:
        """Return what `use(link)` returns; None if Redis is away or refuses."""
        if self._open:
            return None
        link = None
        try:
            link = self._connected()
            self.round_trips += 1
            answer = use(link)
        except TROUBLE as error:
            self._failed(error, in_a_row=link is None or not link.is_many)
            return None
        if not link.is_many:
            # of many nodes the answer of one says nothing about the others: there only time forgives
            self._failed_at.clear()
        return answer

    def _connected(self) -> Link:
        link = self._link
        if link is None:
            link = self._look_for_it()
        elif link.can_move and time.monotonic() - self._looked_at > RENEW_SECONDS:
            # a master may be deposed without anybody noticing here; looking costs this call nothing
            self._begin_search()
        if not self._has_told_policy:
            self._has_told_policy = True
            threading.Thread(target=_tell_policy, args=(link,), name="redis-policy", daemon=True).start()
        return link

    def _look_for_it(self) -> Link:
        """Return the road to Redis; whoever has to ask around for it gets no more time than a call."""
        url = self._url()
        if url is None:
            raise redis.ConnectionError("no Redis is running")
        if links.needs_asking(url):
            # the first answer of all is worth a wait: it comes with the start of the process, before anybody writes
            self._begin_search().join(CALL_SECONDS if self._looked_at else FIRST_SECONDS)
            # set by the thread meanwhile, which mypy cannot know
            link = cast("Link | None", self._link)
            if link is None:
                raise self._trouble or redis.TimeoutError("nobody says where Redis is")
            return link
        self._link = link = links.connect(url)
        return link

    def _begin_search(self) -> threading.Thread:
        with self._guard:
            if self._search is None or not self._search.is_alive():
                self._trouble = None
                self._search = threading.Thread(target=self._find_link, name="redis-search", daemon=True)
                self._search.start()
            return self._search

    def _find_link(self) -> None:
        """Ask sentinels or a cluster where the masters are; keep the road that we have if it is still the same."""
        try:
            url = self._url()
            link = links.connect(url) if url else None
        except TROUBLE as error:
            self._trouble, link = error, None
        self._looked_at = time.monotonic()
        if link is None:
            return
        if self._link is not None and self._link.where == link.where:
            link.close()
        else:
            self._link = link

    def _failed(self, error: Exception, *, in_a_row: bool) -> None:
        is_elsewhere = isinstance(error, ELSEWHERE)
        with self._guard:
            now = time.monotonic()
            self._failed_at.append(now)
            is_enough = len(self._failed_at) == FAILURES_THAT_OPEN
            if not in_a_row:
                is_enough = is_enough and now - self._failed_at[0] < LATELY_SECONDS
            if self._open or not (is_enough or is_elsewhere):
                return
            self._open = self._broke = True
        log.warning("redis is away, the database answers alone: %s", type(error).__name__)
        probe = partial(self._probe_until_back, wait_seconds=0.0 if is_elsewhere else PROBE_SECONDS)
        threading.Thread(target=probe, name="redis-probe", daemon=True).start()

    def _probe_until_back(self, wait_seconds: float) -> None:
        while True:
            time.sleep(wait_seconds)
            wait_seconds = PROBE_SECONDS
            if not self._open:
                return
            try:
                url = self._url()
                link = links.connect(url) if url else None
                if link is not None and link.takes_writes():
                    break
            except TROUBLE:
                continue
        self._link, self._looked_at = link, time.monotonic()
        self._failed_at.clear()
        self._open = False
        log.warning("redis is back")
        _tell_policy(link)


def _each_batch(link: Link, attempt_ids: Iterable[UUID], use: Callable[..., dict[UUID, Any]]) -> dict[UUID, Any]:
    answers: dict[UUID, Any] = {}
    for client, batch in link.batches(attempt_ids):
        answers |= use(link, client, batch)
    return answers


def _read_batch(link: Link, client: redis.Redis, attempt_ids: list[UUID]) -> dict[UUID, Found]:
    found = link.read(client, [link.key(attempt_id) for attempt_id in attempt_ids])
    return {attempt_id: Found(*one) for attempt_id, one in zip(attempt_ids, found, strict=True)}


def _write_batch(
    link: Link,
    client: redis.Redis,
    attempt_ids: list[UUID],
    *,
    timers: dict[UUID, Timer],
    now: datetime,
    seen: dict[UUID, Found],
) -> dict[UUID, Any]:
    rows = []
    for attempt_id in attempt_ids:
        timer, found = timers[attempt_id], seen.get(attempt_id)
        known = found.value if found and isinstance(found.value, str) else ""
        rows.append((link.key(attempt_id), timer, timer.keep_ms(now), known))
    _write(link, client, rows)
    return dict.fromkeys(attempt_ids, True)


def _write(link: Link, client: redis.Redis, rows: list[tuple[str, Timer, int, str]]) -> None:
    """Write keys of one node in one round trip. A cluster wants a command for each: a script has one slot there."""
    at_once = 1 if link.is_many else len(rows)
    commands = [_command(rows[start : start + at_once]) for start in range(0, len(rows), at_once)]
    refusal = next((answer for answer in link.ask(client, commands) if isinstance(answer, redis.RedisError)), None)
    if refusal:
        raise refusal


def _command(rows: list[tuple[str, Timer, int, str]]) -> tuple[str, ...]:
    keys, given = [], []
    for key, timer, keep_ms, known in rows:
        keys.append(key)
        given += [timer.written(), str(timer.version), str(keep_ms), known]
    return ("EVAL", WRITE, str(len(keys)), *keys, *given)


def _tell_policy(link: Link) -> None:
    """Say in the log when Redis may throw timers away."""
    try:
        wrong = sorted(link.policies() - {WANTED_POLICY})
    except TROUBLE:
        return
    if wrong:
        log.warning("redis may evict timers: maxmemory-policy is %s, it should be %s", wrong[0], WANTED_POLICY)
