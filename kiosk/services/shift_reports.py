"""Shifts as staff see them: when, who sits, how many came and write. Two statements for any page of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from kiosk.errors import NotFound
from kiosk.extensions import db
from kiosk.models import Attempt, Candidate, Centre, Shift, ShiftTrade, Trade
from kiosk.services.listing import Listed, Order, listed
from kiosk.shift_states import ShiftStatus, ShownShift
from kiosk.states import HANDED_IN, AttemptStatus

SORTS: dict[str, tuple[Any, ...]] = {
    "starts": (Shift.starts_at, Shift.id),
    "status": (Shift.status,),
    "capacity": (Shift.capacity,),
}
# what a list shows: those that are not over yet, those of one state, or all
SHOWS = ("", *ShiftStatus, "all")


@dataclass(frozen=True)
class ShiftRow(ShownShift):
    """One shift with its people counted."""

    shift_id: UUID
    centre_id: UUID
    starts_at: datetime
    latest_entry_at: datetime | None
    status: str
    capacity: int
    start_code: str | None
    opened_at: datetime | None
    closed_at: datetime | None
    expected: int
    present: int
    writing: int
    handed_in: int
    trades: tuple[tuple[UUID, str], ...] = ()

    @property
    def entry_minutes(self) -> int | None:
        """How long after the start one may still begin."""
        if self.latest_entry_at is None:
            return None
        return round((self.latest_entry_at - self.starts_at).total_seconds() / 60)


def shifts(centre_id: UUID, *, show: str, order: Order) -> Listed[ShiftRow]:
    """Return the page of the centre's shifts that is asked for."""
    query = _query().where(Shift.centre_id == centre_id)
    if show == "":
        query = query.where(Shift.status != ShiftStatus.CLOSED)
    elif show != "all":
        query = query.where(Shift.status == show)
    found = listed(query, order, SORTS, lambda row: ShiftRow(*row))
    trades = _trades([row.shift_id for row in found.rows])
    return replace(found, rows=tuple(replace(row, trades=trades.get(row.shift_id, ())) for row in found.rows))


def shift(shift_id: UUID, *, centre_ids: Collection[UUID]) -> ShiftRow:
    """Return a shift of one of these centres. Raises NotFound."""
    row = db.session.execute(_query().where(Shift.id == shift_id, Shift.centre_id.in_(centre_ids))).one_or_none()
    if row is None:
        raise NotFound
    return replace(ShiftRow(*row), trades=_trades([shift_id]).get(shift_id, ()))


def to_fill(centre_id: UUID) -> list[ShiftRow]:
    """Return the shifts into which candidates can be put, the earliest first."""
    query = _query().where(Shift.centre_id == centre_id, Shift.status != ShiftStatus.CLOSED).order_by(Shift.starts_at)
    return [ShiftRow(*row) for row in db.session.execute(query.limit(200))]


def trades_of(centre_id: UUID) -> list[tuple[UUID, str, str]]:
    """Return the trades that may sit in this centre: id, code, name."""
    rows = db.session.execute(
        select(Trade.id, Trade.code, Trade.name)
        .join(Centre, Centre.organisation_id == Trade.organisation_id)
        .where(Centre.id == centre_id)
        .order_by(Trade.code)
    )
    return [(row.id, row.code, row.name) for row in rows]


def _query() -> Select[Any]:
    here = (Candidate.shift_id == Shift.id) & Candidate.archived_at.is_(None)
    return select(
        Shift.id,
        Shift.centre_id,
        Shift.starts_at,
        Shift.latest_entry_at,
        Shift.status,
        Shift.capacity,
        Shift.start_code,
        Shift.opened_at,
        Shift.closed_at,
        _counted(Candidate, here).label("expected"),
        _counted(Candidate, here & Candidate.checked_in_at.is_not(None)).label("present"),
        _counted(Attempt, _in_shift(AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)).label("writing"),
        _counted(Attempt, _in_shift(*HANDED_IN)).label("handed_in"),
    )


def _in_shift(*statuses: AttemptStatus) -> Any:
    return (Attempt.shift_id == Shift.id) & Attempt.status.in_(statuses)


def _counted(model: type[Candidate] | type[Attempt], where: Any) -> Any:
    return select(func.count()).select_from(model).where(where).correlate(Shift).scalar_subquery()


def _trades(shift_ids: list[UUID]) -> dict[UUID, tuple[tuple[UUID, str], ...]]:
    rows = db.session.execute(
        select(ShiftTrade.shift_id, Trade.id, Trade.code)
        .join(Trade, Trade.id == ShiftTrade.trade_id)
        .where(ShiftTrade.shift_id.in_(shift_ids))
        .order_by(Trade.code)
    ).all()
    return {
        shift_id: tuple((row.id, row.code) for row in rows if row.shift_id == shift_id)
        for shift_id in {row.shift_id for row in rows}
    }
