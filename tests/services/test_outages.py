"""A server that was away: everybody's clock stood still, nobody was expired."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from kiosk import clock
from kiosk.extensions import db, transaction
from kiosk.jobs import pulse, sweeper
from kiosk.models import ProcessStamp, Shift
from kiosk.services import outages, pauses, reports, system
from tests.cast import Hall


@pytest.fixture(autouse=True)
def _last_stamp(hall: Hall) -> None:
    with transaction():
        db.session.query(ProcessStamp).delete()
    system.stamp("server", now=hall.after(hours=1))


def test_two_minutes_without_a_server_cost_nobody_anything(hall: Hall) -> None:
    players = [hall.player(place) for place in range(3)]
    for player in players:
        player.start()
        player.save(1, "A")
    back = hall.after(hours=1, minutes=2)
    assert outages.recover(now=back) == 3
    sweeper.sweep(now=back)
    for player in players:
        assert player.attempt.status == "paused"
        clock = reports.clock(player.attempt.id, lease=player.lease, now=back)
        assert (clock.is_paused, clock.remaining_ms) == (True, 2 * 3600 * 1000)
    pauses.unpause([player.attempt.id for player in players], by=hall.centre_admin, now=back)
    assert players[0].attempt.deadline_at == back + timedelta(hours=2)
    assert players[0].save(2, "B", at=back).saved


def test_P4_an_outage_over_the_planned_end_expires_nobody(hall: Hall) -> None:
    player = hall.player()
    player.start()
    back = hall.after(hours=5)
    outages.recover(now=back)
    assert sweeper.sweep(now=back) == 0
    assert player.attempt.remaining_ms == 2 * 3600 * 1000


def test_a_short_absence_pauses_nobody(hall: Hall) -> None:
    player = hall.player()
    player.start()
    assert outages.recover(now=hall.after(hours=1, seconds=60)) == 0
    assert player.attempt.status == "in_progress"


def test_who_had_ended_before_the_outage_is_not_paused(hall: Hall) -> None:
    early, late = hall.player(0), hall.player(1)
    early.start()
    late.start(at=hall.after(hours=2))
    system.stamp("server", now=hall.after(hours=3, minutes=1))
    assert outages.recover(now=hall.after(hours=4)) == 1
    sweeper.sweep(now=hall.after(hours=4))
    assert early.attempt.ended_by == "expired"
    assert early.attempt.closed_at == hall.after(hours=3)
    assert late.attempt.status == "paused"


def test_who_started_after_the_last_stamp_has_the_full_time(hall: Hall) -> None:
    player = hall.player()
    player.start(at=hall.after(hours=1, seconds=3))
    outages.recover(now=hall.after(hours=1, minutes=5))
    assert player.attempt.remaining_ms == 3 * 3600 * 1000


def test_without_an_open_shift_attempts_are_ended_as_of_their_deadline(hall: Hall) -> None:
    player = hall.player()
    player.start()
    with transaction():
        db.session.execute(update(Shift).values(status="closed"))
    assert outages.recover(now=hall.after(hours=9)) == 0
    sweeper.sweep(now=hall.after(hours=9))
    assert player.attempt.closed_at == hall.after(hours=3)


def test_the_second_process_that_comes_back_finds_nothing_to_do(hall: Hall) -> None:
    player = hall.player()
    player.start()
    back = hall.after(hours=2)
    assert outages.recover(now=back) == 1
    assert outages.recover(now=back) == 0
    assert player.attempt.remaining_ms == 2 * 3600 * 1000


def test_a_machine_that_slept_pauses_everybody_when_it_wakes(hall: Hall) -> None:
    player = hall.player()
    player.start()
    clock.freeze(hall.after(hours=1, seconds=72))
    pulse._stamp()
    assert player.attempt.status == "paused"
    assert player.attempt.remaining_ms == 2 * 3600 * 1000
    pulse._stamp()
    assert player.attempt.status == "paused", "the second look finds a fresh stamp"
