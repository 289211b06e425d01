"""The invariants: silent on a database that our code made, loud on one that was harmed."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from kiosk.extensions import db
from kiosk.services import invariants, pauses, slots
from tests.cast import Hall

HARMS = {
    "I1": "UPDATE answers SET seq = 0 WHERE seq > 0",
    "I2": "UPDATE answer_saves SET arrived_at = '2026-11-20 04:30:00'",
    "I3": "UPDATE attempts SET deadline_at = '2026-11-21 09:30:00' WHERE status = 'in_progress'",
    "I4": "UPDATE attempts SET deadline_at = '2026-11-21 04:00:00' WHERE status = 'in_progress'",
    "I6": "UPDATE slots SET status = 'available' WHERE status = 'attempting'",
    "I8": "DELETE FROM results",
    "I9": "UPDATE attempts SET status = 'submitted' WHERE status = 'completed'",
    "I17": "UPDATE slots SET status = 'consumed', consumed_at = assigned_at WHERE status = 'attempting'",
    "I16": "UPDATE attempts SET question_set_id = (SELECT id FROM question_sets WHERE label = 'C' LIMIT 1)",
    "I16 without a question": "DELETE FROM questions WHERE id IN (SELECT question_id FROM answers WHERE number = 2)",
}


@pytest.fixture
def busy(hall: Hall) -> Hall:
    """A hall in the middle of its day: writing, paused and gone on, handed in, reset, switched."""
    players = [hall.player(place) for place in range(5)]
    for player in players[:4]:
        player.start()
        player.save(1, "A")
    players[1].submit(at=hall.after(minutes=5))
    pauses.pause([players[2].attempt.id], kind="staff", reason="fire drill", by=hall.admin, now=hall.after(minutes=6))
    pauses.unpause([players[2].attempt.id], by=hall.admin, now=hall.after(minutes=9))
    slots.reset([players[3].id], reason="wrong person", by=hall.admin, now=hall.after(minutes=10))
    hall.activate("B", at=hall.after(minutes=11), keep_running=True)
    players[4].start(at=hall.after(minutes=12))
    return hall


def broken(hall: Hall) -> dict[str, int]:
    """The names of what does not hold, with how many break it."""
    return {one.name: one.broken for one in invariants.check(now=hall.after(minutes=15)) if not one.holds}


def test_a_day_in_the_hall_breaks_nothing(busy: Hall) -> None:
    assert broken(busy) == {}


@pytest.mark.harms_the_database
@pytest.mark.parametrize("name", HARMS)
def test_each_harm_is_seen_by_its_invariant(busy: Hall, name: str) -> None:
    harm = HARMS[name].replace(":00'", ":00+00'") if db.engine.dialect.name == "postgresql" else HARMS[name]
    with db.engine.begin() as connection:
        connection.execute(text(harm))
    found = broken(busy)
    assert name.split()[0] in found
    assert all(one.examples for one in invariants.check(now=busy.MORNING) if not one.holds)


@pytest.mark.harms_the_database
def test_the_doctor_names_what_is_broken_and_says_so_with_its_exit_code(app: Flask, busy: Hall) -> None:
    run: Any = app.test_cli_runner().invoke
    healthy = run(args=["doctor"])
    assert (healthy.exit_code, "broken" in healthy.stdout) == (0, False)
    db.session.rollback()  # both runs share this test's session, and with it SQLite's snapshot
    with db.engine.begin() as connection:
        connection.execute(text(HARMS["I8"]))
    sick = run(args=["doctor"])
    assert sick.exit_code == 1
    line = next(line for line in sick.stdout.splitlines() if "broken" in line)
    assert line.startswith("I8")
