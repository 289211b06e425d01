"""The copy before a migration: made when there is something to lose, and whole."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kiosk import create_app
from kiosk.config import load_settings
from kiosk.runtime import StartRefused, database
from kiosk.services import schema

SECRET = "a secret key for tests that is long enough"


@pytest.fixture
def settings(tmp_path: Path):
    """Production settings: a migrated database without demo data."""
    return load_settings({"KIOSK_INSTANCE_DIR": str(tmp_path), "KIOSK_ENV": "production", "KIOSK_SECRET_KEY": SECRET})


@pytest.fixture
def prepare(settings):
    """Prepares the database and returns what was said."""
    app = create_app(settings, background=False)

    def prepared() -> list[str]:
        said: list[str] = []
        database.prepare(app, settings, said.append)
        return said

    return prepared


def test_a_new_database_is_migrated_without_a_copy(prepare, tmp_path: Path):
    assert len(prepare()) == 1
    assert list(tmp_path.glob("backups/*")) == []


def test_a_migrated_database_is_left_alone(prepare):
    prepare()

    assert prepare() == []


def test_a_database_with_data_is_copied_before_a_migration_with_what_stands_in_its_log(prepare, tmp_path, monkeypatch):
    prepare()
    writer = sqlite3.connect(tmp_path / "kiosk.db")
    writer.execute("CREATE TABLE kept (word TEXT)")
    writer.execute("INSERT INTO kept VALUES ('still only in the write-ahead log')")
    writer.commit()
    known = schema.pending_migrations
    monkeypatch.setattr(schema, "pending_migrations", lambda: known() or ["0001"])
    monkeypatch.setattr(database, "upgrade", lambda: None)

    prepare()

    (copy,) = tmp_path.glob("backups/before-0001-*.db")
    assert sqlite3.connect(copy).execute("SELECT word FROM kept").fetchone()[0].startswith("still only")
    writer.close()


def test_M1_a_schema_that_the_program_does_not_know_is_refused(prepare, monkeypatch):
    prepare()
    monkeypatch.setattr(schema, "pending_migrations", lambda: ["0999 is newer than this program"])

    with pytest.raises(StartRefused, match="newer"):
        prepare()
