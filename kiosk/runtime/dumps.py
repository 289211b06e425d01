"""A database as one file, taken while it is in use: SQLite by its own backup, PostgreSQL by its own client."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from kiosk.config import Settings
from kiosk.runtime import database
from kiosk.runtime.archive import BackupRefused

SQLITE_NAME, POSTGRESQL_NAME = "database.sqlite", "database.pgdump"
DEBIAN_FOLDER = Path("/usr/lib/postgresql")


def name_for(settings: Settings) -> str:
    """Return how the database's file is called in a backup."""
    return SQLITE_NAME if settings.is_sqlite else POSTGRESQL_NAME


def dump(settings: Settings, folder: Path) -> Path:
    """Write the database as it is at one instant into `folder` and return the file. Raises BackupRefused."""
    target = folder / name_for(settings)
    if settings.is_sqlite:
        file = database.sqlite_file(settings)
        if file is None or not file.exists():
            raise BackupRefused("there is no database yet")
        copy_sqlite(file, target)
    else:
        run_client(settings, "pg_dump", "-Fc", "--no-owner", "--no-privileges", "-n", "public", "-f", str(target))
    return target


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy an SQLite database with what stands in its write-ahead log, beside any writer, and check the copy."""
    reading, writing = sqlite3.connect(f"file:{source}?mode=ro", uri=True), sqlite3.connect(target)
    try:
        reading.backup(writing)
        writing.execute("PRAGMA journal_mode=DELETE")
        check_sqlite(writing)
    except sqlite3.DatabaseError as error:
        raise BackupRefused(f"the database cannot be copied: {error}") from None
    finally:
        writing.close()
        reading.close()


def check_sqlite(connection: sqlite3.Connection) -> None:
    """Raise BackupRefused unless the file's pages are sound."""
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise BackupRefused(f"the database is damaged: {found}")


def run_client(settings: Settings, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on our database. Raises BackupRefused with the first line of its complaint."""
    path = _find(program)
    if path is None:
        raise BackupRefused(f"the database is PostgreSQL and its client is not installed here ({program} is missing)")
    url = make_url(settings.database_url)
    done = subprocess.run(
        [path, *arguments, "--no-password"],
        env={**os.environ, **_environment(url)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        complaint = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip())
        raise BackupRefused(complaint.partition("\n")[0][:300] or f"{program} ended with {done.returncode}")


def _find(program: str) -> str | None:
    """The program on PATH, else the newest that Debian's packages put beside each other."""
    installed = sorted(DEBIAN_FOLDER.glob(f"*/bin/{program}"), key=lambda path: path.parts[4].zfill(3))
    return shutil.which(program) or (str(installed[-1]) if installed else None)


def _environment(url: URL) -> dict[str, str]:
    """Where the database is, for PostgreSQL's programs; a password is no argument that others could read."""
    asked = {name: value for name, value in url.query.items() if isinstance(value, str)}
    found = {
        "PGHOST": url.host or asked.get("host"),
        "PGPORT": str(url.port) if url.port else asked.get("port"),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": asked.get("sslmode"),
        "PGSSLROOTCERT": asked.get("sslrootcert"),
    }
    return {name: str(value) for name, value in found.items() if value}
