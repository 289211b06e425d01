"""Centres: which there are, which of them a page is about, and keeping them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from flask_babel import gettext as _
from sqlalchemy import func, select

from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt, Candidate, Centre, Shift
from kiosk.office_errors import NotNow, WrongField
from kiosk.services import deeds, holders, records
from kiosk.services.audit import Actor
from kiosk.services.listing import Listed, Order, listed

KIOSK_RULES = ("any", "enrolled", "locked_down")
TAKEOVERS = ("free", "approval")
MOST_SEATS = 10_000
SORTS = {"code": (Centre.code,), "name": (Centre.name,), "command": (Centre.command,), "seats": (Centre.seats,)}


@dataclass(frozen=True)
class CentreView:
    """A centre as its pages name it."""

    centre_id: UUID
    code: str
    name: str
    time_zone: str


@dataclass(frozen=True)
class CentreValues:
    """What an admin says of a centre, and what it demands of a start."""

    code: str
    name: str
    command: str = ""
    time_zone: str = "Asia/Kolkata"
    seats: int = 0
    demands_check_in: bool = False
    demands_seat: bool = False
    kiosk_rule: str = "any"
    takeover: str = "free"


@dataclass(frozen=True)
class CentreRow:
    """A centre in the admin's list, and on its own page."""

    centre_id: UUID
    values: CentreValues
    is_archived: bool
    candidates: int


def centres(organisation_id: UUID) -> list[CentreView]:
    """Return the centres of an organisation in the order of their codes."""
    rows = db.session.execute(
        select(Centre.id, Centre.code, Centre.name, Centre.time_zone)
        .where(Centre.organisation_id == organisation_id, Centre.archived_at.is_(None))
        .order_by(Centre.code)
    ).all()
    return [CentreView(*row) for row in rows]


def kept(organisation_id: UUID, *, q: str = "", state: str = "", order: Order) -> Listed[CentreRow]:
    """Return a page of the organisation's centres; `state` asks for "active" or "archived" ones."""
    return listed(_query().where(*_where(organisation_id, q, state)), order, SORTS, _row)


def matching_ids(organisation_id: UUID, *, q: str = "", state: str = "") -> list[UUID]:
    """Return every centre that the same filters ask for."""
    return list(db.session.execute(select(Centre.id).where(*_where(organisation_id, q, state))).scalars())


def centre(centre_id: UUID, *, organisation_id: UUID) -> CentreRow:
    """Return one centre of the organisation, archived or not. Raises NotFound."""
    return _row(records.one(_query(), Centre, centre_id, organisation_id))


def in_use(centre_id: UUID) -> dict[str, int]:
    """Return what keeps a centre from being archived: shifts that are going on, people who write."""
    return {
        "shifts": holders.running_shifts(Shift.centre_id == centre_id),
        "writing": holders.writing(Attempt.centre_id == centre_id),
    }


ARCHIVE, UNARCHIVE = records.archiving(Centre, holders.busy_centres, why="busy")


@retried
def create(organisation_id: UUID, values: CentreValues, *, by: Actor, now: datetime) -> UUID:
    """Add a centre; return its id. Raises WrongField."""
    with transaction():
        return records.add(Centre, organisation_id, _checked(organisation_id, values, None), by=by, now=now)


@retried
def edit(centre_id: UUID, values: CentreValues, *, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Change a centre; what it demands counts from the next start on. Raises NotFound, WrongField."""
    with transaction():
        found = records.locked(Centre, centre_id, organisation_id)
        records.change(Centre, found, _checked(organisation_id, values, centre_id), by=by, now=now)


def archive(centre_id: UUID, *, reason: str, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Put a centre away: it is offered nowhere, and nothing of it is lost.

    Raises NotFound, ReasonMissing, and NotNow while a shift is going on or somebody writes.
    """
    refusals = {
        "busy": lambda: NotNow(problem=_("A shift is going on here, or somebody writes. Close the shifts first."))
    }
    deeds.do_one(ARCHIVE, centre_id, organisation_id=organisation_id, by=by, now=now, reason=reason, refusals=refusals)


def unarchive(centre_id: UUID, *, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Take a centre back into use. Raises NotFound."""
    deeds.do_one(UNARCHIVE, centre_id, organisation_id=organisation_id, by=by, now=now)


def _where(organisation_id: UUID, q: str, state: str) -> list[Any]:
    return records.matching(Centre, (Centre.code, Centre.name, Centre.command), organisation_id, q=q, state=state)


def _query() -> Any:
    people = select(func.count()).where(Candidate.centre_id == Centre.id, Candidate.archived_at.is_(None))
    return select(Centre, people.scalar_subquery().label("candidates"))


def _row(row: Any) -> CentreRow:
    return CentreRow(row.Centre.id, _values(row.Centre), row.Centre.archived_at is not None, row.candidates)


def _values(found: Centre) -> CentreValues:
    return CentreValues(**{name: getattr(found, name) for name in CentreValues.__dataclass_fields__})


def _checked(organisation_id: UUID, values: CentreValues, own_id: UUID | None) -> CentreValues:
    taken = _("There is a centre with this code already.")
    code = records.checked_code(Centre, organisation_id, values.code, own_id, taken=taken)
    name = records.checked_name(values.name)
    if values.time_zone not in available_timezones():
        raise WrongField("time_zone", _("There is no such time zone; an example is Asia/Kolkata."))
    if not 0 <= values.seats <= MOST_SEATS:
        raise WrongField("seats", _("Enter a whole number from %(least)s to %(most)s.", least=0, most=MOST_SEATS))
    if values.kiosk_rule not in KIOSK_RULES:
        raise WrongField("kiosk_rule", _("Choose one of the list."))
    if values.takeover not in TAKEOVERS:
        raise WrongField("takeover", _("Choose one of the list."))
    return replace(values, code=code, name=name, command=" ".join(values.command.split())[:200])
