"""What a centre's staff see of candidates and slots.

Neither the number of statements nor what they cost grows with the rows, nor with those who are on the books.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select

from kiosk.errors import NotFound
from kiosk.extensions import db
from kiosk.models import Answer, Attempt, Candidate, Centre, Pause, Shift, Slot, Trade
from kiosk.services import listing
from kiosk.services.candidate_search import Filters, matching, order
from kiosk.services.listing import Count, Listed
from kiosk.services.slot_views import SlotView, actions_for, slot_view
from kiosk.states import HANDED_IN, OPEN_ATTEMPT, AttemptStatus, SlotStatus


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
class CandidatePage(Listed[CandidateRow]):
    """One page of the list, and how many the centre has in all and in each state of a slot.

    Of a book that is too long to be counted the states have no figure (None).
    """

    total: Count = listing.NONE
    by_status: Mapping[str, int | None] = field(default_factory=dict)


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
    total, by_status = _counted(centre_id)
    found = total if filters.asks_for_all else listing.counted(matching(centre_id, filters))
    page = listing.page_of(
        filters.page,
        found,
        lambda limit, offset: _rows(centre_id, filters, limit, offset),
        lambda: listing.count(matching(centre_id, filters)),
    )
    attempts = _attempts_of([row.slot_id for row in page.rows if row.slot_id])
    rows = tuple(_row(row, attempts.get(row.slot_id)) for row in page.rows)
    return CandidatePage(rows, page.matching, page.page, page.pages, page.is_more, total, by_status)


def matching_ids(centre_id: UUID, filters: Filters) -> list[UUID]:
    """Return everybody whom `filters` ask for, on all pages, in the order of the list."""
    query = matching(centre_id, filters, Candidate.id).order_by(*order(filters))
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


def _counted(centre_id: UUID) -> tuple[Count, dict[str, int | None]]:
    """How many are on the centre's books, and how many of them in each state of a slot."""
    # as a value of each row: for a join with so many PostgreSQL would read all slots of all centres
    status = select(Slot.status).where(Slot.candidate_id == Candidate.id, Slot.closed_at.is_(None)).scalar_subquery()
    here = (
        select(status.label("status"))
        .where(Candidate.centre_id == centre_id, Candidate.archived_at.is_(None))
        .order_by(Candidate.login)  # along the index, past nobody else
        .limit(listing.MOST_COUNTED + 1)
        .subquery()
    )
    rows = db.session.execute(select(here.c.status, func.count().label("there")).group_by(here.c.status)).all()
    total = listing.count_of(sum(row.there for row in rows))
    if total.is_more:
        return total, dict.fromkeys(SlotStatus)
    there = {row.status or SlotStatus.NONE: row.there for row in rows}
    return total, {status: there.get(status, 0) for status in SlotStatus}


def _rows(centre_id: UUID, filters: Filters, limit: int, offset: int) -> Sequence[Any]:
    query = matching(
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
    return db.session.execute(query.order_by(*order(filters)).limit(limit).offset(offset)).all()


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


def trades(centre_id: UUID) -> tuple[str, ...]:
    """Return the codes of the trades that candidates of the centre have: each is looked up, nobody is counted."""
    somebody = select(Candidate.id).where(
        Candidate.centre_id == centre_id, Candidate.trade_id == Trade.id, Candidate.archived_at.is_(None)
    )
    organisation_id = select(Centre.organisation_id).where(Centre.id == centre_id).scalar_subquery()
    query = select(Trade.code).where(Trade.organisation_id == organisation_id, somebody.exists()).order_by(Trade.code)
    return tuple(db.session.execute(query).scalars())


def shifts(centre_id: UUID) -> tuple[tuple[UUID, datetime], ...]:
    """Return the centre's latest shifts, with when each starts."""
    rows = db.session.execute(
        select(Shift.id, Shift.starts_at).where(Shift.centre_id == centre_id).order_by(Shift.starts_at.desc()).limit(60)
    )
    return tuple((row.id, row.starts_at) for row in rows)
