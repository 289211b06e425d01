"""The system's own state: readiness, signs of life, and the database's clock."""

from __future__ import annotations

import os
import shutil
import socket
from datetime import UTC, datetime, timedelta

from flask import current_app
from sqlalchemy import func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from kiosk import clock, timers
from kiosk.config import Settings
from kiosk.extensions import db, transaction
from kiosk.models import ProcessStamp
from kiosk.services import schema

SILENT_SECONDS = 30
LEAST_FREE_BYTES = 200 * 1024 * 1024


def settings() -> Settings:
    """Return the settings of the running application."""
    return current_app.extensions["settings"]


def readiness() -> dict[str, str]:
    """Return ok, degraded or down for each part that an exam needs."""
    checks = dict.fromkeys(("database", "redis", "migrations", "sweeper", "clock", "disk"), "ok")
    try:
        checks["migrations"] = "down" if schema.pending_migrations() else "ok"
        if checks["migrations"] == "ok":
            checks["sweeper"] = "ok" if _sweeper_is_alive() else "degraded"
    except SQLAlchemyError:
        db.session.rollback()
        checks.update(database="down", migrations="down", sweeper="degraded")
    checks["redis"] = _redis_state()
    checks["clock"] = "ok" if clock.is_trusted() else "degraded"
    free = shutil.disk_usage(settings().instance_dir).free
    checks["disk"] = "ok" if free >= LEAST_FREE_BYTES else "degraded"
    return checks


def database_time() -> datetime:
    """Return what the database's clock says now, UTC."""
    with db.engine.connect() as connection:
        if db.engine.dialect.name == "sqlite":
            found = connection.execute(text("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")).scalar_one()
            return datetime.fromisoformat(found).replace(tzinfo=UTC)
        return connection.execute(text("SELECT clock_timestamp()")).scalar_one().astimezone(UTC)


def measure_clock() -> bool:
    """Measure the offset to the database's clock; return whether it can be trusted."""
    return clock.measure(database_time)


def stamp(kind: str, *, now: datetime) -> None:
    """Leave this process's sign of life in the database."""
    process = f"{socket.gethostname()}:{os.getpid()}:{kind}"
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    row = insert(ProcessStamp).values(process=process, kind=kind, stamped_at=now)
    with transaction():
        # one statement: two threads of a process may stamp at the same moment
        db.session.execute(row.on_conflict_do_update(index_elements=["process"], set_={"stamped_at": now}))


def last_sign_of_life() -> datetime | None:
    """Return the newest stamp of any process of this installation."""
    return db.session.execute(select(func.max(ProcessStamp.stamped_at))).scalar_one()


def _sweeper_is_alive() -> bool:
    newest = select(func.max(ProcessStamp.stamped_at)).where(ProcessStamp.kind == "sweeper")
    found = db.session.execute(newest).scalar_one()
    return found is not None and clock.now() - found < timedelta(seconds=SILENT_SECONDS)


def _redis_state() -> str:
    if not timers.ping():
        return "degraded"
    return "ok" if timers.maxmemory_policy() in (None, "noeviction") else "degraded"
