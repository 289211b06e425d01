"""What an admin wants to know of the installation itself: how it fares, what it is made of, what waits."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text

from kiosk import clock
from kiosk.extensions import db
from kiosk.models import AuditEvent, AuditSeal, Job, Mail, ProcessStamp
from kiosk.runtime import database
from kiosk.services import schema, seals, system

PACKAGES = ("Flask", "SQLAlchemy", "redis", "granian")
MOST_PROCESSES = 12


@dataclass(frozen=True)
class Process:
    """A server or sweeper and its last sign of life."""

    name: str
    kind: str
    seen_at: datetime
    is_alive: bool


@dataclass(frozen=True)
class SealState:
    """How far the audit log is sealed."""

    newest: AuditSeal | None
    seals: int
    waiting: int
    is_late: bool


@dataclass(frozen=True)
class SystemReport:
    """Everything on the system page."""

    checks: dict[str, str]
    versions: dict[str, str]
    revision: str | None
    database_kind: str
    database_bytes: int
    free_bytes: int
    processes: Sequence[Process]
    seals: SealState
    jobs: dict[str, int]
    mails: dict[str, int]
    has_mail_server: bool
    clock_off_seconds: float


def report(organisation_id: UUID, *, now: datetime) -> SystemReport:
    """Return how the installation fares; jobs and mails are those of one organisation."""
    settings = system.settings()
    return SystemReport(
        checks=system.readiness(),
        versions=_versions(),
        revision=schema.current_revision(),
        database_kind="SQLite" if settings.is_sqlite else "PostgreSQL",
        database_bytes=_database_bytes(),
        free_bytes=shutil.disk_usage(settings.instance_dir).free,
        processes=_processes(now),
        seals=_seals(now),
        jobs=_by_status(Job, organisation_id),
        mails=_by_status(Mail, organisation_id),
        has_mail_server=bool(settings.mail_url),
        clock_off_seconds=abs((system.database_time() - clock.now()).total_seconds()),
    )


def _versions() -> dict[str, str]:
    asked = "SELECT sqlite_version()" if system.settings().is_sqlite else "SHOW server_version"
    server = str(db.session.execute(text(asked)).scalar_one())
    kind = "SQLite" if system.settings().is_sqlite else "PostgreSQL"
    return {"Python": platform.python_version(), kind: server, **{name: version(name) for name in PACKAGES}}


def _database_bytes() -> int:
    file = database.sqlite_file(system.settings())
    if file is None:
        return int(db.session.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    return sum(_size(file.with_name(file.name + end)) for end in ("", "-wal"))


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _processes(now: datetime) -> list[Process]:
    rows = db.session.execute(
        select(ProcessStamp.process, ProcessStamp.kind, ProcessStamp.stamped_at)
        .order_by(ProcessStamp.stamped_at.desc())
        .limit(MOST_PROCESSES)
    )
    limit = system.SILENT_SECONDS
    return [
        Process(
            row.process.rpartition(":")[0], row.kind, row.stamped_at, (now - row.stamped_at).total_seconds() < limit
        )
        for row in rows
    ]


def _seals(now: datetime) -> SealState:
    newest = seals.newest()
    waiting: Any = select(func.count(), func.min(AuditEvent.at))
    count, oldest = db.session.execute(
        waiting.where(AuditEvent.id > newest.last_id) if newest else waiting.select_from(AuditEvent)
    ).one()
    total = db.session.execute(select(func.count()).select_from(AuditSeal)).scalar_one()
    return SealState(newest, total, count, is_late=oldest is not None and now - oldest > seals.LATE)


def _by_status(model: Any, organisation_id: UUID) -> dict[str, int]:
    query = select(model.status, func.count()).where(model.organisation_id == organisation_id).group_by(model.status)
    return {row[0]: row[1] for row in db.session.execute(query)}
