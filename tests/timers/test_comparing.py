"""Thousands of keys compared with what they should say: few round trips, and every kind of wrong key is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask, current_app

from kiosk import timers
from kiosk.timers import Expected, Timer, links
from tests.cast import Hall
from tests.conftest import RedisServer
from tests.timers import shapes
from tests.timers.shapes import Plain

# what Redis does has nothing to do with the database
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True, scope="session")

NOW = Hall.MORNING
IN_AN_HOUR_MS = timers.to_ms(NOW + timedelta(hours=1))
KEPT_MS = (3600 + 60) * 1000


@pytest.fixture(params=["plain", "tls", "sentinel", "cluster"])
def shape(app: Flask, redis_server: RedisServer, request: pytest.FixtureRequest) -> Iterator[Plain]:
    """A running, empty Redis of some shape, and the application on it."""
    if request.param == "tls" and not shapes.can_tls():
        pytest.skip("this redis-server was built without TLS")
    found = Plain(redis_server) if request.param == "plain" else shapes.started(request.param)
    usual = app.extensions["timers"]
    found.start()
    found.client().flushall()
    app.extensions["timers"] = timers.TimerStore(lambda: found.url)
    with app.app_context():
        yield found
    app.extensions["timers"] = usual


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many commands each round trip carried."""
    carried: list[int] = []
    ask = links.Link.ask

    def counted(self: links.Link, client: Any, commands: Any) -> list[Any]:
        carried.append(len(commands))
        return ask(self, client, commands)

    monkeypatch.setattr(links.Link, "ask", counted)
    return carried


def written(count: int) -> list[Expected]:
    """So many attempts that end in an hour, with their keys as they should be."""
    known = [timers.expected(uuid4(), Timer(IN_AN_HOUR_MS + place, 3, 1)) for place in range(count)]
    timers.create_timers({one.attempt_id: one.timer for one in known}, now=NOW)
    return known


def reconciled(known: list[Expected]) -> int:
    """Compare and mend; how many were wrong."""
    return timers.reconcile(lambda: known, now=NOW)


def test_a_right_key_of_thousands_costs_nothing_but_its_share_of_a_round_trip(shape: Plain, trips: list[int]) -> None:
    known = written(2500)
    assert len(trips) == 3, "one for each thousand and node"
    trips.clear()
    assert reconciled(known) == 0
    assert len(trips) == 3
    is_cluster = isinstance(shape, shapes.Spread)
    assert sum(trips) == (5000 if is_cluster else 3), "one Redis compares by itself"


def test_all_that_is_lost_is_written_again_in_as_few_round_trips(shape: Plain, trips: list[int]) -> None:
    known = written(2500)
    shape.client().flushall()
    trips.clear()
    assert reconciled(known) == 2500
    assert len(trips) == 6
    assert reconciled(known) == 0


HARMS: dict[str, Callable[[Any, str, str], object]] = {
    "lost": lambda redis, key, _: redis.delete(key),
    "of a wrong type": lambda redis, key, _: (redis.delete(key), redis.lpush(key, "x")),
    "of a wrong type that expires": lambda redis, key, _: (
        redis.delete(key),
        redis.lpush(key, "x"),
        redis.pexpire(key, KEPT_MS),
    ),
    "of a wrong shape": lambda redis, key, _: redis.set(key, "123456", px=KEPT_MS),
    "empty": lambda redis, key, _: redis.set(key, "", px=KEPT_MS),
    "longer than right": lambda redis, key, right: redis.set(key, f"{right}0", px=KEPT_MS),
    "without expiry": lambda redis, key, right: redis.set(key, right),
    "of another sign-in": lambda redis, key, right: redis.set(key, right[:-1] + "2", px=KEPT_MS),
    "of a lower version": lambda redis, key, right: redis.set(key, right.replace(":3:", ":2:"), px=KEPT_MS),
    "of a higher version": lambda redis, key, right: redis.set(key, right.replace(":3:", ":4:"), px=KEPT_MS),
    "of another deadline": lambda redis, key, right: redis.set(key, "1" + right, px=KEPT_MS),
    "stopped": lambda redis, key, _: redis.set(key, "-:3:-", px=KEPT_MS),
    "gone too soon": lambda redis, key, _: redis.pexpire(key, KEPT_MS - 31_000),
    "kept too long": lambda redis, key, _: redis.pexpire(key, KEPT_MS + 31_000),
}


def test_each_kind_of_wrong_key_is_mended_and_its_neighbours_are_left(shape: Plain) -> None:
    known, redis = written(3), shape.client()
    one, key = known[1], shape.key(known[1].attempt_id)
    for name, harm in HARMS.items():
        harm(redis, key, one.written)
        assert reconciled(known) == 1, name
        assert redis.get(key) == one.written, name
        assert abs(redis.pttl(key) - KEPT_MS) < 5000, name
    assert reconciled(known) == 0


def test_a_few_seconds_of_drift_in_the_expiry_are_no_harm(shape: Plain) -> None:
    known = written(2)
    for off_ms in (-25_000, 25_000):
        shape.client().pexpire(shape.key(known[0].attempt_id), KEPT_MS + off_ms)
        assert reconciled(known) == 0


def test_a_clock_that_stands_needs_no_key_and_bears_no_other(shape: Plain) -> None:
    stopped, redis = timers.expected(uuid4(), Timer(None, 7, None)), shape.client()
    key = shape.key(stopped.attempt_id)
    assert reconciled([stopped]) == 0, "its minute is over"
    redis.set(key, "-:7:-", px=1000)
    assert reconciled([stopped]) == 0, "its minute is nearly over"
    for value, expiry in ((f"{IN_AN_HOUR_MS}:6:1", KEPT_MS), ("-:7:-", None), ("-:7:-", KEPT_MS), ("-:6:-", 1000)):
        redis.set(key, value, px=expiry)
        assert reconciled([stopped]) == 1, (value, expiry)
        assert redis.get(key) == "-:7:-"
        assert 0 < redis.pttl(key) <= 60_000


def test_a_higher_version_stays_if_the_database_has_it_by_now(shape: Plain) -> None:
    (known,) = written(1)
    newer = timers.expected(known.attempt_id, Timer(IN_AN_HOUR_MS + 60_000, 4, 1))
    timers.create_timers({newer.attempt_id: newer.timer}, now=NOW)
    answers = [[known], [newer]]
    assert timers.reconcile(lambda: answers.pop(0), now=NOW) == 0
    assert shape.client().get(shape.key(known.attempt_id)) == newer.written


def test_of_many_written_at_once_only_the_newer_one_stays(shape: Plain) -> None:
    known, redis = written(3), shape.client()
    newer = known[1].written.replace(":3:", ":4:")
    redis.set(shape.key(known[1].attempt_id), newer, px=KEPT_MS)
    timers.create_timers({one.attempt_id: Timer(IN_AN_HOUR_MS, 3, 2) for one in known}, now=NOW)
    mended = f"{IN_AN_HOUR_MS}:3:2"
    assert [redis.get(shape.key(one.attempt_id)) for one in known] == [mended, newer, mended]


def test_without_redis_nothing_is_compared_and_nothing_raised(shape: Plain) -> None:
    known = written(1)
    usual = current_app.extensions["timers"]
    current_app.extensions["timers"] = timers.TimerStore(lambda: None)
    assert reconciled(known) == 0
    current_app.extensions["timers"] = usual
