"""The sweeper: ends overdue attempts, marks what waits, mends timer keys. Any number may run side by side."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from flask import Flask
from sqlalchemy import and_, or_, select

from kiosk import clock, timers
from kiosk.extensions import db
from kiosk.jobs import errands, worker
from kiosk.models import Attempt
from kiosk.services import expiring, marking, outages, system
from kiosk.states import AttemptStatus
from kiosk.timers import Timer

log = logging.getLogger(__name__)

ROUND_SECONDS = 1.0
RECONCILE_EVERY = 5
LOOK_FOR_STRAYS_EVERY = 10
LATELY = timedelta(minutes=10)


def run(app: Flask) -> None:
    """Sweep for ever, with the errands and the worker beside."""
    errands.begin(app)
    worker.begin(app)
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


def _running(attempt_ids: list[UUID]) -> set[UUID]:
    query = select(Attempt.id).where(Attempt.id.in_(attempt_ids), Attempt.status == AttemptStatus.IN_PROGRESS)
    return set(db.session.scalars(query))


def truth(now: datetime, everything: bool) -> dict[UUID, Timer]:
    """Return what the keys should say: of all that run and what changed lately; after a break, of all that is open."""
    changed = Attempt.changed_at > now - LATELY
    rows = db.session.execute(
        select(Attempt.id, Attempt.status, Attempt.deadline_at, Attempt.version, Attempt.lease).where(
            or_(Attempt.status == AttemptStatus.IN_PROGRESS, and_(changed, Attempt.started_at.is_not(None)))
            if not everything
            else or_(Attempt.status.in_((AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)), changed)
        )
    ).all()
    return {
        row.id: Timer(timers.to_ms(row.deadline_at), row.version, row.lease)
        if row.status == AttemptStatus.IN_PROGRESS
        else Timer(None, row.version, None)
        for row in rows
    }
