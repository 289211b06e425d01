"""A server that was away stops everybody's clock: nobody pays for our power cut."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import select

from kiosk import timers
from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt, Shift
from kiosk.services import pauses, system
from kiosk.services.audit import SYSTEM
from kiosk.states import AttemptStatus

log = logging.getLogger(__name__)

REASON = "the server was away"


@retried
def recover(*, now: datetime) -> int:
    """Pause everybody who was writing when the server went away; return how many.

    Does nothing unless no process stamped the database for `KIOSK_OUTAGE_SECONDS`. To be called before anything
    may expire, and before the first stamp. Attempts without an open shift are left to end as of their deadline.
    """
    limit = system.settings().outage_seconds
    last = system.last_sign_of_life()
    if not limit or last is None or now - last <= timedelta(seconds=limit):
        return 0
    with transaction():
        running = db.session.execute(
            select(Attempt.id, Attempt.version, Attempt.started_at, Attempt.deadline_at)
            .join(Shift, Shift.id == Attempt.shift_id)
            .where(Attempt.status == AttemptStatus.IN_PROGRESS, Shift.status == "open")
            .order_by(Attempt.id)
            .with_for_update(of=Attempt)
        ).all()
        paused = pauses.pause_locked(list(running), kind="outage", reason=REASON, as_of=last, by=SYSTEM, now=now)
    timers.delete_timers(paused)
    if paused:
        log.warning("outage since=%s paused=%s", last.isoformat(), len(paused))
    return len(paused)
