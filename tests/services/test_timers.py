"""The timer keys in Redis: a copy that may be lost, late, wrong or gone without anybody gaining or losing a second."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from kiosk import timers
from kiosk.jobs import sweeper
from kiosk.services import pauses, reports
from kiosk.services.screens import ClockView
from tests.cast import Hall, Player
from tests.conftest import RedisServer
from tests.counting import counting


@pytest.fixture
def player(hall: Hall) -> Player:
    """A candidate who writes."""
    player = hall.player()
    player.start()
    return player


def key(player: Player) -> str:
    """The name of the candidate's key."""
    return f"exam:timer:{player.attempt.id}"


def clock(player: Player, **later: float) -> ClockView:
    """What a poll shows."""
    return reports.clock(player.attempt.id, lease=player.lease, now=player.hall.after(**later))


def expected(player: Player) -> str:
    """What the key must hold."""
    attempt = player.attempt
    return f"{timers.to_ms(attempt.deadline_at)}:{attempt.version}:{attempt.lease}"


def test_the_key_holds_deadline_version_and_lease_and_expires_a_minute_later(
    player: Player, redis_server: RedisServer
) -> None:
    assert redis_server.client().get(key(player)) == expected(player)
    assert abs(redis_server.client().pttl(key(player)) - (3 * 3600 + 60) * 1000) < 5000


WRONG_KEYS: dict[str, Callable[[RedisServer, Player], object]] = {
    "lost": lambda server, player: server.client().delete(key(player)),
    "flushed": lambda server, _: server.client().flushall(),
    "of a wrong type": lambda server, player: (
        server.client().delete(key(player)),
        server.client().lpush(key(player), "x"),
    ),
    "of a wrong shape": lambda server, player: server.client().set(key(player), "123456", px=99999),
    "garbage": lambda server, player: server.client().set(key(player), "٣:x:-1", px=99999),
    "without expiry": lambda server, player: server.client().set(key(player), expected(player)),
    "of another sign-in": lambda server, player: server.client().set(key(player), "1:1:1", px=99999),
}


@pytest.mark.parametrize("harm", WRONG_KEYS.values(), ids=WRONG_KEYS.keys())
def test_a_key_that_is_unusable_is_rebuilt_and_the_time_is_right(
    player: Player, redis_server: RedisServer, harm
) -> None:  # type: ignore[no-untyped-def]
    harm(redis_server, player)
    assert clock(player, hours=1).remaining_ms == 2 * 3600 * 1000
    attempt_id, lease = player.attempt.id, player.lease
    with counting() as counted:
        reports.clock(attempt_id, lease=lease, now=player.hall.after(hours=1))
    assert counted.statements == 0, "the key is there again"


@pytest.mark.parametrize("deadline_ms", [1, 9_999_999_999_999])
def test_a_wrong_deadline_lives_until_the_next_sweep_and_decides_nothing(
    hall: Hall, player: Player, redis_server: RedisServer, deadline_ms: int
) -> None:
    forged = f"{deadline_ms}:{player.attempt.version}:{player.lease}"
    redis_server.client().set(key(player), forged, px=99999)
    assert player.save(1, "A").saved, "only the database decides"
    sweeper.sweep(now=hall.MORNING)
    assert redis_server.client().get(key(player)) == expected(player)
    assert player.attempt.status == "in_progress"


def test_a_key_with_a_version_from_the_future_is_mended_too(
    hall: Hall, player: Player, redis_server: RedisServer
) -> None:
    redis_server.client().set(key(player), f"1:99:{player.lease}", px=99999)
    sweeper.sweep(now=hall.MORNING)
    assert redis_server.client().get(key(player)) == expected(player)


def test_a_slow_writer_never_brings_an_older_timer_back(hall: Hall, player: Player, redis_server: RedisServer) -> None:
    attempt = player.attempt
    player.submit()
    ended = redis_server.client().get(key(player))
    timers.create_timer(attempt.id, hall.after(hours=3), version=1, lease=player.lease, now=hall.MORNING)
    assert redis_server.client().get(key(player)) == ended
    assert ended.startswith("-:")


def test_after_redis_comes_back_empty_every_key_is_there_within_one_sweep(
    hall: Hall, redis_server: RedisServer
) -> None:
    players = [hall.player(place) for place in range(3)]
    for player in players:
        player.start()
    redis_server.stop()
    for player in players:
        assert clock(player, minutes=1).remaining_ms == (3 * 3600 - 60) * 1000
    assert not timers.is_up()
    redis_server.start()
    _until(timers.is_up)
    sweeper.sweep(now=hall.after(minutes=2))
    assert [redis_server.client().get(key(player)) for player in players] == [expected(player) for player in players]


def test_a_dead_redis_is_found_out_after_three_calls_and_found_again_within_two_seconds(
    player: Player, redis_server: RedisServer
) -> None:
    redis_server.stop()
    with counting() as counted:
        for _ in range(10):
            clock(player)
    assert counted.round_trips == 3, "then the breaker is open"
    redis_server.start()
    begun = time.monotonic()
    _until(timers.is_up)
    assert time.monotonic() - begun < 2.5


def test_a_redis_that_hangs_costs_a_bounded_time(player: Player, redis_server: RedisServer) -> None:
    redis_server.client().execute_command("CLIENT", "PAUSE", 1500)
    begun = time.monotonic()
    for _ in range(10):
        assert clock(player).remaining_ms == 3 * 3600 * 1000
    assert time.monotonic() - begun < 3 * timers.CALL_SECONDS + 0.5
    _until(timers.is_up)


def test_reconciling_does_not_touch_right_keys(hall: Hall, player: Player) -> None:
    sweeper.sweep(now=hall.MORNING)
    assert timers.reconcile(lambda: sweeper.truth(hall.MORNING, True), now=hall.MORNING) == 0
    pauses.pause([player.attempt.id], kind="staff", reason="x", by=hall.admin, now=hall.MORNING)
    assert timers.reconcile(lambda: sweeper.truth(hall.MORNING, True), now=hall.MORNING) == 0


def _until(condition: Callable[[], bool], seconds: float = 4) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
