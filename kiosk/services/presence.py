"""Who was heard from, how many answers they could not send yet, and which question was looked at.

Kept in memory and written in batches, off the hot path.

What a crash loses here is at most the last few seconds of it; no answer and no time ever goes this way.
"""

from __future__ import annotations

import threading
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Uuid, select

from kiosk.extensions import db, execute, retried, transaction
from kiosk.listed import Listed
from kiosk.models import Visit
from kiosk.models.types import UtcDateTime

BATCH = 250  # short transactions: a save that waits for one of these rows waits a few milliseconds
MOST_KEPT = 200_000  # a database that stays away for hours must not fill the memory
# whoever told nothing of unsaved answers, a page without scripts, keeps what is known
_HEARD = Listed(
    "UPDATE attempts SET last_seen_at = listed.at, unsaved = coalesce(listed.unsaved, attempts.unsaved) "
    "FROM {rows} WHERE attempts.id = listed.id",
    {"id": Uuid(), "at": UtcDateTime(), "unsaved": Integer()},
)
_LOOKED = Listed(
    "INSERT INTO visits (attempt_id, number, at) SELECT listed.attempt_id, listed.number, listed.at FROM {rows}",
    {"attempt_id": Uuid(), "number": Integer(), "at": UtcDateTime()},
)

_guard = threading.Lock()
_seen: dict[UUID, datetime] = {}
_unsaved: dict[UUID, int] = {}
_visits: list[tuple[UUID, int, datetime]] = []


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
            _visits.append((attempt_id, number, now))


def flush() -> int:
    """Write what was noted since the last call; return how many attempts were heard from."""
    global _seen, _unsaved, _visits
    with _guard:
        heard, waiting, looked = _seen, _unsaved, _visits
        _seen, _unsaved, _visits = {}, {}, []
    try:
        # in the order of their ids, as everybody who locks several attempts does
        ids = sorted(heard, key=attrgetter("int"))
        for batch in (ids[start : start + BATCH] for start in range(0, len(ids), BATCH)):
            _write(_HEARD, [(attempt_id, heard[attempt_id], waiting.get(attempt_id)) for attempt_id in batch])
        while looked:
            _write(_LOOKED, looked[:BATCH])
            del looked[:BATCH]
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
def _write(what: Listed, rows: list[Any]) -> None:
    with transaction(is_one_statement=True):
        execute(what, {"rows": rows})
