"""Brings the database to the state the server needs: migrated, and filled on a demo machine."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import Flask, current_app
from flask_migrate import upgrade
from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError

from kiosk import clock
from kiosk.config import Settings
from kiosk.extensions import db
from kiosk.runtime import StartRefused
from kiosk.runtime.disks import network_file_system
from kiosk.services import demo, schema, system

Say = Callable[[str], None]
PREPARES = 0x4B494F534B  # the advisory lock of who prepares a database that several hosts share
LOOK_AGAIN_SECONDS = 0.2


class DatabaseRefused(StartRefused):
    """The database cannot be used; the text is one line that says why."""


def prepare(app: Flask, settings: Settings, say: Say) -> bool:
    """Apply pending migrations, after a copy of an SQLite file that holds data, and keep demo data current.

    Returns whether nobody can sign in yet. Raises DatabaseRefused.
    """
    _refuse_a_network_disk(settings)
    try:
        with app.app_context():
            system.measure_clock()
            with _alone(say):
                _migrate(settings, say)
                if not settings.is_production:
                    _fill(say)
                return schema.is_empty()
    except DBAPIError as error:
        raise DatabaseRefused(f"KIOSK_DATABASE_URL: the database refused: {_first_line(error.orig)}") from error
    except CommandError as error:
        raise DatabaseRefused(f"the database does not fit this version of the program: {_first_line(error)}") from error


def roll_demo_shift(app: Flask) -> None:
    """Make the day's demo shift if there is none."""
    with app.app_context():
        demo.roll_demo_shift(clock.now())


def sqlite_file(settings: Settings) -> Path | None:
    """The SQLite file, or None for another database or one in memory."""
    name = make_url(settings.database_url).database if settings.is_sqlite else None
    return Path(name).absolute() if name and name != ":memory:" else None


def _refuse_a_network_disk(settings: Settings) -> None:
    file = sqlite_file(settings)
    kind = network_file_system(file.parent) if file else None
    if kind:
        raise DatabaseRefused(
            f"KIOSK_DATABASE_URL: {file} is on a network file system ({kind}), where SQLite can lose answers; "
            "choose a local disk, or PostgreSQL"
        )


@contextmanager
def _alone(say: Say) -> Iterator[None]:
    """Let one host after the other prepare the database that they share: two at once would make each table twice."""
    if db.engine.dialect.name != "postgresql":
        yield  # an instance directory has one server
        return
    # a lock of a transaction, because PgBouncer lends a connection for no longer
    with db.engine.connect() as connection:
        is_told = False
        while not _takes_its_turn(connection):
            if not is_told:
                say("Another host is preparing the database")
            is_told = True
            time.sleep(LOOK_AGAIN_SECONDS)
        yield


def _takes_its_turn(connection: Connection) -> bool:
    connection.rollback()
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))  # a migration may take long
    return bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": PREPARES}).scalar_one())


def _migrate(settings: Settings, say: Say) -> None:
    pending = schema.pending_migrations()
    if not pending:
        return
    _refuse_a_newer_schema(pending)
    copy = _copy_before(settings, pending[-1])
    if copy is not None:
        say(f"Copied the database to {copy}")
    if open_attempts := _open_attempts():
        say(f"{open_attempts} tests are open; they go on after the migration")
    say(f"Preparing the database ({len(pending)} migration{'s' if len(pending) > 1 else ''})")
    upgrade()


def _open_attempts() -> int:
    """How many tests are open, read from whatever schema is there; none in an empty database."""
    if not inspect(db.engine).has_table("attempts"):
        return 0
    query = text("SELECT count(*) FROM attempts WHERE status IN ('in_progress', 'paused')")
    return int(db.session.execute(query).scalar_one())


def _refuse_a_newer_schema(pending: list[str]) -> None:
    """Old code must not touch what newer code has changed."""
    known = {script.revision for script in ScriptDirectory(current_app.config["MIGRATIONS_DIR"]).walk_revisions()}
    if unknown := [revision for revision in pending if revision not in known]:
        raise DatabaseRefused(f"the database's schema {unknown[0]}; start the newer version")


def _copy_before(settings: Settings, revision: str) -> Path | None:
    """Copy an SQLite database that exists already; the way back from a migration that went wrong."""
    file = sqlite_file(settings)
    if file is None or not file.exists() or not _has_tables(file):
        return None
    folder = settings.backup_dir
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    copy = folder / f"before-{revision}-{clock.now():%Y%m%dT%H%M%S}.db"
    source, target = sqlite3.connect(file), sqlite3.connect(copy)
    try:
        # takes what still stands in the write-ahead log along, as a copy of the file would not
        source.backup(target)
    finally:
        target.close()
        source.close()
    copy.chmod(0o600)
    return copy


def _has_tables(file: Path) -> bool:
    connection = sqlite3.connect(file)
    try:
        return connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' LIMIT 1").fetchone() is not None
    finally:
        connection.close()


def _fill(say: Say) -> None:
    now = clock.now()
    if schema.is_empty():
        say("Loading the demo data")
        demo.load_demo(now)
    else:
        demo.roll_demo_shift(now)


def _first_line(error: BaseException | None) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
