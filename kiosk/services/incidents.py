"""Incidents: what happened in the hall, with the time it cost, and that time given back in one step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import insert, select, update

from kiosk.errors import BadInput, KioskError, NotFound
from kiosk.extensions import db, retried, transaction
from kiosk.ids import uuid7
from kiosk.models import Attempt, Candidate, Centre, Incident
from kiosk.services import audit, grants
from kiosk.services.audit import Actor, Change
from kiosk.services.grants import Granted
from kiosk.states import AttemptStatus

KINDS = ("kiosk", "power", "network", "illness", "disturbance", "conduct", "paper", "moved", "other")
MOVED = "moved"
LONGEST_WORDS = 2000
MOST_SECONDS = grants.MOST_SECONDS
OLDEST = timedelta(days=7)


class WrongIncident(BadInput):
    """One field of an incident can't be so."""

    def __init__(self, field: str, problem: str) -> None:
        """`field` is the name of the value, `problem` the sentence beside it."""
        super().__init__(problem=problem)
        self.field = field


class NothingToGrant(KioskError):
    status, code = 409, "nothing_to_grant"
    message = _l("This incident has no time that could be given back: none was lost, or it has been granted already.")


@dataclass(frozen=True)
class Told:
    """What somebody writes of an incident."""

    kind: str
    words: str
    happened_at: datetime
    seconds_lost: int = 0
    candidate_id: UUID | None = None


@retried
def write(
    centre_id: UUID, told: Told, *, grants_time: bool = False, is_short: bool = False, by: Actor, now: datetime
) -> UUID:
    """Write an incident, with `grants_time` also the lost time to the candidate's open test; return its id.

    Raises WrongIncident, NotFound (another centre's candidate), AttemptNotRunning, GrantTooLong, NothingToGrant.
    """
    _refuse_wrong(told, now)
    granted = None
    with transaction():
        incident_id = note(centre_id, told, by=by, now=now)
        if grants_time:
            granted = _grant(incident_id, is_short=is_short, by=by, now=now)
    if granted:
        grants.show(granted, now=now)
    return incident_id


@retried
def grant(incident_id: UUID, *, is_short: bool, by: Actor, now: datetime) -> None:
    """Give the candidate back what the incident cost, once. Raises as `write`."""
    with transaction():
        granted = _grant(incident_id, is_short=is_short, by=by, now=now)
    grants.show(granted, now=now)


def note(centre_id: UUID, told: Told, *, by: Actor, now: datetime) -> UUID:
    """Write the row of an incident inside the caller's transaction. Raises NotFound (another centre's candidate)."""
    incident_id, who = uuid7(), _who(centre_id, told.candidate_id)
    organisation_id = db.session.execute(
        select(Centre.organisation_id).where(Centre.id == centre_id)
    ).scalar_one_or_none()
    if organisation_id is None:
        raise NotFound
    row = {
        "id": incident_id,
        "organisation_id": organisation_id,
        "centre_id": centre_id,
        "shift_id": who.shift_id if who else None,
        "candidate_id": told.candidate_id,
        "attempt_id": who.attempt_id if who else None,
        "kind": told.kind,
        "words": told.words.strip(),
        "seconds_lost": told.seconds_lost,
        "seconds_granted": 0,
        "happened_at": told.happened_at,
        "written_at": now,
        "written_by": by.name,
    }
    db.session.execute(insert(Incident), [row])
    details = {"kind": told.kind, "seconds_lost": told.seconds_lost}
    audit.record([Change("incident", incident_id, "write_incident", None, told.kind, details=details)], by=by, now=now)
    return incident_id


def _grant(incident_id: UUID, *, is_short: bool, by: Actor, now: datetime) -> Granted:
    row = db.session.execute(
        # compare-and-set: the time goes back once, however often the button is pressed
        update(Incident)
        .where(Incident.id == incident_id, Incident.seconds_granted == 0, Incident.seconds_lost > 0)
        .values(seconds_granted=Incident.seconds_lost)
        .returning(Incident.candidate_id, Incident.seconds_lost, Incident.words, Incident.kind)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    attempt_id = _open_attempt(row.candidate_id) if row and row.candidate_id else None
    if row is None or attempt_id is None:
        raise NothingToGrant
    granted = grants.extend_in(
        attempt_id, row.seconds_lost, reason=row.words[:500] or row.kind, is_short=is_short, by=by, now=now
    )
    told = {"seconds": row.seconds_lost, "attempt": str(attempt_id)}
    audit.record([Change("incident", incident_id, "grant_lost_time", details=told)], by=by, now=now)
    return granted


def _open_attempt(candidate_id: UUID) -> UUID | None:
    return db.session.execute(
        select(Attempt.id).where(
            Attempt.candidate_id == candidate_id,
            Attempt.status.in_((AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)),
        )
    ).scalar_one_or_none()


def _who(centre_id: UUID, candidate_id: UUID | None) -> Any:
    if candidate_id is None:
        return None
    row = db.session.execute(
        select(Candidate.shift_id, Attempt.id.label("attempt_id"))
        .outerjoin(
            Attempt,
            (Attempt.candidate_id == Candidate.id)
            & Attempt.status.in_((AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)),
        )
        .where(Candidate.id == candidate_id, Candidate.centre_id == centre_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def _refuse_wrong(told: Told, now: datetime) -> None:
    if told.kind not in KINDS:
        raise WrongIncident("kind", _("Choose what kind of incident it was."))
    if not told.words.strip() or len(told.words) > LONGEST_WORDS:
        raise WrongIncident("words", _("Say what happened, in at most %(most)s characters.", most=LONGEST_WORDS))
    if not now - OLDEST <= told.happened_at <= now + timedelta(minutes=1):
        raise WrongIncident("happened_at", _("Give a time within the last seven days."))
    if not 0 <= told.seconds_lost <= MOST_SECONDS:
        raise WrongIncident("minutes", _("Give whole minutes, from 0 to %(most)s.", most=MOST_SECONDS // 60))
