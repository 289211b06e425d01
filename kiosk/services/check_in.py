"""Check-in: who is here. A row changes only if it is not so already, so two desks never count one person twice."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from kiosk.errors import KioskError, NotFound
from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt, Candidate, Shift
from kiosk.services import audit
from kiosk.services.audit import Actor, Change
from kiosk.shift_states import ShiftStatus
from kiosk.states import AttemptStatus

RUNS = (ShiftStatus.GATE, ShiftStatus.OPEN)


class NoCheckIn(KioskError):
    status, code = 409, "no_check_in"
    message = _l("Check-in does not run for this candidate's shift. Open its gate first.")


class IsWriting(KioskError):
    status, code = 409, "is_writing"
    message = _l("%(name)s is writing. Presence and seat stay as they are; a running test is moved with “Move seat”.")


@retried
def check_in(candidate_id: UUID, *, by: Actor, now: datetime) -> bool:
    """Mark a candidate present; return whether they were not so before. Raises NotFound, NoCheckIn."""
    with transaction():
        status = _shift_status(candidate_id)
        came = _set(candidate_id, Candidate.checked_in_at.is_(None), checked_in_at=now, checked_in_by=by.name)
        if came and status not in RUNS:
            raise NoCheckIn
        if came:
            audit.record([Change("candidate", candidate_id, "check_in", "absent", "present")], by=by, now=now)
    return came


@retried
def undo(candidate_id: UUID, *, by: Actor, now: datetime) -> bool:
    """Take presence and seat back; return whether the candidate was present. Raises NotFound, IsWriting."""
    with transaction():
        _shift_status(candidate_id)
        refuse_writing(candidate_id)
        was_here = Candidate.checked_in_at.is_not(None)
        went = _set(candidate_id, was_here, checked_in_at=None, checked_in_by=None, seat=None)
        if went:
            audit.record([Change("candidate", candidate_id, "undo_check_in", "present", "absent")], by=by, now=now)
    return went


def refuse_writing(candidate_id: UUID) -> None:
    """Raise IsWriting if the candidate's clock was started and the test is still open."""
    name = db.session.execute(
        select(Candidate.name)
        .join(Attempt, Attempt.candidate_id == Candidate.id)
        .where(Candidate.id == candidate_id, Attempt.status.in_((AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)))
    ).scalar_one_or_none()
    if name is not None:
        raise IsWriting(name=name)


def _shift_status(candidate_id: UUID) -> str | None:
    row = db.session.execute(
        select(Shift.status)
        .select_from(Candidate)
        .outerjoin(Shift, Shift.id == Candidate.shift_id)
        .where(Candidate.id == candidate_id, Candidate.archived_at.is_(None))
        .with_for_update(of=Candidate)
    ).one_or_none()
    if row is None:
        raise NotFound
    return row.status


def _set(candidate_id: UUID, condition: object, **values: object) -> bool:
    done = db.session.execute(
        update(Candidate)
        .where(Candidate.id == candidate_id, condition)  # type: ignore[arg-type]
        .values(**values)
        .returning(Candidate.id)
        .execution_options(synchronize_session=False)
    )
    return done.scalar_one_or_none() is not None
