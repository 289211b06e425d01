"""Which candidates of a centre are asked for, and in which order: one query for the list, its counts and its bulk.

At any size the usual list is read out of an index, which SQLite has to be helped to choose: it keeps no statistics
here, so that an index in the wanted order looks as good to it as one that finds the few who are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, not_, select
from sqlalchemy.orm import aliased

from kiosk.models import Attempt, Candidate, Centre, Shift, Slot, Trade
from kiosk.states import AttemptStatus, SlotStatus

PAUSED = "paused"  # asked for like a slot's state, though the slot says attempting
ARCHIVED = "archived"  # asked for in the same place: who stands on no other list

SORTS: dict[str, tuple[Any, ...]] = {
    "service_no": (Candidate.login,),
    "name": (func.lower(Candidate.name), Candidate.login),
    "trade": (Trade.code, Slot.paper_type),
    "shift": (Shift.starts_at,),
    # seats are texts that are mostly numbers: 2 before 10
    "seat": (func.length(Candidate.seat), Candidate.seat),
    "slot": (func.coalesce(Slot.status, SlotStatus.NONE), Slot.assigned_at),
}
IN_AN_INDEX = ("service_no", "name")  # orders without empty values, in which nobody has another's place


@dataclass(frozen=True)
class Filters:
    """Which candidates are asked for, and in which order."""

    q: str = ""
    trade: str = ""
    slot: str = ""
    shift: UUID | None = None
    sort: str = "service_no"
    is_descending: bool = False
    page: int = 1

    @property
    def is_archived(self) -> bool:
        """Whether those are asked for who were put away."""
        return self.slot == ARCHIVED

    @property
    def asks_for_all(self) -> bool:
        """Whether nobody of the centre is left out but those who were put away."""
        return not (self.q or self.trade or self.slot or self.shift)


def matching(centre_id: UUID, filters: Filters, *columns: Any) -> Select[Any]:
    """Return the query for these columns of the centre's candidates whom the filters ask for."""
    here = Candidate.archived_at.is_(None)
    return (
        select(*columns)
        .select_from(Candidate)
        # everybody has a trade; an inner join would let SQLite begin with the trades, and sort the whole book
        .outerjoin(Trade, Trade.id == Candidate.trade_id)
        .outerjoin(Shift, Shift.id == Candidate.shift_id)
        .outerjoin(Slot, and_(Slot.candidate_id == Candidate.id, Slot.closed_at.is_(None)))
        .where(Candidate.centre_id == centre_id, not_(here) if filters.is_archived else here)
        .where(*_conditions(centre_id, filters))
    )


def order(filters: Filters) -> list[ColumnElement[Any]]:
    """Return what the list is ordered by."""
    sort = filters.sort if filters.sort in SORTS else "service_no"
    columns = SORTS[sort]
    if sort == "name" and filters.shift:
        # a shift's few are sorted, rather than looked for along the whole book
        columns = (func.lower(Candidate.name).concat(""), Candidate.login)
    if sort in IN_AN_INDEX:
        return [column.desc() if filters.is_descending else column.asc() for column in columns]
    # one place for empty values, whatever the database thinks
    turned = [column.desc().nulls_last() if filters.is_descending else column.asc().nulls_last() for column in columns]
    return [*turned, Candidate.login]


def _conditions(centre_id: UUID, filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.q:
        found.append(
            Candidate.service_no.icontains(filters.q, autoescape=True)
            | Candidate.name.icontains(filters.q, autoescape=True)
        )
    if filters.trade:
        # a shift's few are found by the shift, a centre's many by the trade
        by_trade = Candidate.trade_id == _trade_id(centre_id, filters.trade)
        found.append(Trade.code == filters.trade if filters.shift else by_trade)
    if filters.shift:
        found.append(Candidate.shift_id == filters.shift)
    if filters.slot == PAUSED:
        paused = select(Attempt.candidate_id).where(Attempt.status == AttemptStatus.PAUSED)
        found.append(Candidate.id.in_(paused))
    elif filters.slot == SlotStatus.NONE:
        found.append(Slot.id.is_(None))
    elif filters.slot and not filters.is_archived:
        found.append(Slot.status == filters.slot)
    return found


def _trade_id(centre_id: UUID, code: str) -> Any:
    own = aliased(Trade)
    return (
        select(own.id)
        .join(Centre, Centre.organisation_id == own.organisation_id)
        .where(Centre.id == centre_id, own.code == code)
        .scalar_subquery()
    )
