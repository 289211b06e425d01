"""`flask restore`: puts a backup in the place of what is there, and keeps what was there."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text

from kiosk import timers
from kiosk.config import Settings
from kiosk.extensions import db
from kiosk.runtime import backup, database, dumps
from kiosk.runtime.archive import BackupRefused, read
from kiosk.runtime.lock import AlreadyRunning, ServerLock
from kiosk.services import schema

# seconds since then are a generation of sign-ins that no earlier one can have reached, in a backup or since
EPOCHS_BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
BUSY_SECONDS = 5
OTHERS = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""


@dataclass
class Restored:
    """What was restored, where the old data is, and what somebody should know."""

    manifest: dict[str, Any]
    kept: str
    warnings: list[str] = field(default_factory=list)


def restore(settings: Settings, source: Path, *, now: datetime) -> Restored:
    """Restore a backup: all sign-ins end, timer keys go, the old data stays beside.

    Raises BackupRefused (a server runs, the file is not whole, another kind of database, a newer schema); then
    nothing has changed. Raises OSError.
    """
    with _alone(settings), tempfile.TemporaryDirectory(prefix="restore-", dir=settings.instance_dir) as name:
        folder = Path(name)
        manifest = read(source, folder)
        _demand_fitting(settings, manifest)
        aside = settings.instance_dir / f"old-{now:%Y%m%dT%H%M%S}"
        is_own_key = _reads_key_from_file(settings)
        if settings.is_sqlite:
            kept = _restore_sqlite(settings, folder, aside, now)
        else:
            kept = _restore_postgresql(settings, folder, now)
        _put_beside(settings, folder, aside)
        done = Restored(manifest, kept)
        _forget_keys(settings, aside, done)
        if not is_own_key and manifest["secret_key"] != backup.fingerprint(settings.secret_key):
            done.warnings.append(
                "the backup was made under another secret key: candidates' generated passwords do not fit"
            )
        return done


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Nobody else may serve this database meanwhile."""
    try:
        lock = ServerLock.take(settings.instance_dir)
    except AlreadyRunning as refusal:
        raise BackupRefused(str(refusal)) from None
    db.session.remove()
    db.engine.dispose()
    try:
        yield
    finally:
        lock.release()


def _demand_fitting(settings: Settings, manifest: dict[str, Any]) -> None:
    ours = "sqlite" if settings.is_sqlite else "postgresql"
    if manifest["database"] != ours:
        raise BackupRefused(f"the backup is of {manifest['database']}, and KIOSK_DATABASE_URL is {ours}")
    if manifest["revision"] not in schema.known_revisions():
        raise BackupRefused(f"the backup's schema {manifest['revision']} is newer than this program")


def _restore_sqlite(settings: Settings, folder: Path, aside: Path, now: datetime) -> str:
    file = database.sqlite_file(settings)
    if file is None:
        raise BackupRefused("KIOSK_DATABASE_URL names no file")
    fresh = folder / dumps.SQLITE_NAME
    with contextlib.closing(sqlite3.connect(fresh)) as connection:
        dumps.check_sqlite(connection)
    engine = create_engine(f"sqlite:///{fresh}")
    _end_sign_ins(engine, now)
    engine.dispose()
    if file.exists():
        _demand_unused(file)
    aside.mkdir(mode=0o700)
    # the write-ahead log belongs to the old file: it must never meet the new one
    for part in (file, *(file.with_name(f"{file.name}-{end}") for end in ("wal", "shm"))):
        if part.exists():
            shutil.move(part, aside / part.name)
    shutil.move(fresh, file)
    return str(aside)


def _demand_unused(file: Path) -> None:
    connection = sqlite3.connect(file, timeout=BUSY_SECONDS)
    try:
        connection.execute("PRAGMA journal_mode=DELETE")  # refused while anybody else has the file open
    except sqlite3.OperationalError:
        raise BackupRefused("another process has the database open") from None
    except sqlite3.DatabaseError:
        pass  # damaged: a good reason to restore
    finally:
        connection.close()


def _restore_postgresql(settings: Settings, folder: Path, now: datetime) -> str:
    """The old tables stay in a schema of their own, from which they can be taken back."""
    # the name of a schema is one word in small letters
    kept = f"old_{now:%Y%m%dT%H%M%S}".lower()
    with db.engine.begin() as connection:
        if connection.scalar(text(OTHERS)):
            raise BackupRefused("another process is connected to the database: end servers and sweepers first")
        connection.execute(text(f"ALTER SCHEMA public RENAME TO {kept}"))
        connection.execute(text("CREATE SCHEMA public"))
    try:
        fresh = str(folder / dumps.POSTGRESQL_NAME)
        where = ("-d", db.engine.url.database or "")
        options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", "-n", "public")
        dumps.run_client(settings, "pg_restore", *options, *where, fresh)
        _end_sign_ins(db.engine, now)
    except BaseException:
        with db.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text(f"ALTER SCHEMA {kept} RENAME TO public"))
        raise
    return f"the schema {kept} of the database"


def _end_sign_ins(engine: Engine, now: datetime) -> None:
    """Move every person's epoch to where no cookie and no token of before or after the backup can be."""
    epoch = int((now - EPOCHS_BEGAN).total_seconds())

    def bump(connection: Connection, table: str) -> None:
        higher = f"CASE WHEN session_epoch < {epoch} THEN {epoch} ELSE session_epoch + 1 END"
        connection.execute(text(f"UPDATE {table} SET session_epoch = {higher}"))  # noqa: S608  our own words

    with engine.begin() as connection:
        for table in ("users", "candidates"):
            bump(connection, table)


def _put_beside(settings: Settings, folder: Path, aside: Path) -> None:
    """Keys and uploads of the backup take the place of those that are there."""
    for name in backup.BESIDE:
        fresh, old = folder / name, settings.instance_dir / name
        if not fresh.exists():
            continue
        if old.exists():
            aside.mkdir(mode=0o700, exist_ok=True)
            shutil.move(old, aside / name)
        shutil.move(fresh, old)


def _forget_keys(settings: Settings, aside: Path, done: Restored) -> None:
    """No timer key of what came after the backup may be believed."""
    if settings.redis_url == "embedded":
        old = settings.instance_dir / "redis"
        if old.exists():
            aside.mkdir(mode=0o700, exist_ok=True)
            shutil.move(old, aside / "redis")
        return
    if timers.ping():
        timers.delete_strays(lambda _ids: set())
    else:
        done.warnings.append("Redis does not answer: its timer keys are deleted at the next start")


def _reads_key_from_file(settings: Settings) -> bool:
    """Whether the secret key is the instance's own file, which a backup replaces."""
    file = settings.instance_dir / "secret_key"
    return file.exists() and file.read_text() == settings.secret_key
