"""Who would be left behind: people who write or may still start, and shifts that are going on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from kiosk.extensions import db
from kiosk.models import Attempt, Candidate, Shift, Slot
from kiosk.states import OPEN_ATTEMPT, SlotStatus

RUNNING_SHIFT = ("gate", "open")


def holding(*where: Any) -> int:
    """Return how many candidates that `where` picks hold a slot that is not used up."""
    query = (
        select(func.count())
        .select_from(Slot)
        .join(Candidate, Candidate.id == Slot.candidate_id)
        .where(Slot.closed_at.is_(None), Slot.status != SlotStatus.CONSUMED, Candidate.archived_at.is_(None), *where)
    )
    return db.session.execute(query).scalar_one()


def writing(*where: Any) -> int:
    """Return how many open attempts there are that `where` picks, paused and drawn ones included."""
    query = (
        select(func.count())
        .select_from(Attempt)
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .where(Attempt.status.in_(OPEN_ATTEMPT), *where)
    )
    return db.session.execute(query).scalar_one()


def running_shifts(*where: Any) -> int:
    """Return how many shifts that `where` picks let people in now."""
    return db.session.execute(
        select(func.count()).select_from(Shift).where(Shift.status.in_(RUNNING_SHIFT), *where)
    ).scalar_one()
