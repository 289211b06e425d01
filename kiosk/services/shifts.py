"""Shifts: planned, edited, moved through their day, deleted. Each change has its audit row."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from kiosk.errors import BadInput, KioskError, NotFound, TransitionRefused
from kiosk.extensions import db, retried, transaction
from kiosk.ids import uuid7
from kiosk.models import Attempt, Candidate, Centre, Incident, Shift, ShiftTrade, Trade
from kiosk.services import audit
from kiosk.services.audit import Actor, Change
from kiosk.shift_states import ShiftAction, ShiftStatus, shift_source, shift_target

MOST_PEOPLE = 10_000
CODE_DIGITS = 6
LONGEST_ENTRY = timedelta(days=1)


class ShiftInUse(KioskError):
    status, code = 409, "shift_in_use"
    message = _l(
        "This shift cannot be deleted: %(attempts)s tests and %(incidents)s incidents belong to it. Close it instead."
    )


class TimeTaken(KioskError):
    status, code = 409, "time_taken"
    message = _l("The centre has a shift that starts at this time already.")


class WrongPlan(BadInput):
    """One field of a plan can't be so."""

    def __init__(self, field: str, problem: str) -> None:
        """`field` is the name of the value, `problem` the sentence beside it."""
        super().__init__(problem=problem)
        self.field = field


@dataclass(frozen=True)
class Plan:
    """What a shift is to be. Without trades all of them sit; capacity 0 is no limit.

    `entry_minutes` is how long after the start one may still begin; None: as long as the shift is open.
    """

    starts_at: datetime
    capacity: int
    entry_minutes: int | None = None
    trade_ids: tuple[UUID, ...] = ()


def local_start(text: str, time_zone: str) -> datetime:
    """Return the instant at which the centre's clock shows `text` (2026-11-21T10:00); of two, the first.

    Raises WrongPlan for what is no time, and for one that the clock jumps over when summer time begins.
    """
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise WrongPlan("starts_at", _("Give date and time of the start.")) from None
    if given.tzinfo is not None or not 2000 < given.year < 2200:
        raise WrongPlan("starts_at", _("Give date and time of the start."))
    zone = ZoneInfo(time_zone)
    instant = given.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != given:
        raise WrongPlan("starts_at", _("This time does not exist on that day: the clocks are put forward then."))
    return instant


def new_code() -> str:
    """Return a start code that nobody can guess: six digits, read out in the hall."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def create(centre_id: UUID, plan: Plan, *, by: Actor, now: datetime) -> UUID:
    """Add a planned shift with a new start code; return its id. Raises WrongPlan, NotFound (a trade), TimeTaken."""
    shift_id = uuid7()
    try:
        with transaction():
            values = _checked(plan, centre_id) | {"id": shift_id, "centre_id": centre_id, "start_code": new_code()}
            db.session.execute(insert(Shift), [values | {"status": ShiftStatus.PLANNED}])
            _set_trades(shift_id, plan)
            change = Change("shift", shift_id, "create_shift", None, ShiftStatus.PLANNED, details=_told(plan))
            audit.record([change], by=by, now=now)
    except IntegrityError:
        raise TimeTaken from None
    return shift_id


def edit(shift_id: UUID, plan: Plan, *, by: Actor, now: datetime) -> None:
    """Change a shift that is not closed; one that is open keeps its start.

    Raises NotFound, TransitionRefused, WrongPlan, TimeTaken.
    """
    try:
        with transaction():
            shift = locked(shift_id)
            if shift.status == ShiftStatus.CLOSED:
                raise TransitionRefused(found=_("closed"))
            if shift.status == ShiftStatus.OPEN and plan.starts_at != shift.starts_at:
                raise WrongPlan("starts_at", _("The shift is open: its start can no longer be moved."))
            was = {"from_starts_at": shift.starts_at.isoformat(), "from_capacity": shift.capacity}
            values = _checked(plan, shift.centre_id)
            if plan.capacity and plan.capacity < (people := _people(shift_id)):
                raise WrongPlan("capacity", _("%(count)s candidates are in this shift already.", count=people))
            db.session.execute(update(Shift).where(Shift.id == shift_id).values(**values))
            _set_trades(shift_id, plan)
            details = _told(plan) | was
            audit.record(
                [Change("shift", shift_id, "edit_shift", shift.status, shift.status, details=details)], by=by, now=now
            )
    except IntegrityError:
        raise TimeTaken from None


@retried
def change_code(shift_id: UUID, *, by: Actor, now: datetime) -> str:
    """Give the shift a new start code and return it; who has begun goes on. Raises NotFound, TransitionRefused."""
    code = new_code()
    with transaction():
        shift = locked(shift_id)
        if shift.status == ShiftStatus.CLOSED:
            raise TransitionRefused(found=_("closed"))
        db.session.execute(update(Shift).where(Shift.id == shift_id).values(start_code=code))
        # the log tells that it changed, never what it is
        audit.record([Change("shift", shift_id, "change_start_code", shift.status, shift.status)], by=by, now=now)
    return code


@retried
def move_on(shift_id: UUID, action: ShiftAction, *, by: Actor, now: datetime) -> None:
    """Open the gate, or the shift. Raises NotFound, TransitionRefused (with the state it found)."""
    assert action is not ShiftAction.CLOSE, "closing has a module of its own"
    with transaction():
        move(shift_id, action, by=by, now=now)


def move(
    shift_id: UUID, action: ShiftAction, *, by: Actor, now: datetime, reason: str | None = None, **details: Any
) -> None:
    """Apply `action` inside the caller's transaction: the one place that writes a shift's status.

    Raises NotFound, TransitionRefused. Compare-and-set: two desks may press at once.
    """
    stamps = {ShiftAction.OPEN: {"opened_at": now}, ShiftAction.CLOSE: {"closed_at": now}}.get(action, {})
    source, target = shift_source(action), shift_target(action)
    moved = db.session.execute(
        update(Shift)
        .where(Shift.id == shift_id, Shift.status == source)
        .values(status=target, **stamps)
        .returning(Shift.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if moved is None:
        found = db.session.execute(select(Shift.status).where(Shift.id == shift_id)).scalar_one_or_none()
        raise TransitionRefused(found=found) if found else NotFound
    audit.record([Change("shift", shift_id, action, source, target, reason, details or None)], by=by, now=now)


@retried
def remove(shift_id: UUID, *, reason: str | None = None, by: Actor, now: datetime) -> None:
    """Delete a shift to which nothing belongs; its candidates are then without one. Raises NotFound, ShiftInUse."""
    with transaction():
        shift = locked(shift_id)
        standing = {"attempts": _count(Attempt, shift_id), "incidents": _count(Incident, shift_id)}
        if any(standing.values()):
            raise ShiftInUse(**standing)
        freed = db.session.execute(
            update(Candidate)
            .where(Candidate.shift_id == shift_id)
            .values(shift_id=None, **NOT_YET_HERE)
            .returning(Candidate.id)
            .execution_options(synchronize_session=False)
        ).scalars()
        changes = [Change("candidate", one, "move_to_shift", str(shift_id), None) for one in freed]
        told = {"starts_at": shift.starts_at.isoformat()}
        changes.append(Change("shift", shift_id, "delete_shift", shift.status, None, reason, told))
        db.session.execute(delete(ShiftTrade).where(ShiftTrade.shift_id == shift_id))
        db.session.execute(delete(Shift).where(Shift.id == shift_id).execution_options(synchronize_session=False))
        audit.record(changes, by=by, now=now)


# what belongs to one shift only: whoever comes into another begins at its door
NOT_YET_HERE: dict[str, Any] = {
    "seat": None,
    "checked_in_at": None,
    "checked_in_by": None,
    "late_entry_shift_id": None,
}


def locked(shift_id: UUID) -> Shift:
    """Return the shift, locked in the caller's transaction. Raises NotFound."""
    shift = db.session.execute(
        # whoever puts a candidate into the shift need not wait for us; whoever starts in it has to
        select(Shift)
        .where(Shift.id == shift_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if shift is None:
        raise NotFound
    return shift


def _checked(plan: Plan, centre_id: UUID) -> dict[str, Any]:
    """The columns of a plan. Raises WrongPlan, NotFound (a trade that is not of the centre's organisation)."""
    if not 0 <= plan.capacity <= MOST_PEOPLE:
        raise WrongPlan("capacity", _("Give a capacity from 0 (no limit) to %(most)s.", most=MOST_PEOPLE))
    minutes = plan.entry_minutes
    if minutes is not None and not 0 <= minutes <= LONGEST_ENTRY.total_seconds() / 60:
        raise WrongPlan("entry_minutes", _("Entry ends 0 to 1440 minutes after the start."))
    known = (
        select(func.count())
        .select_from(Trade)
        .join(Centre, Centre.organisation_id == Trade.organisation_id)
        .where(Centre.id == centre_id, Trade.id.in_(plan.trade_ids))
    )
    if plan.trade_ids and db.session.execute(known).scalar_one() != len(set(plan.trade_ids)):
        raise NotFound
    ends_at = None if minutes is None else plan.starts_at + timedelta(minutes=minutes)
    return {"starts_at": plan.starts_at, "latest_entry_at": ends_at, "capacity": plan.capacity}


def _set_trades(shift_id: UUID, plan: Plan) -> None:
    db.session.execute(delete(ShiftTrade).where(ShiftTrade.shift_id == shift_id))
    if plan.trade_ids:
        rows = [{"shift_id": shift_id, "trade_id": trade_id} for trade_id in sorted(set(plan.trade_ids))]
        db.session.execute(insert(ShiftTrade), rows)


def _told(plan: Plan) -> dict[str, Any]:
    return {
        "starts_at": plan.starts_at.isoformat(),
        "capacity": plan.capacity,
        "entry_minutes": plan.entry_minutes,
        "trades": [str(trade_id) for trade_id in plan.trade_ids],
    }


def _people(shift_id: UUID) -> int:
    return db.session.execute(
        select(func.count()).where(Candidate.shift_id == shift_id, Candidate.archived_at.is_(None))
    ).scalar_one()


def _count(model: type[Attempt] | type[Incident], shift_id: UUID) -> int:
    return db.session.execute(select(func.count()).select_from(model).where(model.shift_id == shift_id)).scalar_one()
