"""Who sits in which shift: candidates are put into one, within its capacity, and let in late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from kiosk.errors import NotFound, TransitionRefused
from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt, Candidate, Shift, ShiftTrade
from kiosk.services import audit, shifts
from kiosk.services.audit import Actor, Change
from kiosk.services.slots import BulkReport, checked_reason
from kiosk.shift_states import ShiftStatus
from kiosk.states import AttemptStatus

BATCH = 1000


@retried
def assign(
    shift_id: UUID, candidate_ids: Iterable[UUID], *, by: Actor, now: datetime, dry_run: bool = False
) -> BulkReport:
    """Put candidates into a shift, as many as it takes, in the order of their service numbers.

    Skips those who are in it, write, are of another centre or of a trade that does not sit, and whom it has no room
    for. Seat and presence of another shift don't come along. Raises NotFound, TransitionRefused (closed).
    """
    with transaction():
        shift = shifts.locked(shift_id)
        if shift.status == ShiftStatus.CLOSED:
            raise TransitionRefused(found=ShiftStatus.CLOSED)
        ids = sorted(set(candidate_ids))
        rows = [row for start in range(0, len(ids), BATCH) for row in _rows(ids[start : start + BATCH], dry_run)]
        room = shift.capacity - people_in(shift_id) if shift.capacity else len(rows)
        report, chosen = _sorted_out(rows, shift, _trades(shift_id), room)
        report.skipped["not_found"] += len(ids) - len(rows)
        report.skipped = +report.skipped
        if not dry_run:
            _move(chosen, shift_id, by, now)
    return report


@retried
def let_in_late(candidate_id: UUID, *, reason: str, by: Actor, now: datetime) -> None:
    """Let a candidate begin after the shift's latest entry. Raises NotFound, TransitionRefused, ReasonMissing."""
    reason = checked_reason(reason)
    with transaction():
        row = db.session.execute(
            select(Candidate.shift_id, Shift.status)
            .outerjoin(Shift, Shift.id == Candidate.shift_id)
            .where(Candidate.id == candidate_id, Candidate.archived_at.is_(None))
            .with_for_update(of=Candidate)
        ).one_or_none()
        if row is None or row.shift_id is None:
            raise NotFound
        if row.status == ShiftStatus.CLOSED:
            raise TransitionRefused(found=ShiftStatus.CLOSED)
        db.session.execute(
            update(Candidate).where(Candidate.id == candidate_id).values(late_entry_shift_id=row.shift_id)
        )
        change = Change("candidate", candidate_id, "let_in_late", None, None, reason, {"shift": str(row.shift_id)})
        audit.record([change], by=by, now=now)


def centre_of(candidate_id: UUID) -> UUID:
    """Return the centre to which a candidate belongs. Raises NotFound."""
    found = db.session.execute(
        select(Candidate.centre_id).where(Candidate.id == candidate_id, Candidate.archived_at.is_(None))
    ).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def people_in(shift_id: UUID) -> int:
    """Return how many candidates are in a shift."""
    return db.session.execute(
        select(func.count())
        .select_from(Candidate)
        .where(Candidate.shift_id == shift_id, Candidate.archived_at.is_(None))
    ).scalar_one()


def _rows(ids: list[UUID], dry_run: bool) -> list[Any]:
    """The candidates, locked, with whether they write."""
    running = (
        select(Attempt.id)
        .where(
            Attempt.candidate_id == Candidate.id,
            Attempt.status.in_((AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)),
        )
        .exists()
    )
    query = (
        select(
            Candidate.id,
            Candidate.login,
            Candidate.centre_id,
            Candidate.trade_id,
            Candidate.shift_id,
            running.label("is_writing"),
        )
        .where(Candidate.id.in_(ids), Candidate.archived_at.is_(None))
        .order_by(Candidate.id)
    )
    return list(db.session.execute(query if dry_run else query.with_for_update()).all())


def _sorted_out(rows: list[Any], shift: Shift, trades: set[UUID], room: int) -> tuple[BulkReport, list[Any]]:
    skipped: Counter[str] = Counter()
    chosen: list[Any] = []
    for row in sorted(rows, key=lambda one: one.login):
        why = _why_not(row, shift, trades) or ("shift_full" if len(chosen) >= room else "")
        if why:
            skipped[why] += 1
        else:
            chosen.append(row)
    return BulkReport(changed=len(chosen), skipped=skipped), chosen


def _why_not(row: Any, shift: Shift, trades: set[UUID]) -> str:
    if row.centre_id != shift.centre_id:
        return "not_found"
    if row.shift_id == shift.id:
        return "in_shift"
    if row.is_writing:
        return "is_writing"
    return "wrong_trade" if trades and row.trade_id not in trades else ""


def _trades(shift_id: UUID) -> set[UUID]:
    return set(db.session.execute(select(ShiftTrade.trade_id).where(ShiftTrade.shift_id == shift_id)).scalars())


def _move(rows: list[Any], shift_id: UUID, by: Actor, now: datetime) -> None:
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        db.session.execute(
            update(Candidate)
            .where(Candidate.id.in_([row.id for row in batch]))
            .values(shift_id=shift_id, **shifts.NOT_YET_HERE)
            .execution_options(synchronize_session=False)
        )
    changes = [
        Change("candidate", row.id, "move_to_shift", str(row.shift_id) if row.shift_id else None, str(shift_id))
        for row in rows
    ]
    audit.record(changes, by=by, now=now)
