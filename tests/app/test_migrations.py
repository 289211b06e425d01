"""Migrations and models agree, and a database with rows goes down and up again without losing one."""

from __future__ import annotations

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import func, select

from kiosk.extensions import db
from tests.cast import Hall


def rows() -> dict[str, int]:
    """How many rows each table of the first model holds."""
    db.session.rollback()
    tables = ("organisations", "centres", "candidates", "attempts", "answers", "answer_saves", "audit_events", "users")
    return {
        name: db.session.execute(select(func.count()).select_from(db.metadata.tables[name])).scalar_one()
        for name in tables
    }


def differences() -> list[object]:
    """What the models want and the database has not."""
    with db.engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), db.metadata))


@pytest.mark.harms_the_database
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_down_and_up_again_keeps_every_row(app: Flask, hall: Hall) -> None:
    player = hall.player()
    player.start()
    player.save(1, "A")
    before = rows()
    assert differences() == []
    folder = app.config["MIGRATIONS_DIR"]
    db.session.remove()
    try:
        flask_migrate.downgrade(folder, revision="0001")
        assert differences() != []
    finally:
        flask_migrate.upgrade(folder)
    assert differences() == []
    assert rows() == before
    assert player.save(1, "B").saved
