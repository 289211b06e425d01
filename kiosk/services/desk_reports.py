"""What the check-in desk sees: who is expected, who is here, and the one whose number was just scanned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, select

from kiosk.errors import NotFound
from kiosk.extensions import db
from kiosk.models import Attempt, Candidate, CandidatePhoto, Shift, Slot, Trade
from kiosk.services.accounts import fold_login
from kiosk.services.listing import Listed, Order, listed
from kiosk.states import AttemptStatus, SlotStatus

SORTS: dict[str, tuple[Any, ...]] = {
    "service_no": (Candidate.login, Candidate.id),
    "name": (func.lower(Candidate.name),),
    "seat": (func.length(Candidate.seat), Candidate.seat),
    "came": (Candidate.checked_in_at,),
}
SHOWS = ("", "absent", "present", "no_seat")


@dataclass(frozen=True)
class DeskRow:
    """A candidate at the desk."""

    candidate_id: UUID
    service_no: str
    name: str
    rank: str
    trade_code: str
    shift_id: UUID | None
    shift_at: datetime | None
    seat: str | None
    came_at: datetime | None
    came_to: str | None
    is_late_let_in: bool
    slot_status: str
    is_writing: bool
    has_photo: bool
    photo_url: str | None = None


@dataclass(frozen=True)
class Desk:
    """How many are expected in a shift, here, and have a seat."""

    expected: int
    present: int
    seated: int


def counts(shift_id: UUID) -> Desk:
    """Return the counts of a shift."""
    row = db.session.execute(
        select(
            func.count(),
            func.count().filter(Candidate.checked_in_at.is_not(None)),
            func.count().filter(Candidate.seat.is_not(None)),
        ).where(Candidate.shift_id == shift_id, Candidate.archived_at.is_(None))
    ).one()
    return Desk(*row)


def people(shift_id: UUID, *, q: str = "", show: str = "", order: Order) -> Listed[DeskRow]:
    """Return the page of the shift's candidates that is asked for."""
    query = _query().where(Candidate.shift_id == shift_id)
    if q:
        query = query.where(
            Candidate.service_no.icontains(q, autoescape=True) | Candidate.name.icontains(q, autoescape=True)
        )
    if show == "absent":
        query = query.where(Candidate.checked_in_at.is_(None))
    elif show == "present":
        query = query.where(Candidate.checked_in_at.is_not(None))
    elif show == "no_seat":
        query = query.where(Candidate.checked_in_at.is_not(None), Candidate.seat.is_(None))
    return listed(query, order, SORTS, lambda row: DeskRow(*row))


def scanned(centre_id: UUID, number: str) -> DeskRow | None:
    """Return the candidate of the centre with exactly this service number; None if there is none."""
    query = _query().where(Candidate.centre_id == centre_id, Candidate.login == fold_login(number))
    row = db.session.execute(query).one_or_none()
    return DeskRow(*row) if row else None


def person(centre_id: UUID, candidate_id: UUID) -> DeskRow:
    """Return a candidate of the centre. Raises NotFound."""
    query = _query().where(Candidate.centre_id == centre_id, Candidate.id == candidate_id)
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise NotFound
    return DeskRow(*row)


def _query() -> Select[Any]:
    writing = (
        select(Attempt.id)
        .where(
            Attempt.candidate_id == Candidate.id,
            Attempt.status.in_((AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)),
        )
        .exists()
    )
    columns: tuple[Any, ...] = (
        Candidate.id,
        Candidate.service_no,
        Candidate.name,
        Candidate.rank,
        Trade.code,
        Candidate.shift_id,
        Shift.starts_at,
        Candidate.seat,
        Candidate.checked_in_at,
        Candidate.checked_in_by,
        func.coalesce(Candidate.late_entry_shift_id == Candidate.shift_id, False).label("is_late_let_in"),
        func.coalesce(Slot.status, SlotStatus.NONE).label("slot_status"),
        writing.label("is_writing"),
        CandidatePhoto.candidate_id.is_not(None).label("has_photo"),
    )
    return (
        select(*columns)
        .select_from(Candidate)
        .join(Trade, Trade.id == Candidate.trade_id)
        .outerjoin(Shift, Shift.id == Candidate.shift_id)
        .outerjoin(Slot, and_(Slot.candidate_id == Candidate.id, Slot.closed_at.is_(None)))
        .outerjoin(CandidatePhoto, CandidatePhoto.candidate_id == Candidate.id)
        .where(Candidate.archived_at.is_(None))
    )
