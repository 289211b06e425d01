"""Kiosks and incidents as staff see them in their lists."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, select

from kiosk.errors import NotFound
from kiosk.extensions import db
from kiosk.models import Attempt, Candidate, Incident, Kiosk
from kiosk.services.listing import Listed, Order, listed
from kiosk.states import AttemptStatus

KIOSK_SORTS: dict[str, tuple[Any, ...]] = {
    # seats are texts that are mostly numbers: 2 before 10
    "seat": (func.length(Kiosk.seat), Kiosk.seat, Kiosk.name, Kiosk.id),
    "name": (func.lower(Kiosk.name),),
    "seen": (Kiosk.last_seen_at,),
    "enrolled": (Kiosk.enrolled_at,),
}
KIOSK_SHOWS = ("", "enrolled", "new", "archived")
INCIDENT_SORTS: dict[str, tuple[Any, ...]] = {
    "happened": (Incident.happened_at, Incident.id),
    "kind": (Incident.kind,),
    "lost": (Incident.seconds_lost,),
}


@dataclass(frozen=True)
class KioskRow:
    """One kiosk in the list."""

    kiosk_id: UUID
    centre_id: UUID
    name: str
    seat: str | None
    is_enrolled: bool
    enrolled_at: datetime | None
    code_ends_at: datetime | None
    last_seen_at: datetime | None
    archived_at: datetime | None


@dataclass(frozen=True)
class IncidentRow:
    """One incident in the list. `may_grant`: it cost time that the candidate's open test has not got back."""

    incident_id: UUID
    centre_id: UUID
    kind: str
    words: str
    seconds_lost: int
    seconds_granted: int
    happened_at: datetime
    written_at: datetime
    written_by: str
    candidate_id: UUID | None
    service_no: str | None
    name: str | None
    is_test_open: bool

    @property
    def may_grant(self) -> bool:
        """Whether there is time that can be given back, and somebody to whom."""
        return self.is_test_open and self.seconds_lost > 0 and self.seconds_granted == 0


def kiosks(centre_id: UUID, *, q: str = "", show: str = "", order: Order) -> Listed[KioskRow]:
    """Return the page of the centre's kiosks that is asked for."""
    query = _kiosks().where(Kiosk.centre_id == centre_id)
    query = query.where(Kiosk.archived_at.is_not(None) if show == "archived" else Kiosk.archived_at.is_(None))
    if q:
        query = query.where(Kiosk.name.icontains(q, autoescape=True) | (Kiosk.seat == q))
    if show in ("enrolled", "new"):
        query = query.where(Kiosk.token_hash.is_not(None) if show == "enrolled" else Kiosk.token_hash.is_(None))
    return listed(query, order, KIOSK_SORTS, lambda row: KioskRow(*row))


def kiosk(kiosk_id: UUID, *, centre_ids: Collection[UUID]) -> KioskRow:
    """Return a kiosk of one of these centres that is in use. Raises NotFound."""
    query = _kiosks().where(Kiosk.id == kiosk_id, Kiosk.centre_id.in_(centre_ids), Kiosk.archived_at.is_(None))
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise NotFound
    return KioskRow(*row)


def incidents(centre_id: UUID, *, q: str = "", kind: str = "", order: Order) -> Listed[IncidentRow]:
    """Return the page of the centre's incidents that is asked for."""
    query = _incidents().where(Incident.centre_id == centre_id)
    if q:
        query = query.where(
            Incident.words.icontains(q, autoescape=True)
            | Candidate.service_no.icontains(q, autoescape=True)
            | Candidate.name.icontains(q, autoescape=True)
        )
    if kind:
        query = query.where(Incident.kind == kind)
    return listed(query, order, INCIDENT_SORTS, lambda row: IncidentRow(*row))


def incident(incident_id: UUID, *, centre_ids: Collection[UUID]) -> IncidentRow:
    """Return an incident of one of these centres. Raises NotFound."""
    query = _incidents().where(Incident.id == incident_id, Incident.centre_id.in_(centre_ids))
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise NotFound
    return IncidentRow(*row)


def _kiosks() -> Select[Any]:
    columns: tuple[Any, ...] = (
        Kiosk.id,
        Kiosk.centre_id,
        Kiosk.name,
        Kiosk.seat,
        Kiosk.token_hash.is_not(None).label("is_enrolled"),
        Kiosk.enrolled_at,
        Kiosk.enrolment_ends_at,
        Kiosk.last_seen_at,
        Kiosk.archived_at,
    )
    return select(*columns)


def _incidents() -> Select[Any]:
    is_open = and_(
        Attempt.candidate_id == Incident.candidate_id,
        Attempt.status.in_((AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)),
    )
    columns: tuple[Any, ...] = (
        Incident.id,
        Incident.centre_id,
        Incident.kind,
        Incident.words,
        Incident.seconds_lost,
        Incident.seconds_granted,
        Incident.happened_at,
        Incident.written_at,
        Incident.written_by,
        Candidate.id.label("candidate_id"),
        Candidate.service_no,
        Candidate.name,
        Attempt.id.is_not(None).label("is_test_open"),
    )
    return (
        select(*columns)
        .select_from(Incident)
        .outerjoin(Candidate, Candidate.id == Incident.candidate_id)
        .outerjoin(Attempt, is_open)
    )
