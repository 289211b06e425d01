"""Who was heard from, how many answers they could not send yet, and which question was looked at.

Kept in memory and written in batches, off the hot path.

What a crash loses here is at most the last few seconds of it; no answer and no time ever goes this way.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, insert, select, update

from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt, Visit

BATCH = 250  # short transactions: a save that waits for one of these rows waits a few milliseconds
MOST_KEPT = 200_000  # a database that stays away for hours must not fill the memory

_guard = threading.Lock()
_seen: dict[UUID, datetime] = {}
_unsaved: dict[UUID, int] = {}
_visits: list[dict[str, Any]] = []


def seen(attempt_id: UUID, *, now: datetime) -> None:
    """Note that the page which may write this attempt was heard from."""
    with _guard:
        _seen[attempt_id] = now


def unsaved(attempt_id: UUID, count: int) -> None:
    """Note how many answers that page could not yet bring to the server; it has just been `seen`."""
    with _guard:
        _unsaved[attempt_id] = count


def visited(attempt_id: UUID, number: int, *, now: datetime) -> None:
    """Note that question `number` was opened; the page was heard from as well."""
    with _guard:
        _seen[attempt_id] = now
        if len(_visits) < MOST_KEPT:
            _visits.append({"attempt_id": attempt_id, "number": number, "at": now})


def flush() -> int:
    """Write what was noted since the last call; return how many attempts were heard from."""
    global _seen, _unsaved, _visits
    with _guard:
        heard, waiting, looked = _seen, _unsaved, _visits
        _seen, _unsaved, _visits = {}, {}, []
    try:
        # in the order of their ids, as everybody who locks several attempts does
        for batch in _batches(sorted(heard)):
            told = {attempt_id: waiting[attempt_id] for attempt_id in batch if attempt_id in waiting}
            _write_seen([(attempt_id, heard[attempt_id]) for attempt_id in batch], told)
        for rows in _batches(looked):
            _write_visits(rows)
    except Exception:
        with _guard:  # the next call tries again
            _seen, _unsaved = heard | _seen, waiting | _unsaved
            _visits = (looked + _visits)[:MOST_KEPT]
        raise
    return len(heard)


def way_through(attempt_id: UUID) -> list[tuple[int, datetime]]:
    """Return the question numbers in the order in which they were opened, with the instants."""
    rows = db.session.execute(
        select(Visit.number, Visit.at).where(Visit.attempt_id == attempt_id).order_by(Visit.at, Visit.id)
    ).all()
    return [(row.number, row.at) for row in rows]


@retried
def _write_seen(batch: list[tuple[UUID, datetime]], unsaved: dict[UUID, int]) -> None:
    values: dict[str, Any] = {"last_seen_at": case(dict(batch), value=Attempt.id)}
    if unsaved:
        # whoever told nothing, a page without scripts, keeps what is known
        values["unsaved"] = case(unsaved, value=Attempt.id, else_=Attempt.unsaved)
    with transaction():
        db.session.execute(
            update(Attempt)
            .where(Attempt.id.in_([attempt_id for attempt_id, _at in batch]))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


@retried
def _write_visits(rows: list[dict[str, Any]]) -> None:
    with transaction():
        db.session.execute(insert(Visit), rows)


def _batches(items: list[Any]) -> Iterator[list[Any]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
