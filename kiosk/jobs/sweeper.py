"""The sweeper: ends overdue attempts, marks what waits, mends timer keys. Any number may run side by side."""

from __future__ import annotations

import gc
import logging
import time
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import DateTime, String, and_, bindparam, cast, or_, select, type_coerce

from kiosk import clock, timers
from kiosk.extensions import db
from kiosk.jobs import errands, worker
from kiosk.models import Attempt
from kiosk.services import expiring, marking, outages, system
from kiosk.states import AttemptStatus
from kiosk.timers import Expected, Timer

log = logging.getLogger(__name__)

ROUND_SECONDS = 1.0
RECONCILE_EVERY = 5
LOOK_FOR_STRAYS_EVERY = 10
LATELY = timedelta(minutes=10)
_attempts: Any = Attempt.__table__
# what the database said of each attempt the last time, and what its key should say therefore
_remembered: dict[str, tuple[tuple[Any, ...], Expected]] = {}


def run(app: Flask) -> None:
    """Sweep for ever, with the errands and the worker beside."""
    errands.begin(app)
    worker.begin(app)
    # what the program itself consists of stays: looking through it again for each few thousand rows takes longer than
    # to mark them
    gc.freeze()
    rounds = 0
    while True:
        try:
            with app.app_context():
                # before anything may expire: the machine may have slept, or the database been away
                outages.recover(now=clock.now())
                sweep(now=clock.now(), reconcile=rounds % RECONCILE_EVERY == 0)
                if rounds % LOOK_FOR_STRAYS_EVERY == 0:
                    delete_strays()
        except Exception as error:
            log.warning("sweep failed: %s", error, exc_info=error)
        rounds += 1
        time.sleep(ROUND_SECONDS)


def sweep(*, now: datetime, reconcile: bool = True) -> int:
    """Do one round; return how many attempts were ended. Ends nothing while the clock is in doubt."""
    ended = expiring.expire_overdue(now=now) if clock.is_trusted() else 0
    marking.mark_waiting(now=now)
    if reconcile:
        mended = timers.reconcile(partial(truth, now, timers.took_a_break()), now=now)
        if mended:
            log.info("timer keys mended=%s", mended)
        system.stamp("sweeper", now=now)
    if ended:
        log.info("attempts ended=%s", ended)
    return ended


def delete_strays() -> int:
    """Delete the keys of attempts that the database does not have or that don't run; return how many.

    To be called before anything is served: a database that was restored from a backup may be older than Redis, and a
    poll with a key never asks it.
    """
    strays = timers.delete_strays(_running)
    db.session.remove()
    if strays:
        log.warning("timer keys without a running attempt deleted=%s", strays)
    return strays


def _running(_ids: list[str]) -> set[str]:
    """All that run: to read them takes less than to ask for thousands by id."""
    query = select(cast(_attempts.c.id, String)).where(_attempts.c.status == AttemptStatus.IN_PROGRESS)
    return {raw_id.replace("-", "") for raw_id in db.session.scalars(query).all()}


def truth(now: datetime, everything: bool) -> list[Expected]:
    """Return what the keys should say: of all that run and what changed lately; after a break, of all that is open.

    What the database says of an attempt is compared with what it said the last time, as the driver gives it; only
    what is new is made into ids, instants and texts.
    """
    global _remembered
    known, seen = _remembered, {}
    rows = db.session.execute(_compared(everything), {"p_since": now - LATELY}).all()
    for raw_id, status, deadline_at, version, lease in rows:
        said = (status, deadline_at, version, lease)
        before = known.get(raw_id)
        seen[raw_id] = before if before and before[0] == said else (said, _expected(raw_id, *said))
    _remembered = seen
    return [one for _, one in seen.values()]


@cache
def _compared(everything: bool) -> Any:
    columns = _attempts.c
    changed = columns.changed_at > bindparam("p_since", type_=columns.changed_at.type)
    # ids as text and instants as they come: making thousands of objects takes longer than all the rest
    deadline_at = type_coerce(columns.deadline_at, DateTime)
    return select(cast(columns.id, String), columns.status, deadline_at, columns.version, columns.lease).where(
        or_(columns.status.in_((AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)), changed)
        if everything
        else or_(columns.status == AttemptStatus.IN_PROGRESS, and_(changed, columns.started_at.is_not(None)))
    )


def _expected(raw_id: str, status: str, deadline_at: datetime | None, version: int, lease: int) -> Expected:
    if status != AttemptStatus.IN_PROGRESS or deadline_at is None:
        return timers.expected(UUID(raw_id), Timer(None, version, None))
    # SQLite gives UTC without saying so
    instant = deadline_at if deadline_at.tzinfo else deadline_at.replace(tzinfo=UTC)
    return timers.expected(UUID(raw_id), Timer(timers.to_ms(instant), version, lease))
