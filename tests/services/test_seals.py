"""Seals on the audit log: whoever changes, removes or puts in a row breaks the chain, and the doctor names the seal."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from kiosk.extensions import db
from kiosk.models import AuditEvent
from kiosk.services import seals
from tests.cast import Hall
from tests.snapshot import _lift_guards

# the log's ids go by the clock, which earlier tests of this process may have set to a later hour
LATER = Hall.MORNING + timedelta(days=30)


@pytest.fixture
def sealed(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> Hall:
    """A hall whose log is sealed in batches of five."""
    monkeypatch.setattr(seals, "BATCH", 5)
    hall.player(0).start()
    assert seals.seal(now=LATER) > 10
    return hall


def tamper(statement: str) -> None:
    """Change the log as its owner could: with the guards off."""
    with db.engine.begin() as connection:
        guards = _lift_guards(connection)
        assert connection.execute(text(statement)).rowcount
        for guard in guards:
            connection.exec_driver_sql(guard)


def second_seal() -> int:
    """The number of the second seal; leaves no snapshot open in which the tampering would not be seen."""
    number = [one.id for one in seals._seals()][1]
    db.session.rollback()
    return number


def nth(place: int) -> str:
    """The id of one row of the log, as SQL."""
    return f"(SELECT id FROM audit_events ORDER BY id LIMIT 1 OFFSET {place})"


def test_untouched_seals_hold_and_speak_for_every_event(sealed: Hall) -> None:
    verdict = seals.verify(now=LATER)
    assert (verdict.broken, verdict.unsealed) == ([], 0)
    assert verdict.rows == db.session.query(AuditEvent).count()
    assert verdict.newest == seals.newest().hash  # type: ignore[union-attr]


def test_nothing_is_sealed_twice_and_nothing_before_it_has_settled(sealed: Hall) -> None:
    assert seals.seal(now=LATER) == 0
    count = seals.verify(now=LATER).seals
    sealed.player(1).start()
    assert seals.seal(now=Hall.MORNING - timedelta(days=1)) == 0
    assert seals.verify(now=LATER).unsealed
    assert seals.seal(now=LATER)
    assert seals.verify(now=LATER).seals > count


@pytest.mark.harms_the_database
@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (f"UPDATE audit_events SET reason = 'another' WHERE id = {nth(6)}", "a row was changed"),
        (f"UPDATE audit_events SET actor_name = 'nobody' WHERE id = {nth(6)}", "a row was changed"),
        (f"DELETE FROM audit_events WHERE id = {nth(6)}", "1 rows are missing"),
        (
            # a row between two others: the id of the sixth with another end
            "INSERT INTO audit_events (id, at, actor_kind, actor_name, action, object_kind, object_id) "
            "SELECT CAST(substr(CAST(id AS text), 1, length(CAST(id AS text)) - 4) || 'ffff' AS {uuid}), "
            "at, actor_kind, 'nobody', action, object_kind, object_id "
            f"FROM audit_events WHERE id = {nth(6)}",
            "1 rows were put in",
        ),
        ("UPDATE audit_seals SET hash_before = 'abc' WHERE id = (SELECT min(id) + 1 FROM audit_seals)", "it does not"),
        ("DELETE FROM audit_seals WHERE id = (SELECT min(id) + 1 FROM audit_seals)", "it does not follow"),
    ],
)
def test_each_way_to_tamper_breaks_exactly_the_seal_that_speaks_for_it(sealed: Hall, statement: str, why: str) -> None:
    second = second_seal()
    tamper(statement.replace("{uuid}", "uuid" if db.engine.dialect.name == "postgresql" else "text"))
    broken = seals.verify(now=LATER).broken
    assert [one.why.startswith(why) for one in broken] == [True]
    assert broken[0].seal_id == second + statement.startswith("DELETE FROM audit_seals")


@pytest.mark.harms_the_database
def test_the_doctor_names_the_broken_seal(app: Flask, sealed: Hall) -> None:
    run: Any = app.test_cli_runner().invoke
    healthy = run(args=["doctor"])
    assert healthy.exit_code == 0, healthy.stdout
    assert "seals hold over" in healthy.stdout
    db.session.rollback()
    second = second_seal()
    tamper(f"UPDATE audit_events SET action = 'reset' WHERE id = {nth(6)}")
    sick = run(args=["doctor"])
    assert (sick.exit_code, f"seal {second}, events " in sick.stdout) == (1, True)


def test_sweepers_that_seal_side_by_side_make_one_chain(
    app: Flask, hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "BATCH", 2)
    db.session.rollback()
    start, counts = threading.Barrier(4), []

    def sweep() -> None:
        with app.app_context():
            start.wait()
            counts.append(seals.seal(now=LATER))
            db.session.remove()

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seals.seal(now=LATER)
    verdict = seals.verify(now=LATER)
    assert (verdict.broken, verdict.unsealed) == ([], 0)
    assert verdict.rows == db.session.query(AuditEvent).count()


def test_a_seal_cannot_be_changed_without_switching_the_guards_off(sealed: Hall) -> None:
    for statement in ("UPDATE audit_seals SET row_count = 1", "DELETE FROM audit_seals"):
        with pytest.raises(Exception, match="append-only"), db.engine.begin() as connection:
            connection.execute(text(statement))
