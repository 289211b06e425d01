"""PostgreSQL's lines: what a hot statement sends along, and a line that the database has ended."""

from __future__ import annotations

import time

import psycopg
import pytest
from sqlalchemy import event

from kiosk.extensions import db
from kiosk.services import answers
from tests.cast import Hall

pytestmark = pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True, scope="session"
)
OTHERS = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def end_all_lines() -> None:
    """Let the database end every connection, as a restart does."""
    db.session.remove()
    address = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as console:
        console.execute(f"SELECT pg_terminate_backend(pid) FROM {OTHERS}")  # type: ignore[arg-type]
        while console.execute(f"SELECT 1 FROM {OTHERS}").fetchone():  # type: ignore[arg-type]
            time.sleep(0.01)


def test_a_line_that_the_database_has_ended_is_replaced_before_it_is_used(hall: Hall) -> None:
    player = hall.player()
    player.start()
    for seq in (1, 2):
        end_all_lines()
        assert player.save(1, "AB"[seq - 1], seq=seq).saved
    end_all_lines()
    player.submit()
    assert player.attempt.status == "completed"


def test_a_hot_statement_is_sent_alone_and_all_others_with_a_begin(hall: Hall) -> None:
    player = hall.player()
    attempt_id, question_id = player.start().attempt_id, player.paper()[0][1]
    db.session.remove()
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement.partition(" ")[0])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        given = {"lease": player.lease, "by": player.actor, "now": hall.MORNING}
        answers.save(attempt_id, question_id, "B", seq=1, **given)
        answers.go(attempt_id, to_number=2, left_number=1, marked=True, **given)
        assert len(sent) == 2
        assert "BEGIN" not in sent
        player.submit()
        assert sent[2] == "BEGIN"
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
