"""Moving a candidate who writes to another seat: one action stops the clock, frees the old kiosk and tells why.

The clock goes on by itself where the candidate signs in again. What was lost before somebody came, the time since the
old page was last seen, stands in the incident and can be granted from there, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from kiosk import timers
from kiosk.errors import AttemptNotRunning, BadInput, NotFound
from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt, AuditEvent, Candidate
from kiosk.services import audit, finishing, incidents, pauses, presence, seats
from kiosk.services.audit import Actor, Change
from kiosk.services.incidents import Told
from kiosk.services.seats import SeatTaken
from kiosk.services.slots import checked_reason
from kiosk.states import AttemptStatus

NOBODY = 0  # no sign-in has this number
MOST_MOVES = 50  # of one candidate in one exam, that are looked through


@dataclass(frozen=True)
class Moved:
    """What came of a move: the incident that tells of it, and the seconds that were lost before it."""

    incident_id: UUID
    seconds_lost: int


@dataclass(frozen=True)
class Sitting:
    """The test that a move would stop, for the form."""

    attempt_id: UUID
    is_paused: bool
    seconds_lost: int


def sitting(candidate_id: UUID, *, now: datetime) -> Sitting | None:
    """Return the candidate's test that can be moved; None if none is open."""
    row = db.session.execute(_open(candidate_id)).scalar_one_or_none()
    if row is None or finishing.is_over(row, now):
        return None
    return Sitting(row.id, row.status == AttemptStatus.PAUSED, _lost(row, now))


def move(candidate_id: UUID, seat: str, *, reason: str, by: Actor, now: datetime) -> Moved:
    """Stop the candidate's clock, give them `seat`, and make the old page and sign-in worth nothing.

    Raises NotFound, AttemptNotRunning, BadInput (no such seat), SeatTaken, ReasonMissing, ReasonTooLong.
    """
    reason = checked_reason(reason)
    presence.flush()  # how long the old page was silent is told by the newest sign of it
    try:
        moved, attempt_id, version = _move(candidate_id, seat.strip(), reason, by, now)
    except IntegrityError:
        raise SeatTaken(seat=seat.strip()) from None
    timers.delete_timer(attempt_id, version=version)
    return moved


@retried
def _move(candidate_id: UUID, seat: str, reason: str, by: Actor, now: datetime) -> tuple[Moved, UUID, int]:
    with transaction():
        person = seats.locked(candidate_id)
        if not seat or seat == person.seat:
            raise BadInput(problem=_("Choose another seat than the one they have."))
        row = db.session.execute(
            _open(candidate_id).with_for_update().execution_options(populate_existing=True)
        ).scalar_one_or_none()
        if row is None or finishing.is_over(row, now):
            raise AttemptNotRunning(attempt_status=AttemptStatus.EXPIRED if row else "none")
        lost = _lost(row, now)
        if row.status == AttemptStatus.IN_PROGRESS:
            pauses.pause_locked([row], kind=pauses.MOVE, reason=reason, as_of=now, by=by, now=now)
        seats.put(person, seat, by=by, now=now, reason=reason)
        version = _release(row, by, now)
        words = _("Moved from seat %(old)s to seat %(new)s: %(why)s", old=person.seat or "–", new=seat, why=reason)
        told = Told(incidents.MOVED, words, now, lost, candidate_id)
        incident_id = incidents.note(person.centre_id, told, by=by, now=now)
        attempt_id = row.id
    return Moved(incident_id, lost), attempt_id, version


def moved_to(candidate_id: UUID, epoch: int) -> str | None:
    """Return the seat to which the candidate was moved, for the sign-in that ended with the move; None for any other.

    Nor is there one to go to when the test is over.
    """
    seat = db.session.execute(
        _open(candidate_id).join(Candidate, Candidate.id == Attempt.candidate_id).with_only_columns(Candidate.seat)
    ).scalar_one_or_none()
    if seat is None:
        return None
    ended = db.session.execute(
        select(AuditEvent.details)
        .where(
            AuditEvent.object_kind == "candidate",
            AuditEvent.object_id == candidate_id,
            AuditEvent.action == "end_sign_ins",
        )
        .order_by(AuditEvent.id.desc())
        .limit(MOST_MOVES)
    ).scalars()
    return seat if any((details or {}).get("moved_from_sign_ins") == epoch for details in ended) else None


def _open(candidate_id: UUID) -> Any:
    return select(Attempt).where(
        Attempt.candidate_id == candidate_id,
        Attempt.status.in_((AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)),
    )


def _lost(row: Attempt, now: datetime) -> int:
    """The seconds of running time since the old page was last heard from."""
    until = row.paused_at or now
    return max(0, int((until - row.last_seen_at).total_seconds())) if row.last_seen_at else 0


def _release(row: Attempt, by: Actor, now: datetime) -> int:
    """Free the old kiosk and return the attempt's new version.

    Its page writes nothing more, its sign-in is over, and the next one need not be approved.
    """
    version = db.session.execute(
        update(Attempt)
        .where(Attempt.id == row.id)
        .values(
            lease=NOBODY,
            version=Attempt.version + 1,
            changed_at=now,
            takeover_approved_at=now,
            kiosk_id=None,
            unsaved=0,
        )
        .returning(Attempt.version)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    ended = db.session.execute(
        update(Candidate)
        .where(Candidate.id == row.candidate_id)
        .values(session_epoch=Candidate.session_epoch + 1)
        .returning(Candidate.session_epoch)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if ended is None:
        raise NotFound
    changes = [
        Change("attempt", row.id, "release_page", AttemptStatus.PAUSED, AttemptStatus.PAUSED),
        # the page that was left asks with this number why it may not go on
        Change("candidate", row.candidate_id, "end_sign_ins", details={"moved_from_sign_ins": ended - 1}),
    ]
    audit.record(changes, by=by, now=now)
    return version
