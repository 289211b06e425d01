"""The exam timer in Redis: the fast path of every poll. The only package that speaks Redis.

The key `exam:timer:{attempt_id}` holds `deadline_ms:version:lease`. It is a copy; the database has the truth.
Redis may be slow, restarted, emptied or gone: then reads give None, writes give False, and the caller asks the
database. Nothing here raises because of Redis.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from flask import Flask, current_app

from kiosk.timers.comparing import Expected, expected
from kiosk.timers.keys import KEEP_AFTER_DEADLINE_MS, Found, Timer, from_ms, to_ms
from kiosk.timers.links import CALL_SECONDS, WANTED_POLICY
from kiosk.timers.store import TimerStore
from kiosk.timers.strays import delete_strays

__all__ = [
    "CALL_SECONDS",
    "KEEP_AFTER_DEADLINE_MS",
    "Expected",
    "Timer",
    "TimerStore",
    "create_timer",
    "create_timers",
    "delete_strays",
    "delete_timer",
    "delete_timers",
    "expected",
    "forget_timer",
    "from_ms",
    "init_app",
    "is_up",
    "maxmemory_policy",
    "ping",
    "read_timer",
    "reconcile",
    "to_ms",
    "took_a_break",
]


def create_timer(attempt_id: UUID, deadline_at: datetime, *, version: int, lease: int, now: datetime) -> bool:
    """Write the key of a running attempt; return whether Redis took it."""
    timer = Timer(to_ms(deadline_at), version, lease)
    return _store().write(attempt_id, timer, keep_ms=timer.keep_ms(now))


def create_timers(timers: dict[UUID, Timer], *, now: datetime) -> None:
    """As `create_timer` for many attempts at once: one round trip per 1,000."""
    if timers:
        _store().write_all(timers, now=now)


def delete_timer(attempt_id: UUID, *, version: int) -> bool:
    """Leave `-:version:-` for 60 s: polls learn of the end at once and no slower reader brings the timer back."""
    return _store().write(attempt_id, Timer(None, version, None), keep_ms=KEEP_AFTER_DEADLINE_MS)


def delete_timers(versions: dict[UUID, int]) -> None:
    """As `delete_timer` for many attempts at once: one round trip per 1,000."""
    create_timers({i: Timer(None, version, None) for i, version in versions.items()}, now=from_ms(0))


def forget_timer(attempt_id: UUID) -> None:
    """Remove the key of an attempt that never came to be."""
    _store().call(lambda link: link.client_for(link.key(attempt_id)).delete(link.key(attempt_id)))


def read_timer(attempt_id: UUID) -> Timer | None:
    """Return what Redis knows; None for no usable key: then only the database can tell."""
    return _store().read(attempt_id)


def reconcile(truth: Callable[[], list[Expected]], *, now: datetime) -> int:
    """Mend the keys that differ from the database; return how many were wrong.

    `truth` is asked again before a key with a higher version than the database's is overwritten: the
    change that made it may have been committed in between. A key that was written anew since it was
    read here, with a higher version, stays.
    """
    store, known = _store(), truth()
    wrong = store.differing(known, now=now) if known and store.is_up else None
    if not wrong:
        return 0
    found = {one.attempt_id: there for one, there in wrong}
    wanted = {one.attempt_id: one.timer for one, _ in wrong}
    if any(_is_ahead(found[i], timer) for i, timer in wanted.items()):
        again = {one.attempt_id: one.timer for one in truth() if one.attempt_id in found}
        wanted = {i: timer for i, timer in again.items() if not found[i].is_right(timer, now)}
    return store.write_all(wanted, now=now, seen=found) if wanted else 0


def is_up() -> bool:
    """Whether Redis answered lately."""
    return _store().is_up


def ping() -> bool:
    """Ask Redis now whether it takes a write: a full one still answers a PING, but no exam could start."""
    return _store().takes_writes()


def took_a_break() -> bool:
    """Whether Redis was away since the last call: then every key is to be compared, not only the changed ones."""
    return _store().took_a_break()


def maxmemory_policy() -> str | None:
    """Return Redis' eviction policy, a wrong one if any node has one; None where Redis does not say."""
    policies = _store().policies()
    return min(policies - {WANTED_POLICY} or policies, default=None)


def init_app(app: Flask, url: Callable[[], str | None]) -> None:
    """Give `app` its connection; `url` is asked again at each probe, as the embedded Redis may come later."""
    app.extensions["timers"] = TimerStore(url)


def _store() -> TimerStore:
    return current_app.extensions["timers"]


def _is_ahead(found: Found, timer: Timer) -> bool:
    return found.timer is not None and found.timer.version > timer.version
