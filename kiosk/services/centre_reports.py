"""What a centre's staff see of candidates and slots. The number of statements does not grow with the rows."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, not_, select

from kiosk.errors import NotFound
from kiosk.extensions import db
from kiosk.models import Answer, Attempt, Candidate, Pause, Shift, Slot, Trade
from kiosk.services.slot_views import SlotView, actions_for, slot_view
from kiosk.states import HANDED_IN, OPEN_ATTEMPT, AttemptStatus, SlotStatus

PAGE_ROWS = 50
PAUSED = "paused"  # asked for like a slot's state, though the slot says attempting
ARCHIVED = "archived"  # asked for in the same place: who stands on no other list

SORTS: dict[str, tuple[Any, ...]] = {
    "service_no": (Candidate.login,),
    "name": (func.lower(Candidate.name),),
    "trade": (Trade.code, Slot.paper_type),
    "shift": (Shift.starts_at,),
    # seats are texts that are mostly numbers: 2 before 10
    "seat": (func.length(Candidate.seat), Candidate.seat),
    "slot": (func.coalesce(Slot.status, SlotStatus.NONE), Slot.assigned_at),
}


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


@dataclass(frozen=True)
class CandidateRow:
    """One candidate with the current slot, and the open or last attempt that used it."""

    candidate_id: UUID
    service_no: str
    name: str
    rank: str
    trade_code: str
    paper_type: str | None
    shift_at: datetime | None
    seat: str | None
    slot: SlotView
    answered: int | None
    total: int | None
    actions: tuple[str, ...]


@dataclass(frozen=True)
class CandidatePage:
    """One page of the list, with how many there are and what can be filtered for."""

    rows: tuple[CandidateRow, ...]
    matching: int
    total: int
    page: int
    pages: int
    by_status: dict[str, int]
    trades: tuple[str, ...]
    shifts: tuple[tuple[UUID, datetime], ...]


@dataclass(frozen=True)
class PausedRoom:
    """Who is paused in a centre, since when, and whether a server outage did it."""

    count: int
    since: datetime | None
    is_outage: bool


@dataclass(frozen=True)
class HandIn:
    """A hand-in that a reset would take out of the way."""

    at: datetime
    receipt: str


def candidates(centre_id: UUID, filters: Filters) -> CandidatePage:
    """Return the page of candidates that `filters` ask for; a page past the end is the last one."""
    matching = db.session.execute(_matching(centre_id, filters, func.count())).scalar_one()
    pages = max(1, math.ceil(matching / PAGE_ROWS))
    page = min(max(1, filters.page), pages)
    rows = db.session.execute(
        _matching(
            centre_id,
            filters,
            Candidate.id,
            Candidate.service_no,
            Candidate.name,
            Candidate.rank,
            Candidate.seat,
            Trade.code.label("trade_code"),
            Shift.starts_at,
            Slot.id.label("slot_id"),
            Slot.paper_type,
            Slot.status,
            Slot.assigned_at,
            Slot.assigned_by,
            Slot.started_at,
            Slot.consumed_at,
            Slot.consumed_how,
        )
        .order_by(*_order(filters), Candidate.id)
        .limit(PAGE_ROWS)
        .offset((page - 1) * PAGE_ROWS)
    ).all()
    attempts = _attempts_of([row.slot_id for row in rows if row.slot_id])
    by_status = _by_status(centre_id)
    return CandidatePage(
        rows=tuple(_row(row, attempts.get(row.slot_id)) for row in rows),
        matching=matching,
        total=sum(by_status.values()),
        page=page,
        pages=pages,
        by_status=by_status,
        trades=_trades(centre_id),
        shifts=shifts(centre_id),
    )


def matching_ids(centre_id: UUID, filters: Filters) -> list[UUID]:
    """Return everybody whom `filters` ask for, on all pages, in the order of the list."""
    query = _matching(centre_id, filters, Candidate.id).order_by(*_order(filters), Candidate.id)
    return list(db.session.execute(query).scalars())


def ids_of_centre(centre_id: UUID, candidate_ids: Collection[UUID]) -> list[UUID]:
    """Return the ids, if all are candidates of this centre. Raises NotFound for a single other one."""
    wanted = set(candidate_ids)
    found = db.session.execute(
        select(Candidate.id).where(
            Candidate.id.in_(wanted), Candidate.centre_id == centre_id, Candidate.archived_at.is_(None)
        )
    ).scalars()
    ids = list(found)
    if len(ids) != len(wanted):
        raise NotFound
    return ids


def name_of(candidate_id: UUID) -> str:
    """Return how one candidate is named in a question: service number and name. Raises NotFound."""
    row = db.session.execute(
        select(Candidate.service_no, Candidate.name).where(Candidate.id == candidate_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    return f"{row.service_no} {row.name}"


def hand_in_of(candidate_id: UUID) -> HandIn | None:
    """Return what was handed in on the candidate's current slot: when, and its receipt."""
    row = db.session.execute(
        select(Attempt.closed_at, Attempt.receipt)
        .join(Slot, Slot.id == Attempt.slot_id)
        .where(Attempt.candidate_id == candidate_id, Slot.closed_at.is_(None), Attempt.status.in_(HANDED_IN))
    ).one_or_none()
    return HandIn(row.closed_at, row.receipt) if row else None


def paused_room(centre_id: UUID) -> PausedRoom:
    """Return who is paused in the centre."""
    count, since, kinds = db.session.execute(
        select(func.count(), func.min(Pause.from_at), func.count().filter(Pause.kind == "outage"))
        .select_from(Attempt)
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .outerjoin(Pause, and_(Pause.attempt_id == Attempt.id, Pause.to_at.is_(None)))
        .where(
            Candidate.centre_id == centre_id,
            Candidate.archived_at.is_(None),
            Attempt.status == AttemptStatus.PAUSED,
        )
    ).one()
    return PausedRoom(count, since, is_outage=bool(kinds))


def _matching(centre_id: UUID, filters: Filters, *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(Candidate)
        .join(Trade, Trade.id == Candidate.trade_id)
        .outerjoin(Shift, Shift.id == Candidate.shift_id)
        .outerjoin(Slot, and_(Slot.candidate_id == Candidate.id, Slot.closed_at.is_(None)))
        .where(Candidate.centre_id == centre_id, *_conditions(filters))
    )


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    is_here = Candidate.archived_at.is_(None)
    found: list[ColumnElement[bool]] = [not_(is_here) if filters.is_archived else is_here]
    if filters.q:
        found.append(
            Candidate.service_no.icontains(filters.q, autoescape=True)
            | Candidate.name.icontains(filters.q, autoescape=True)
        )
    if filters.trade:
        found.append(Trade.code == filters.trade)
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


def _order(filters: Filters) -> list[Any]:
    columns = SORTS.get(filters.sort, SORTS["service_no"])
    # one place for empty values, whatever the database thinks
    return [column.desc().nulls_last() if filters.is_descending else column.asc().nulls_last() for column in columns]


def _attempts_of(slot_ids: list[UUID]) -> dict[UUID, Any]:
    """The open or last attempt of each slot that was not cancelled, with how much of it is answered."""
    rows = db.session.execute(
        select(
            Attempt.slot_id,
            Attempt.status,
            Attempt.paused_at,
            func.count(Answer.question_id).label("total"),
            func.count(Answer.question_id).filter(Answer.response.is_not(None)).label("answered"),
        )
        .outerjoin(Answer, Answer.attempt_id == Attempt.id)
        .where(Attempt.slot_id.in_(slot_ids), Attempt.status != AttemptStatus.CANCELLED)
        .group_by(Attempt.id, Attempt.slot_id, Attempt.status, Attempt.paused_at, Attempt.created_at)
        .order_by(Attempt.created_at)
    ).all()
    return {row.slot_id: row for row in rows}


def _row(row: Any, attempt: Any) -> CandidateRow:
    slot = slot_view(row, attempt)
    return CandidateRow(
        candidate_id=row.id,
        service_no=row.service_no,
        name=row.name,
        rank=row.rank,
        trade_code=row.trade_code,
        paper_type=row.paper_type,
        shift_at=row.starts_at,
        seat=row.seat,
        slot=slot,
        answered=attempt.answered if attempt else None,
        total=attempt.total if attempt else None,
        actions=actions_for(slot, has_session=bool(attempt and attempt.status in OPEN_ATTEMPT)),
    )


def _by_status(centre_id: UUID) -> dict[str, int]:
    query = _matching(centre_id, Filters(), Slot.status, func.count()).group_by(Slot.status)
    counted = {row[0] or SlotStatus.NONE: row[1] for row in db.session.execute(query)}
    return {status: counted.get(status, 0) for status in SlotStatus}


def _trades(centre_id: UUID) -> tuple[str, ...]:
    query = _matching(centre_id, Filters(), Trade.code).distinct().order_by(Trade.code)
    return tuple(db.session.execute(query).scalars())


def shifts(centre_id: UUID) -> tuple[tuple[UUID, datetime], ...]:
    """Return the centre's latest shifts, with when each starts."""
    rows = db.session.execute(
        select(Shift.id, Shift.starts_at).where(Shift.centre_id == centre_id).order_by(Shift.starts_at.desc()).limit(60)
    )
    return tuple((row.id, row.starts_at) for row in rows)
