"""Who and what stands on a printed sheet, as plain rows: the same for every kind of paper and for the screen.

Each sheet costs the same few statements for six candidates and for six hundred.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select

from kiosk.errors import NotFound
from kiosk.extensions import db
from kiosk.models import Candidate, CandidatePhoto, Centre, Organisation, Paper, Shift, Slot, Trade
from kiosk.services import boards
from kiosk.services.printing import pictures, register
from kiosk.services.printing.register import Event
from kiosk.services.shift_choices import ShiftChoice

KINDS = ("roll", "seats", "attendance", "cards", "register")
WITH_PHOTOS = ("attendance", "cards")
PORTION = 500  # photos read at once
Tell = Callable[[int], None]


@dataclass(frozen=True)
class Person:
    """A candidate of the shift as lists and cards name them."""

    candidate_id: UUID
    service_no: str
    name: str
    rank: str
    trade_code: str
    trade_name: str
    seat: str | None
    paper_type: str | None
    duration_seconds: int | None
    extra_seconds: int
    photo: bytes | None = None


@dataclass(frozen=True)
class Sheet:
    """One thing to print. `everybody` are all candidates of the shift, `people` those of the chosen trade."""

    kind: str
    organisation: str
    centre: str
    time_zone: str
    room: int
    shift: ShiftChoice
    trade: str
    everybody: tuple[Person, ...]
    events: tuple[Event, ...]
    made_at: datetime

    @property
    def people(self) -> tuple[Person, ...]:
        """The candidates that were asked for, in the order of their service numbers."""
        return tuple(one for one in self.everybody if self.trade in ("", one.trade_code))

    def first(self, most: int) -> Sheet:
        """Return the sheet of the first of them only."""
        return replace(self, everybody=self.people[:most])

    @property
    def trades(self) -> list[str]:
        """The trades that sit, with the chosen one even where nobody of it does."""
        return sorted({one.trade_code for one in self.everybody} | ({self.trade} - {""}))


def _nobody(_done: int) -> None:
    """Whoever waits for the sheet sees it when it is there."""


def sheet(
    centre_id: UUID,
    shift_id: UUID,
    kind: str,
    *,
    trade: str = "",
    now: datetime,
    most_photos: int | None = None,
    tell: Tell = _nobody,
) -> Sheet:
    """Return what is to be printed of a shift. Raises NotFound for a shift that is not the centre's.

    Photos come along for `most_photos` people, whole; for None for everybody, in the size of the print: thousands of
    whole ones would fill the memory. `tell` hears how many photos have been read.
    """
    head = db.session.execute(
        select(
            Organisation.name.label("organisation"),
            Centre.code,
            Centre.name,
            Centre.time_zone,
            Centre.seats,
            Shift,
        )
        .select_from(Shift)
        .join(Centre, Centre.id == Shift.centre_id)
        .join(Organisation, Organisation.id == Centre.organisation_id)
        .where(Shift.id == shift_id, Shift.centre_id == centre_id)
    ).one_or_none()
    if head is None:
        raise NotFound
    people = _people(centre_id, shift_id)
    return Sheet(
        kind=kind,
        organisation=head.organisation,
        centre=f"{head.name} ({head.code})",
        time_zone=head.time_zone,
        room=min(head.seats, boards.MOST_SEATS),
        shift=ShiftChoice(shift_id, head.Shift.starts_at, head.Shift.status),
        trade=trade,
        everybody=_with_photos(people, trade, most_photos, tell) if kind in WITH_PHOTOS else people,
        events=register.events(head.Shift, trade) if kind == "register" else (),
        made_at=now,
    )


def _people(centre_id: UUID, shift_id: UUID) -> tuple[Person, ...]:
    rows = db.session.execute(
        select(
            Candidate.id,
            Candidate.service_no,
            Candidate.name,
            Candidate.rank,
            Candidate.seat,
            Candidate.extra_minutes_per_hour,
            Trade.code,
            Trade.name.label("trade_name"),
            Slot.paper_type,
            Paper.duration_seconds,
        )
        .join(Trade, Trade.id == Candidate.trade_id)
        .outerjoin(Slot, and_(Slot.candidate_id == Candidate.id, Slot.closed_at.is_(None)))
        .outerjoin(Paper, Paper.id == Slot.paper_id)
        .where(
            Candidate.shift_id == shift_id,
            # whoever went to another centre is not of this room any more
            Candidate.centre_id == centre_id,
            Candidate.archived_at.is_(None),
        )
        .order_by(Candidate.login)
    ).all()
    return tuple(_person(row) for row in rows)


def _with_photos(people: tuple[Person, ...], trade: str, most: int | None, tell: Tell) -> tuple[Person, ...]:
    ids = [one.candidate_id for one in people if trade in ("", one.trade_code)][:most]
    photos: dict[UUID, bytes | None] = {}
    for start in range(0, len(ids), PORTION):
        rows = db.session.execute(
            select(CandidatePhoto.candidate_id, CandidatePhoto.image).where(
                CandidatePhoto.candidate_id.in_(ids[start : start + PORTION])
            )
        )
        tell(start)
        photos |= {row.candidate_id: row.image if most else pictures.small(row.image) for row in rows}
    return tuple(replace(one, photo=photos.get(one.candidate_id)) for one in people)


def _person(row: Any) -> Person:
    duration = row.duration_seconds
    return Person(
        candidate_id=row.id,
        service_no=row.service_no,
        name=row.name,
        rank=row.rank,
        trade_code=row.code,
        trade_name=row.trade_name,
        seat=row.seat,
        paper_type=row.paper_type,
        duration_seconds=duration,
        extra_seconds=(duration or 0) * row.extra_minutes_per_hour // 60,
    )
