"""The timer keys in Redis: a copy that may be lost, late, wrong or gone without anybody gaining or losing a second.

The same tests run against every shape of Redis.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask, current_app
from sqlalchemy import update

from kiosk import timers
from kiosk.extensions import db, transaction
from kiosk.jobs import sweeper
from kiosk.models import Attempt
from kiosk.services import pauses, reports
from kiosk.services.screens import ClockView
from tests.cast import Hall
from tests.conftest import RedisServer
from tests.counting import counting
from tests.player import Player
from tests.timers import shapes
from tests.timers.shapes import Plain

pytestmark = pytest.mark.parametrize(
    ("database_url", "shape_name"),
    [
        ("sqlite", "plain"),
        pytest.param("postgresql", "plain", marks=pytest.mark.postgresql),
        ("sqlite", "tls"),
        ("sqlite", "sentinel"),
        ("sqlite", "cluster"),
    ],
    indirect=True,
    scope="session",  # else the database of the test process would be made anew for each test
)


@pytest.fixture(scope="session")
def shape_name(request: pytest.FixtureRequest) -> str:
    """The shape of Redis of a test."""
    return request.param


@pytest.fixture
def shape(app: Flask, redis_server: RedisServer, shape_name: str) -> Iterator[Plain]:
    """A running, empty Redis of some shape, and the application on it."""
    if shape_name == "plain":
        yield Plain(redis_server)
        return
    if shape_name == "tls" and not shapes.can_tls():
        pytest.skip("this redis-server was built without TLS")
    found, usual = shapes.started(shape_name), app.extensions["timers"]
    found.start()
    found.client().flushall()
    app.extensions["timers"] = timers.TimerStore(lambda: found.url)
    yield found
    app.extensions["timers"] = usual


@pytest.fixture
def player(shape: Plain, hall: Hall) -> Player:
    """A candidate who writes."""
    player = hall.player()
    player.start()
    return player


def clock(player: Player, **later: float) -> ClockView:
    """What a poll shows."""
    return reports.clock(player.attempt.id, lease=player.lease, now=player.hall.after(**later))


def expected(player: Player) -> str:
    """What the key must hold."""
    attempt = player.attempt
    return f"{timers.to_ms(attempt.deadline_at)}:{attempt.version}:{attempt.lease}"


def test_the_key_holds_deadline_version_and_lease_and_expires_a_minute_later(player: Player, shape: Plain) -> None:
    assert shape.client().get(shape.key(player.attempt.id)) == expected(player)
    assert abs(shape.client().pttl(shape.key(player.attempt.id)) - (3 * 3600 + 60) * 1000) < 5000


WRONG_KEYS: dict[str, Callable[[Any, str, str], object]] = {
    "lost": lambda redis, key, _: redis.delete(key),
    "flushed": lambda redis, key, _: redis.flushall(),
    "of a wrong type": lambda redis, key, _: (redis.delete(key), redis.lpush(key, "x")),
    "of a wrong shape": lambda redis, key, _: redis.set(key, "123456", px=99999),
    "garbage": lambda redis, key, _: redis.set(key, "٣:x:-1", px=99999),
    "nearly right": lambda redis, key, right: redis.set(key, f"0{right}", px=99999),
    "half stopped, of a high version": lambda redis, key, _: redis.set(key, "-:99:1", px=99999),
    "without a deadline, of a high version": lambda redis, key, _: redis.set(key, ":99:1", px=99999),
    "without expiry": lambda redis, key, right: redis.set(key, right),
    "without expiry, of a high version": lambda redis, key, _: redis.set(key, "1:99:1"),
    "of another sign-in": lambda redis, key, _: redis.set(key, "1:1:1", px=99999),
}


def test_a_key_that_is_unusable_is_rebuilt_and_the_time_is_right(player: Player, shape: Plain) -> None:
    attempt, right, now = player.attempt, expected(player), player.hall.after(hours=1)
    redis, key = shape.client(), shape.key(attempt.id)
    for name, harm in WRONG_KEYS.items():
        harm(redis, key, right)
        assert reports.clock(attempt.id, lease=player.lease, now=now).remaining_ms == 2 * 3600 * 1000, name
        with counting() as counted:
            reports.clock(attempt.id, lease=player.lease, now=now)
        assert counted.statements == 0, f"{name}: the key is there again"
        assert redis.get(key) == right, name


@pytest.mark.parametrize("deadline_ms", [1, 9_999_999_999_999])
def test_a_wrong_deadline_lives_until_the_next_sweep_and_decides_nothing(
    hall: Hall, player: Player, shape: Plain, deadline_ms: int
) -> None:
    forged = f"{deadline_ms}:{player.attempt.version}:{player.lease}"
    shape.client().set(shape.key(player.attempt.id), forged, px=99999)
    assert player.save(1, "A").saved, "only the database decides"
    sweeper.sweep(now=hall.MORNING)
    assert shape.client().get(shape.key(player.attempt.id)) == expected(player)
    assert player.attempt.status == "in_progress"


def test_a_key_with_a_version_from_the_future_is_mended_too(hall: Hall, player: Player, shape: Plain) -> None:
    shape.client().set(shape.key(player.attempt.id), f"1:99:{player.lease}", px=99999)
    sweeper.sweep(now=hall.MORNING)
    assert shape.client().get(shape.key(player.attempt.id)) == expected(player)


@pytest.mark.parametrize("expires_in_ms", [100_000, 99 * 3600 * 1000], ids=["too soon", "too late"])
def test_a_key_that_expires_too_soon_or_too_late_is_mended(
    player: Player, shape: Plain, hall: Hall, expires_in_ms: int
) -> None:
    shape.client().pexpire(shape.key(player.attempt.id), expires_in_ms)
    sweeper.sweep(now=hall.MORNING)
    assert abs(shape.client().pttl(shape.key(player.attempt.id)) - (3 * 3600 + 60) * 1000) < 5000


@pytest.mark.harms_the_database
def test_what_was_changed_in_the_database_by_hand_is_in_the_key_after_the_next_sweep(
    player: Player, shape: Plain, hall: Hall
) -> None:
    sweeper.sweep(now=hall.MORNING)
    for change in ({"lease": 77}, {"deadline_at": hall.after(hours=4)}, {"version": 9}):
        with transaction():
            db.session.execute(update(Attempt).values(**change))
        sweeper.sweep(now=hall.MORNING)
        assert shape.client().get(shape.key(player.attempt.id)) == expected(player), change
    with transaction():
        db.session.execute(update(Attempt).values(status="paused", deadline_at=None, remaining_ms=1))
    sweeper.sweep(now=hall.MORNING)
    assert shape.client().get(shape.key(player.attempt.id)) == "-:9:-"


def test_the_value_of_another_attempt_is_mended(player: Player, shape: Plain, hall: Hall) -> None:
    other = hall.player(1)
    other.start()
    pauses.pause([other.attempt.id], kind="staff", reason="x", by=hall.admin, now=hall.MORNING)
    shape.client().set(shape.key(player.attempt.id), shape.client().get(shape.key(other.attempt.id)), px=99999)
    sweeper.sweep(now=hall.MORNING)
    assert shape.client().get(shape.key(player.attempt.id)) == expected(player)


def test_what_was_written_between_looking_and_mending_stays(player: Player, shape: Plain, hall: Hall) -> None:
    key, attempt = shape.key(player.attempt.id), player.attempt
    newer = f"{timers.to_ms(attempt.deadline_at) + 1}:{attempt.version + 1}:{attempt.lease}"
    shape.client().delete(key)
    store = current_app.extensions["timers"]
    found = store.find([attempt.id])
    shape.client().set(key, newer, px=99999)
    wanted = {one.attempt_id: one.timer for one in sweeper.truth(hall.MORNING, True)}
    store.write_all(wanted, now=hall.MORNING, seen=found)
    assert shape.client().get(key) == newer


def test_many_timers_are_stopped_at_once_and_never_with_an_older_version(shape: Plain, hall: Hall) -> None:
    ids = [uuid4() for _ in range(1100)]
    timers.create_timers({i: timers.Timer(1, 7, 1) for i in ids}, now=hall.MORNING)
    timers.delete_timers({i: 6 if place % 2 else 8 for place, i in enumerate(ids)})
    found = current_app.extensions["timers"].find(ids)
    assert [found[i].timer.version for i in ids] == [7 if place % 2 else 8 for place in range(1100)]


def test_a_line_that_redis_has_ended_is_opened_anew_before_the_next_question(player: Player, shape: Plain) -> None:
    assert timers.read_timer(player.attempt.id)
    for _node in range(2):
        shape.client().execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert timers.read_timer(player.attempt.id), "nothing has failed: Redis was there all the time"


def test_a_slow_writer_never_brings_an_older_timer_back(hall: Hall, player: Player, shape: Plain) -> None:
    attempt = player.attempt
    player.submit()
    ended = shape.client().get(shape.key(player.attempt.id))
    timers.create_timer(attempt.id, hall.after(hours=3), version=1, lease=player.lease, now=hall.MORNING)
    assert shape.client().get(shape.key(player.attempt.id)) == ended
    assert ended.startswith("-:")


def test_after_redis_comes_back_empty_every_key_is_there_within_one_sweep(shape: Plain, hall: Hall) -> None:
    players = [hall.player(place) for place in range(3)]
    for player in players:
        player.start()
    shape.stop()
    for player in players:
        assert clock(player, minutes=1).remaining_ms == (3 * 3600 - 60) * 1000
    assert not timers.is_up()
    shape.start()
    _until(timers.is_up)
    sweeper.sweep(now=hall.after(minutes=2))
    assert [shape.client().get(shape.key(player.attempt.id)) for player in players] == [
        expected(player) for player in players
    ]


def test_a_dead_redis_is_found_out_after_three_calls_and_found_again_within_two_seconds(
    player: Player, shape: Plain
) -> None:
    shape.stop()
    with counting() as counted:
        for _ in range(10):
            clock(player)
    assert counted.round_trips == 3, "then the breaker is open"
    shape.start()
    begun = time.monotonic()
    _until(timers.is_up)
    assert time.monotonic() - begun < 2.5


def test_a_redis_that_hangs_costs_a_bounded_time(player: Player, shape: Plain) -> None:
    shape.pause(1500)
    begun = time.monotonic()
    with counting() as counted:
        for _ in range(10):
            assert clock(player).remaining_ms == 3 * 3600 * 1000
    assert counted.round_trips == 3, "none waited until it answered; then the breaker was open"
    assert time.monotonic() - begun < 3 * 2 * timers.CALL_SECONDS + 0.5, "a connection and an answer each"
    _until(timers.is_up)


def test_reconciling_does_not_touch_right_keys(shape: Plain, hall: Hall, player: Player) -> None:
    sweeper.sweep(now=hall.MORNING)
    assert timers.reconcile(lambda: sweeper.truth(hall.MORNING, True), now=hall.MORNING) == 0
    pauses.pause([player.attempt.id], kind="staff", reason="x", by=hall.admin, now=hall.MORNING)
    assert timers.reconcile(lambda: sweeper.truth(hall.MORNING, True), now=hall.MORNING) == 0


def _until(condition: Callable[[], bool], seconds: float = 4) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
