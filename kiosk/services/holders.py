"""Who would be left behind: people who write or may still start, and shifts that are going on."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from kiosk.extensions import db
from kiosk.models import Attempt, Candidate, Shift, Slot
from kiosk.states import OPEN_ATTEMPT, SlotStatus

RUNNING_SHIFT = ("gate", "open")


def holding(*where: Any) -> int:
    """Return how many candidates that `where` picks hold a slot that is not used up."""
    return db.session.execute(_held(func.count()).where(*where)).scalar_one()


def held_among(column: Any, ids: Collection[UUID]) -> set[UUID]:
    """Return for which of these trades or papers candidates hold such slots; `column` is what points at them."""
    return set(db.session.execute(_held(column).where(column.in_(ids)).distinct()).scalars())


def writing(*where: Any) -> int:
    """Return how many open attempts there are that `where` picks, paused and drawn ones included."""
    return db.session.execute(_open(func.count()).where(*where)).scalar_one()


def running_shifts(*where: Any) -> int:
    """Return how many shifts that `where` picks let people in now."""
    return db.session.execute(_running(func.count()).where(*where)).scalar_one()


def busy_centres(ids: Collection[UUID]) -> set[UUID]:
    """Return in which of these centres a shift is going on or somebody writes."""
    shifts = _running(Shift.centre_id).where(Shift.centre_id.in_(ids))
    tests = _open(Attempt.centre_id).where(Attempt.centre_id.in_(ids))
    return {*db.session.execute(shifts.distinct()).scalars(), *db.session.execute(tests.distinct()).scalars()}


def _held(column: Any) -> Select[Any]:
    return (
        select(column)
        .select_from(Slot)
        .join(Candidate, Candidate.id == Slot.candidate_id)
        .where(Slot.closed_at.is_(None), Slot.status != SlotStatus.CONSUMED, Candidate.archived_at.is_(None))
    )


def _open(column: Any) -> Select[Any]:
    return (
        select(column)
        .select_from(Attempt)
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .where(Attempt.status.in_(OPEN_ATTEMPT))
    )


def _running(column: Any) -> Select[Any]:
    return select(column).select_from(Shift).where(Shift.status.in_(RUNNING_SHIFT))
