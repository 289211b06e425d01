"""A master is lost: the database answers, the probe finds the next master, nobody is stopped and nothing restarted."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from flask import Flask

from kiosk import timers
from kiosk.errors import TimerUnavailable
from kiosk.jobs import sweeper
from kiosk.services import reports
from kiosk.timers import links
from tests.cast import Hall
from tests.player import Player
from tests.timers import shapes
from tests.timers.shapes import Spread, Watched, wait

THREE_HOURS_MS = 3 * 3600 * 1000
BACK_SECONDS = 9  # a second until the master counts as dead, the vote, a second until the probe looks


# what Redis does has nothing to do with the database
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True, scope="session")


@pytest.fixture(params=["sentinel", "cluster"])
def shape(app: Flask, request: pytest.FixtureRequest) -> Iterator[Watched | Spread]:
    """A Redis with a replica, and the application on it; whole again before the next test."""
    found, usual = shapes.started(request.param), app.extensions["timers"]
    assert isinstance(found, Watched | Spread)
    found.start()
    found.client().flushall()
    app.extensions["timers"] = timers.TimerStore(lambda: found.url)
    yield found
    app.extensions["timers"] = usual


def clock_of(player: Player) -> int:
    """The milliseconds that a poll shows."""
    return reports.clock(player.attempt.id, lease=player.lease, now=player.hall.MORNING).remaining_ms


def test_a_lost_master_stops_nobody_and_its_replica_serves_within_seconds(shape: Watched | Spread, hall: Hall) -> None:
    players = [hall.player(place) for place in range(3)]
    for player in players:
        player.start()
    shape.lose_a_master()
    slowest = 0.0
    for _ in range(3):
        assert not timers.ping(), "a node is missing"
        for player in players:
            begun = time.monotonic()
            assert clock_of(player) == THREE_HOURS_MS
            slowest = max(slowest, time.monotonic() - begun)
    assert not timers.is_up(), "a master without a successor is no Redis to start an exam with"
    assert slowest < timers.CALL_SECONDS + 0.25, "each call is bounded"
    assert players[0].save(1, "A").saved

    wait(timers.is_up, BACK_SECONDS)
    sweeper.sweep(now=hall.MORNING)
    for player in players:
        attempt = player.attempt
        written = f"{timers.to_ms(attempt.deadline_at)}:{attempt.version}:{attempt.lease}"
        assert shape.client().get(shape.key(attempt.id)) == written
    assert hall.player(3).start(), "and exams start again"


def test_an_exam_that_cannot_start_now_starts_once_the_replica_serves(shape: Watched | Spread, hall: Hall) -> None:
    shape.stop()
    player = hall.player()
    with pytest.raises(TimerUnavailable):
        player.start()
    for _ in range(3):
        timers.ping()
    shape.start()
    wait(timers.is_up, BACK_SECONDS)
    assert player.start()


def test_a_failover_by_hand_is_noticed_although_the_old_master_still_answers(app: Flask, hall: Hall) -> None:
    found, usual = shapes.started("sentinel"), app.extensions["timers"]
    assert isinstance(found, Watched)
    found.start()
    app.extensions["timers"] = timers.TimerStore(lambda: found.url)
    try:
        player = hall.player()
        player.start()
        attempt, before = player.attempt, found.master()
        found.sentinels[0].client().execute_command("SENTINEL", "FAILOVER", "exam")
        follower = next(node for node in found.nodes if node is not before)
        wait(lambda: links.connect(found.url).where.endswith(f":{follower.port}"), BACK_SECONDS)
        # the sentinels would do it too, ten seconds later
        before.client().execute_command("REPLICAOF", "127.0.0.1", follower.port)
        assert clock_of(player) == THREE_HOURS_MS
        again = {"version": attempt.version + 1, "lease": attempt.lease, "now": hall.MORNING}
        wait(lambda: timers.create_timer(attempt.id, attempt.deadline_at, **again), 3)
        assert f":{attempt.version + 1}:" in follower.client().get(found.key(attempt.id))
    finally:
        app.extensions["timers"] = usual
