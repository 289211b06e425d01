"""Clocks that are wrong, sweepers that sleep, databases that are older than Redis, lost races: inside one process."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from kiosk import clock, extensions, timers
from kiosk.errors import KioskError, NotFound, TimeOver, TimerUnavailable
from kiosk.extensions import db, retried
from kiosk.fair_lock import FairLock
from kiosk.ids import uuid7
from kiosk.jobs import sweeper
from kiosk.services import answers, reports, sitting_reports, system
from tests.cast import Hall
from tests.conftest import RedisServer
from tests.counting import counting
from tests.snapshot import Snapshot

THREE_HOURS_MS = 3 * 3600 * 1000


@pytest.mark.parametrize("wrong_seconds", [3600, -3600, 90])
def test_C1_a_host_whose_clock_is_wrong_decides_by_the_databases(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, wrong_seconds: int
) -> None:
    wrong = SimpleNamespace(
        time=lambda: time.time() + wrong_seconds, monotonic=lambda: time.monotonic() + wrong_seconds
    )
    monkeypatch.setattr(clock, "time", wrong)
    monkeypatch.setattr(clock, "_offset_seconds", None)
    monkeypatch.setattr(clock, "_doubtful_offset", None)
    clock.freeze(None)
    assert system.measure_clock()
    assert abs((clock.now() - system.database_time()).total_seconds()) < 1
    assert clock.is_trusted()


def test_P1_without_any_sweeper_every_answer_knows_that_time_is_over(hall: Hall) -> None:
    player = hall.player()
    player.start()
    player.save(1, "A", seq=1)
    late = hall.after(hours=3, seconds=3)
    attempt_id = player.attempt.id
    assert reports.clock(attempt_id, lease=player.lease, now=late).is_time_over
    assert sitting_reports.time_of(attempt_id, now=late).status == "expired"
    with pytest.raises(TimeOver):
        player.save(1, "B", seq=2, at=late)
    assert player.attempt.status == "in_progress", "reading and refusing write no status"
    player.submit(at=late)
    attempt = player.attempt
    assert (attempt.ended_by, attempt.closed_at) == ("expired", hall.after(hours=3))
    assert system.readiness()["sweeper"] == "degraded"


def test_P5_a_database_older_than_redis_begins_anew_and_no_old_key_lets_anything_in(
    hall: Hall, snapshot: Snapshot, redis_server: RedisServer
) -> None:
    player = hall.player()
    player.start()
    old, response = player.attempt.id, ("A", "B")
    question_id = player.paper()[0][1]
    running = hall.player(1)
    running.start()
    db.session.rollback()
    snapshot.restore()  # the backup was made before anybody started
    redis_server.client().set("exam:timer:of-nobody", "nothing", px=60_000)
    redis_server.client().lpush(f"exam:timer:{uuid7()}", "of a wrong type")
    assert redis_server.client().exists(f"exam:timer:{old}")
    assert sweeper.delete_strays() == 3
    with pytest.raises(NotFound):
        sitting_reports.time_now(old, candidate_id=player.id, lease=player.lease, now=hall.after(minutes=1))
    with pytest.raises(KioskError) as refused:
        answers.save(
            old, question_id, response[0], seq=1, lease=player.lease, by=player.actor, now=hall.after(minutes=1)
        )
    assert isinstance(refused.value, NotFound)
    again = player.start(at=hall.after(minutes=2))
    assert again.is_new
    assert again.attempt_id != old
    assert reports.clock(again.attempt_id, lease=player.lease, now=hall.after(minutes=2)).remaining_ms == THREE_HOURS_MS
    sweeper.sweep(now=hall.after(minutes=2))
    written = redis_server.client().get(f"exam:timer:{again.attempt_id}")
    assert str(written).startswith(f"{timers.to_ms(hall.after(hours=3, minutes=2))}:")
    assert sweeper.delete_strays() == 0


def test_P5_the_key_of_an_attempt_that_was_ended_in_the_backup_says_no_more_that_time_is_left(
    hall: Hall, redis_server: RedisServer
) -> None:
    player, other, ended = hall.player(), hall.player(1), hall.player(2)
    running, key = [one.start().attempt_id for one in (player, other, ended)], "exam:timer:{}"
    old = redis_server.client().get(key.format(running[2]))
    ended.submit()
    assert sweeper.delete_strays() == 0, "a key that says the clock stopped stays its minute"
    redis_server.client().set(key.format(running[2]), str(old), px=90_000)
    assert sweeper.delete_strays() == 1
    assert [redis_server.client().exists(key.format(one)) for one in running] == [1, 1, 0]


class LostRace(Exception):
    """What the database says to the loser of a race that may be tried again."""

    sqlstate = "40001"


def test_D5_a_lost_serialization_race_is_tried_again_whole_and_has_one_effect(hall: Hall) -> None:
    player, tries = hall.player(), []
    player.start()

    @retried
    def save_and_lose() -> None:
        tries.append(player.save(1, "A", seq=1))
        if len(tries) < 3:
            raise OperationalError("COMMIT", {}, LostRace())

    save_and_lose()
    assert [saved.seq for saved in tries] == [1, 1, 1]
    assert player.paper()[0][3] == "A"


def test_D5_who_has_waited_long_already_is_refused_and_not_made_to_wait_again(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []
    monkeypatch.setattr(extensions, "RETRY_WITHIN_SECONDS", 0.0)

    @retried
    def lose() -> None:
        tries.append(1)
        raise OperationalError("COMMIT", {}, LostRace())

    with pytest.raises(OperationalError):
        lose()
    assert len(tries) == 1


def test_D5_sqlites_one_writer_waits_in_turn_and_only_so_long() -> None:
    lock = FairLock()
    assert lock.acquire(within_seconds=1)
    assert not lock.acquire(within_seconds=0.05)
    lock.release()
    assert lock.acquire(within_seconds=0.05), "who gave up waiting is not waited for"
    lock.release()


def test_A3_a_switch_costs_the_same_few_statements_however_many_write(hall: Hall) -> None:
    def statements(writers: int, label: str) -> int:
        for place in range(writers):
            hall.player(place).start()
        with counting() as counted:
            hall.activate(label)
        return counted.statements

    assert statements(1, "B") == statements(5, "C")


def test_R1_with_the_switch_for_the_day_it_stays_down_exams_start_without_redis(
    app: Flask, hall: Hall, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis_server.stop()
    with pytest.raises(TimerUnavailable):
        hall.player().start()
    monkeypatch.setitem(app.extensions, "settings", replace(system.settings(), start_without_redis=True))
    started = hall.player().start()
    assert started.is_new
    assert reports.clock(started.attempt_id, lease=started.lease, now=hall.MORNING).remaining_ms == THREE_HOURS_MS
