"""Centres: which there are, which of them a page is about, and keeping them."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from flask_babel import gettext as _
from sqlalchemy import func, select

from kiosk.errors import NotFound
from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt, Candidate, Centre, Shift
from kiosk.office_errors import NotNow, WrongField
from kiosk.services import audit, holders, slots
from kiosk.services.audit import Actor, Change
from kiosk.services.listing import Listed, Order, listed

KIOSK_RULES = ("any", "enrolled", "locked_down")
TAKEOVERS = ("free", "approval")
MOST_SEATS = 10_000
CODE = re.compile(r"[A-Z0-9][A-Z0-9 _-]{0,19}")
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
    query = _query().where(Centre.organisation_id == organisation_id)
    if q:
        words = (Centre.code, Centre.name, Centre.command)
        found = [column.icontains(q, autoescape=True) for column in words]
        query = query.where(found[0] | found[1] | found[2])
    if state:
        query = query.where(Centre.archived_at.is_(None) if state == "active" else Centre.archived_at.is_not(None))
    return listed(query, order, SORTS, _row)


def centre(centre_id: UUID, *, organisation_id: UUID) -> CentreRow:
    """Return one centre of the organisation, archived or not. Raises NotFound."""
    row = db.session.execute(
        _query().where(Centre.id == centre_id, Centre.organisation_id == organisation_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    return _row(row)


def in_use(centre_id: UUID) -> dict[str, int]:
    """Return what keeps a centre from being archived: shifts that are going on, people who write."""
    return {
        "shifts": holders.running_shifts(Shift.centre_id == centre_id),
        "writing": holders.writing(Attempt.centre_id == centre_id),
    }


@retried
def create(organisation_id: UUID, values: CentreValues, *, by: Actor, now: datetime) -> UUID:
    """Add a centre; return its id. Raises WrongField."""
    with transaction():
        checked = _checked(organisation_id, values, None)
        made = Centre(organisation_id=organisation_id, **asdict(checked))
        db.session.add(made)
        db.session.flush()
        change = Change("centre", made.id, "create_centre", None, "active", None, asdict(checked))
        audit.record([change], by=by, now=now)
        return made.id


@retried
def edit(centre_id: UUID, values: CentreValues, *, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Change a centre; what it demands counts from the next start on. Raises NotFound, WrongField."""
    with transaction():
        found = _locked(centre_id, organisation_id)
        checked = _checked(organisation_id, values, centre_id)
        before, after = asdict(_values(found)), asdict(checked)
        changed = {name for name in after if after[name] != before[name]}
        for name in changed:
            setattr(found, name, after[name])
        if changed:
            details = {side: {name: all_[name] for name in sorted(changed)} for side, all_ in _sides(before, after)}
            audit.record([Change("centre", centre_id, "edit_centre", details=details)], by=by, now=now)


@retried
def archive(centre_id: UUID, *, reason: str, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Put a centre away: it is offered nowhere, and nothing of it is lost.

    Raises NotFound, ReasonMissing, and NotNow while a shift is going on or somebody writes.
    """
    why = slots.checked_reason(reason)
    with transaction():
        found = _locked(centre_id, organisation_id)
        if any(in_use(centre_id).values()):
            raise NotNow(problem=_("A shift is going on here, or somebody writes. Close the shifts first."))
        if found.archived_at is None:
            found.archived_at = now
            audit.record([Change("centre", centre_id, "archive_centre", "active", "archived", why)], by=by, now=now)


@retried
def unarchive(centre_id: UUID, *, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Take a centre back into use. Raises NotFound."""
    with transaction():
        found = _locked(centre_id, organisation_id)
        if found.archived_at is not None:
            found.archived_at = None
            audit.record([Change("centre", centre_id, "unarchive_centre", "archived", "active")], by=by, now=now)


def _query() -> Any:
    people = select(func.count()).where(Candidate.centre_id == Centre.id, Candidate.archived_at.is_(None))
    return select(Centre, people.scalar_subquery().label("candidates"))


def _row(row: Any) -> CentreRow:
    return CentreRow(row.Centre.id, _values(row.Centre), row.Centre.archived_at is not None, row.candidates)


def _values(found: Centre) -> CentreValues:
    return CentreValues(**{name: getattr(found, name) for name in CentreValues.__dataclass_fields__})


def _sides(before: Any, after: Any) -> tuple[tuple[str, Any], tuple[str, Any]]:
    return ("before", before), ("after", after)


def _locked(centre_id: UUID, organisation_id: UUID) -> Centre:
    found = db.session.get(Centre, centre_id, with_for_update=True, populate_existing=True)
    if found is None or found.organisation_id != organisation_id:
        raise NotFound
    return found


def _checked(organisation_id: UUID, values: CentreValues, own_id: UUID | None) -> CentreValues:
    code, name = values.code.strip().upper(), " ".join(values.name.split())
    if not CODE.fullmatch(code):
        raise WrongField("code", _("Use up to 20 capital letters, digits, spaces and hyphens."))
    taken = select(Centre.id).where(Centre.organisation_id == organisation_id, Centre.code == code)
    if db.session.execute(taken).scalar_one_or_none() not in (None, own_id):
        raise WrongField("code", _("There is a centre with this code already."))
    if not name or len(name) > 200:
        raise WrongField("name", _("Enter a name of at most %(most)s characters.", most=200))
    if values.time_zone not in available_timezones():
        raise WrongField("time_zone", _("There is no such time zone; an example is Asia/Kolkata."))
    if not 0 <= values.seats <= MOST_SEATS:
        raise WrongField("seats", _("Enter a whole number from %(least)s to %(most)s.", least=0, most=MOST_SEATS))
    if values.kiosk_rule not in KIOSK_RULES:
        raise WrongField("kiosk_rule", _("Choose one of the list."))
    if values.takeover not in TAKEOVERS:
        raise WrongField("takeover", _("Choose one of the list."))
    return CentreValues(
        **(asdict(values) | {"code": code, "name": name, "command": " ".join(values.command.split())[:200]})
    )
