"""Seals on the audit log: settled rows in batches under a hash, each chained to the seal before it.

The database refuses to change the log, but whoever owns the database can switch that off. Then the seals tell.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.dialects import postgresql, sqlite

from kiosk.extensions import db, retried, transaction
from kiosk.ids import lowest_uuid7
from kiosk.models import AuditEvent, AuditSeal

log = logging.getLogger(__name__)

# A row gets its id right before its commit; the database gives up a statement after 10 s and an idle transaction after
# 30 s. What is older than this has been committed or never will be.
SETTLED = timedelta(seconds=90)
LATE = timedelta(minutes=10)
BATCH, MOST_BATCHES = 1000, 100
BEGINNING = "0" * 64
COLUMNS = tuple(sorted(column.name for column in AuditEvent.__table__.columns))


@dataclass(frozen=True)
class BrokenSeal:
    """A seal that does not hold, with the rows that it speaks for, and why."""

    seal_id: int
    first_id: UUID
    last_id: UUID
    why: str


@dataclass
class Verdict:
    """What verifying the whole chain found; `newest` is worth writing down: it speaks for everything before."""

    seals: int = 0
    rows: int = 0
    newest: str = BEGINNING
    broken: list[BrokenSeal] = field(default_factory=list)
    unsealed: int = 0  # rows that should have been sealed long ago


def seal(*, now: datetime) -> int:
    """Seal what has settled, a long backlog in several calls; return how many rows. Any number may do so at once."""
    until, sealed = lowest_uuid7(now - SETTLED), 0
    for _ in range(MOST_BATCHES):
        count = _seal_batch(until, now)
        sealed += count
        if count < BATCH:
            break
    return sealed


def verify(*, now: datetime) -> Verdict:
    """Compute every hash again and compare: finds rows that were changed, removed or put in, and seals too."""
    verdict, before, after = Verdict(), BEGINNING, None
    for one in _seals():
        rows = list(_rows(after, one.last_id))
        why = _trouble(one, rows, before)
        if why:
            verdict.broken.append(BrokenSeal(one.id, one.first_id, one.last_id, why))
        verdict.seals += 1
        verdict.rows += len(rows)
        # a broken seal is named once: the next one is measured against what this one says
        before, after = one.hash, one.last_id
        db.session.rollback()  # a long check must not hold a snapshot open
    verdict.newest = before
    verdict.unsealed = _count_between(after, lowest_uuid7(now - LATE))
    return verdict


def newest() -> AuditSeal | None:
    """Return the last seal of the chain; None before the first."""
    return db.session.execute(select(AuditSeal).order_by(AuditSeal.id.desc()).limit(1)).scalar_one_or_none()


def canonical(row: Any) -> bytes:
    """Return one row of the log as the bytes that are hashed: the same on every database and in every version."""
    values = {name: _plain(getattr(row, name)) for name in COLUMNS}
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


def _seal_batch(until: UUID, now: datetime) -> int:
    # read and hashed without any lock: what has settled does not change, and nobody's save waits for it
    last = newest()
    rows = list(_rows(last.last_id if last else None, until, most=BATCH))
    if not rows:
        return 0
    before = last.hash if last else BEGINNING
    values = {
        "first_id": rows[0].id,
        "last_id": rows[-1].id,
        "row_count": len(rows),
        "hash": _hash(before, rows),
        "hash_before": before,
        "sealed_at": now,
    }
    seal_id = _add(values)
    if seal_id is None:
        return 0
    # the log file holds the hash too: whoever rewrites the database has to find every copy of that as well
    log.info("audit sealed seal=%s rows=%s hash=%s", seal_id, len(rows), values["hash"])
    return len(rows)


@retried
def _add(values: dict[str, Any]) -> int | None:
    """Compare and set: each seal has one successor, so of two that seal at once the second adds nothing."""
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    with transaction():
        added = db.session.execute(insert(AuditSeal).values(values).on_conflict_do_nothing().returning(AuditSeal.id))
        return added.scalar_one_or_none()


def _trouble(one: Any, rows: list[Any], before: str) -> str | None:
    if one.hash_before != before:
        return "it does not follow the seal before it"
    if len(rows) < one.row_count:
        return f"{one.row_count - len(rows)} rows are missing"
    if len(rows) > one.row_count:
        return f"{len(rows) - one.row_count} rows were put in"
    if rows[0].id != one.first_id or _hash(before, rows) != one.hash:
        return "a row was changed"
    return None


def _hash(before: str, rows: Iterable[Any]) -> str:
    digest = hashlib.sha256(before.encode())
    for row in rows:
        digest.update(canonical(row))
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, UUID) else value


def _seals() -> Iterator[Any]:
    """The chain in its order, a page at a time."""
    seen = 0
    while True:
        page = db.session.execute(
            select(*AuditSeal.__table__.columns).where(AuditSeal.id > seen).limit(BATCH).order_by(AuditSeal.id)
        ).all()
        yield from page
        if len(page) < BATCH:
            return
        seen = page[-1].id


def _rows(after: UUID | None, until: UUID, *, most: int | None = None) -> Iterator[Any]:
    query = _between(select(*AuditEvent.__table__.columns), after, until).order_by(AuditEvent.id).limit(most)
    yield from db.session.execute(query)


def _count_between(after: UUID | None, until: UUID) -> int:
    return db.session.execute(_between(select(func.count(AuditEvent.id)), after, until)).scalar_one()


def _between(query: Select[Any], after: UUID | None, until: UUID) -> Select[Any]:
    query = query.where(AuditEvent.id <= until)
    return query if after is None else query.where(AuditEvent.id > after)
