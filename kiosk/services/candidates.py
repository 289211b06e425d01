"""Candidates as records: adding one, changing who they are and where they sit, a new password, putting them away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, select

from kiosk.errors import NotFound
from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt, Candidate, Centre, Shift, ShiftTrade, Slot, Trade, User
from kiosk.office_errors import NotNow, WrongField
from kiosk.services import accounts, audit, holders, photos, slots
from kiosk.services.audit import Actor, Change
from kiosk.services.shifts import NOT_YET_HERE
from kiosk.states import SlotStatus

LANGUAGES = ("en", "hi")
MOST_EXTRA_MINUTES = 60


@dataclass(frozen=True)
class CandidateValues:
    """What staff say of a candidate."""

    service_no: str
    name: str
    trade_id: UUID | None
    centre_id: UUID | None
    rank: str = ""
    shift_id: UUID | None = None
    language: str = "en"
    extra_minutes_per_hour: int = 0


@dataclass(frozen=True)
class CandidateRecord:
    """A candidate as the edit page shows them."""

    candidate_id: UUID
    values: CandidateValues
    is_archived: bool
    photo_version: int | None
    bypassed_at: datetime | None
    bypassed_by: str | None
    bypass_reason: str | None
    has_primary: bool
    is_writing: bool


def record_of(candidate_id: UUID, *, organisation_id: UUID, centre_id: UUID | None) -> CandidateRecord:
    """Return a candidate of the organisation, and of the centre if one is given, archived or not. Raises NotFound."""
    found = db.session.get(Candidate, candidate_id)
    if found is None or not _is_own(found, organisation_id, centre_id):
        raise NotFound
    return CandidateRecord(
        candidate_id=found.id,
        values=_values(found),
        is_archived=found.archived_at is not None,
        photo_version=photos.version(found.id),
        bypassed_at=found.primary_bypassed_at,
        bypassed_by=found.primary_bypassed_by,
        bypass_reason=found.primary_bypass_reason,
        has_primary=db.session.get_one(Trade, found.trade_id).has_primary,
        is_writing=holders.writing(Attempt.candidate_id == found.id) > 0,
    )


@retried
def create(organisation_id: UUID, values: CandidateValues, *, by: Actor, now: datetime) -> tuple[UUID, str]:
    """Add a candidate; return the id and the password. Raises WrongField."""
    password = accounts.new_password()
    with transaction():
        checked = _checked(organisation_id, values, None)
        made = Candidate(
            organisation_id=organisation_id,
            login=accounts.fold_login(checked.service_no),
            password_hash=accounts.hash_generated(password),
            created_at=now,
            **vars(checked),
        )
        db.session.add(made)
        db.session.flush()
        audit.record([Change("candidate", made.id, "create_candidate", None, "active")], by=by, now=now)
        return made.id, password


@retried
def edit(
    candidate_id: UUID,
    values: CandidateValues,
    *,
    organisation_id: UUID,
    centre_id: UUID | None,
    by: Actor,
    now: datetime,
) -> None:
    """Change a candidate. Extra time counts from the next start on; a new place takes check-in and seat away.

    Raises NotFound, WrongField, and NotNow for a move while they write or for another trade while they hold a slot.
    """
    with transaction():
        found = _locked(candidate_id, organisation_id, centre_id)
        before = _values(found)
        checked = _checked(organisation_id, values, found)
        _demand_movable(found, before, checked)
        changed = {name: value for name, value in vars(checked).items() if value != getattr(before, name)}
        if not changed:
            return
        for name, value in changed.items():
            setattr(found, name, value)
        found.login = accounts.fold_login(found.service_no)
        if "centre_id" in changed or "shift_id" in changed:
            found.checked_in_at = found.checked_in_by = found.seat = None
        details = {
            "before": {name: _plain(getattr(before, name)) for name in changed},
            "after": {name: _plain(value) for name, value in changed.items()},
        }
        audit.record([Change("candidate", candidate_id, "edit_candidate", details=details)], by=by, now=now)


@retried
def set_password(candidate_id: UUID, *, organisation_id: UUID, centre_id: UUID | None, by: Actor, now: datetime) -> str:
    """Set a new password, end every sign-in, and return the password. Raises NotFound."""
    password = accounts.new_password()
    with transaction():
        found = _locked(candidate_id, organisation_id, centre_id)
        found.password_hash = accounts.hash_generated(password)
        found.session_epoch += 1
        found.failed_sign_ins, found.locked_until = 0, None
        audit.record([Change("candidate", candidate_id, "set_password")], by=by, now=now)
    return password


@retried
def archive(
    candidate_id: UUID, *, reason: str, organisation_id: UUID, centre_id: UUID | None, by: Actor, now: datetime
) -> None:
    """Put a candidate away: they cannot sign in, their seat is free for others, and what they wrote stays.

    Raises NotFound, ReasonMissing, and NotNow while they write.
    """
    why = slots.checked_reason(reason)
    with transaction():
        found = _locked(candidate_id, organisation_id, centre_id)
        if holders.writing(Attempt.candidate_id == candidate_id):
            raise NotNow(problem=_("This candidate has a test that is not handed in. Reset or finish it first."))
        if found.archived_at is None:
            changes = [Change("candidate", candidate_id, "archive_candidate", "active", "archived", why)]
            if found.seat:
                changes.append(Change("candidate", candidate_id, "give_seat", found.seat, None, why))
            if found.checked_in_at:
                changes.append(Change("candidate", candidate_id, "undo_check_in", "present", "absent", why))
            for name, nothing in NOT_YET_HERE.items():
                setattr(found, name, nothing)
            found.archived_at = now
            found.session_epoch += 1
            audit.record(changes, by=by, now=now)


@retried
def unarchive(candidate_id: UUID, *, organisation_id: UUID, centre_id: UUID | None, by: Actor, now: datetime) -> None:
    """Take a candidate back, into their shift if that still has room. Raises NotFound."""
    with transaction():
        found = _locked(candidate_id, organisation_id, centre_id)
        if found.archived_at is not None:
            changes = [Change("candidate", candidate_id, "unarchive_candidate", "archived", "active")]
            shift = db.session.get(Shift, found.shift_id) if found.shift_id else None
            if shift is not None and _is_full(shift):
                changes.append(Change("candidate", candidate_id, "move_to_shift", str(shift.id), None))
                found.shift_id = None
            found.archived_at = None
            audit.record(changes, by=by, now=now)


@retried
def bypass_primary(
    candidate_id: UUID, *, reason: str, organisation_id: UUID, centre_id: UUID | None, by: Actor, now: datetime
) -> None:
    """Record that the primary paper is left out: the next slot to be assigned is for the secondary one.

    Raises NotFound, ReasonMissing, and NotNow for a trade without a primary paper.
    """
    why = slots.checked_reason(reason)
    with transaction():
        found = _locked(candidate_id, organisation_id, centre_id)
        if not db.session.get_one(Trade, found.trade_id).has_primary:
            raise NotNow(problem=_("This trade has no primary paper: the next one is the secondary anyway."))
        if found.primary_bypassed_at is None:
            found.primary_bypassed_at, found.primary_bypassed_by = now, by.name
            found.primary_bypass_reason = why
            audit.record([Change("candidate", candidate_id, "bypass_primary", None, None, why)], by=by, now=now)


@retried
def require_primary(
    candidate_id: UUID, *, reason: str, organisation_id: UUID, centre_id: UUID | None, by: Actor, now: datetime
) -> None:
    """Take a bypass back: the primary paper is next again, unless it is done. Raises NotFound, ReasonMissing."""
    why = slots.checked_reason(reason)
    with transaction():
        found = _locked(candidate_id, organisation_id, centre_id)
        if found.primary_bypassed_at is not None:
            found.primary_bypassed_at = found.primary_bypassed_by = found.primary_bypass_reason = None
            audit.record([Change("candidate", candidate_id, "require_primary", None, None, why)], by=by, now=now)


def _demand_movable(found: Candidate, before: CandidateValues, after: CandidateValues) -> None:
    moves = (before.centre_id, before.shift_id) != (after.centre_id, after.shift_id)
    if moves and holders.writing(Attempt.candidate_id == found.id):
        raise NotNow(problem=_("This candidate has a test that is not handed in: centre and shift stay until it is."))
    if before.trade_id != after.trade_id:
        current = select(Slot.status).where(Slot.candidate_id == found.id, Slot.closed_at.is_(None))
        if db.session.execute(current).scalar_one_or_none() in (SlotStatus.AVAILABLE, SlotStatus.ATTEMPTING):
            # the slot is for the old trade's paper, the active set would be the new trade's
            raise NotNow(problem=_("This candidate holds a slot for the old trade's paper. Reset it first."))


def _checked(organisation_id: UUID, values: CandidateValues, own: Candidate | None) -> CandidateValues:
    service_no, name = " ".join(values.service_no.split()), " ".join(values.name.split())
    login = accounts.fold_login(service_no)
    if not login or len(service_no) > 40 or "/" in login:
        raise WrongField("service_no", _("Enter a service number of at most %(most)s characters.", most=40))
    for model in (Candidate, User):
        taken = select(model.id).where(model.organisation_id == organisation_id, model.login == login)
        if db.session.execute(taken).scalar_one_or_none() not in (None, own.id if own else None):
            raise WrongField("service_no", _("Somebody has this service number already."))
    if not name or len(name) > 200:
        raise WrongField("name", _("Enter a name of at most %(most)s characters.", most=200))
    if values.language not in LANGUAGES:
        raise WrongField("language", _("Choose one of the list."))
    if not 0 <= values.extra_minutes_per_hour <= MOST_EXTRA_MINUTES:
        most = MOST_EXTRA_MINUTES
        raise WrongField("extra", _("Enter a whole number from %(least)s to %(most)s.", least=0, most=most))
    _demand_open(Trade, values.trade_id, organisation_id, own.trade_id if own else None, "trade")
    _demand_open(Centre, values.centre_id, organisation_id, own.centre_id if own else None, "centre")
    _demand_shift(values, own)
    rest = {"service_no": service_no, "name": name, "rank": " ".join(values.rank.split())[:40]}
    return CandidateValues(**(vars(values) | rest))


def _demand_open(model: Any, chosen: UUID | None, organisation_id: UUID, present: UUID | None, field: str) -> None:
    """What one has may stay, even if it is archived since; what is new must be open."""
    found = db.session.get(model, chosen) if chosen else None
    if found is None or found.organisation_id != organisation_id:
        raise WrongField(field, _("Choose one of the list."))
    if found.archived_at is not None and chosen != present:
        raise WrongField(field, _("This is archived. Choose another one."))


def _demand_shift(values: CandidateValues, own: Candidate | None) -> None:
    """A shift of the same centre that is not over, takes the trade and has room; the present one may stay."""
    if values.shift_id is None or (own and (own.shift_id, own.centre_id) == (values.shift_id, values.centre_id)):
        return
    shift = db.session.get(Shift, values.shift_id)
    if shift is None or shift.centre_id != values.centre_id:
        raise WrongField("shift", _("This shift is not one of the centre's."))
    if shift.status == "closed":
        raise WrongField("shift", _("This shift is closed."))
    trades = db.session.execute(select(ShiftTrade.trade_id).where(ShiftTrade.shift_id == shift.id)).scalars().all()
    if trades and values.trade_id not in trades:
        raise WrongField("shift", _("This shift is for other trades."))
    if _is_full(shift):
        raise WrongField("shift", _("This shift is full."))


def _is_full(shift: Shift) -> bool:
    inside = select(func.count()).where(Candidate.shift_id == shift.id, Candidate.archived_at.is_(None))
    return bool(shift.capacity) and db.session.execute(inside).scalar_one() >= shift.capacity


def _locked(candidate_id: UUID, organisation_id: UUID, centre_id: UUID | None) -> Candidate:
    found = db.session.get(Candidate, candidate_id, with_for_update=True, populate_existing=True)
    if found is None or not _is_own(found, organisation_id, centre_id):
        raise NotFound
    return found


def _is_own(found: Candidate, organisation_id: UUID, centre_id: UUID | None) -> bool:
    return found.organisation_id == organisation_id and centre_id in (None, found.centre_id)


def _values(found: Candidate) -> CandidateValues:
    return CandidateValues(**{name: getattr(found, name) for name in CandidateValues.__dataclass_fields__})


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value
