"""What PostgreSQL is told of the tables that everybody writes to."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect, text

from kiosk.extensions import db


@pytest.mark.usefixtures("hall")
def test_an_answer_refers_to_its_attempt_and_locks_no_question() -> None:
    """Everybody starts with the same questions: a foreign key would be a lock on each of them, for each start."""
    referred = {key["referred_table"] for key in inspect(db.engine).get_foreign_keys("answers")}
    assert referred == {"attempts"}


@pytest.mark.usefixtures("hall")
def test_answers_have_room_for_their_next_version() -> None:
    if db.engine.dialect.name != "postgresql":
        return  # SQLite changes rows in place
    chosen = db.session.execute(text("SELECT reloptions FROM pg_class WHERE relname = 'answers'")).scalar_one()
    assert chosen == ["fillfactor=50"]
