"""The lease: the one page that may write an attempt, and how another page, tab or kiosk takes it.

A lease is the number of a sign-in (48 bits) with the number of a page of that sign-in above it. So a refresh changes
nothing, a second tab is another page, and a program, which has no pages, holds page 0 of its token.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from kiosk import timers
from kiosk.errors import AttemptNotRunning, TakeoverNeedsApproval
from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt, AuditEvent, Centre
from kiosk.services import audit
from kiosk.services.audit import Actor, Change
from kiosk.states import AttemptStatus

SIGN_IN_BITS = 48
PAGES = 1024
SEEN_LATELY = timedelta(seconds=30)
APPROVAL_HOLDS = timedelta(minutes=10)


@dataclass(frozen=True)
class Started:
    """An attempt whose clock runs. `is_new` only for the call that started it."""

    attempt_id: UUID
    lease: int
    deadline_at: datetime | None
    is_new: bool


def of_page(login_no: int, page: int) -> int:
    """Return the lease of one page of a sign-in."""
    return login_no | (page % PAGES) << SIGN_IN_BITS


def sign_in_of(lease: int) -> int:
    """Return the sign-in to which a lease belongs."""
    return lease & ((1 << SIGN_IN_BITS) - 1)


def page_of(lease: int) -> int:
    """Return the page to which a lease belongs."""
    return lease >> SIGN_IN_BITS


def needs_approval(attempt: Attempt, takeover: str, *, now: datetime) -> bool:
    """Whether staff must agree before another page takes this attempt: its own was seen in the last 30 s."""
    if takeover != "approval" or attempt.last_seen_at is None or now - attempt.last_seen_at > SEEN_LATELY:
        return False
    approved = attempt.takeover_approved_at
    return approved is None or now - approved > APPROVAL_HOLDS


def take(attempt_id: UUID, *, login_no: int, by: Actor, now: datetime, as_new_page: bool = False) -> Started:
    """Make this sign-in the writer, or with `as_new_page` a further page of it; else it changes nothing again.

    Raises AttemptNotRunning, TakeoverNeedsApproval. The old page is told by its next poll or save.
    """
    try:
        with transaction():
            row, takeover = _locked(attempt_id)
            state = row.status
            is_same = sign_in_of(row.lease) == login_no
            if is_same and not as_new_page:
                return Started(row.id, row.lease, row.deadline_at, is_new=False)
            if needs_approval(row, takeover, now=now):
                raise TakeoverNeedsApproval
            row.lease = of_page(login_no, page_of(row.lease) + 1) if is_same else login_no
            change = Change("attempt", attempt_id, "take_lease", row.status, row.status, details=_moved(row, by))
            row.version, row.changed_at, row.last_seen_at = row.version + 1, now, now
            row.address, row.user_agent, row.kiosk_id = by.address, by.user_agent, by.kiosk_id
            row.takeover_approved_at, row.unsaved = None, 0  # what the old page has is not this one's
            audit.record([change], by=by, now=now)
            taken = Started(attempt_id, row.lease, row.deadline_at, is_new=False)
            version = row.version
    except TakeoverNeedsApproval:
        _ask(attempt_id, state, by=by, now=now)
        raise
    if taken.deadline_at is not None:
        timers.create_timer(attempt_id, taken.deadline_at, version=version, lease=taken.lease, now=now)
    return taken


@retried
def approve(attempt_id: UUID, *, by: Actor, now: datetime) -> None:
    """Agree that another page may take the attempt, once, within ten minutes. Raises AttemptNotRunning."""
    with transaction():
        row, _takeover = _locked(attempt_id)
        row.takeover_approved_at = now
        audit.record([Change("attempt", attempt_id, "approve_takeover", row.status, row.status)], by=by, now=now)


@dataclass(frozen=True)
class Waiting:
    """An open attempt of a centre that wants to be asked: whether staff agreed lately, and when somebody asked."""

    attempt_id: UUID
    is_approved: bool
    asked_at: datetime | None


def waiting(candidate_id: UUID, *, now: datetime) -> Waiting | None:
    """Return whose word a candidate's takeover waits for; None where nobody has to agree."""
    row = db.session.execute(
        select(Attempt.id, Attempt.takeover_approved_at)
        .join(Centre, Centre.id == Attempt.centre_id)
        .where(
            Attempt.candidate_id == candidate_id,
            Attempt.status.in_((AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)),
            Centre.takeover == "approval",
        )
    ).one_or_none()
    if row is None:
        return None
    asked_at = db.session.execute(
        select(func.max(AuditEvent.at)).where(
            AuditEvent.object_kind == "attempt",
            AuditEvent.object_id == row.id,
            AuditEvent.action == "ask_takeover",
            AuditEvent.at > now - APPROVAL_HOLDS,
        )
    ).scalar_one()
    agreed_at = row.takeover_approved_at
    return Waiting(row.id, agreed_at is not None and now - agreed_at <= APPROVAL_HOLDS, asked_at)


def _ask(attempt_id: UUID, state: str, *, by: Actor, now: datetime) -> None:
    """Leave a trace for the staff that somebody waits for their word."""
    with transaction():
        audit.record([Change("attempt", attempt_id, "ask_takeover", state, state, details=_place(by))], by=by, now=now)


def _moved(row: Attempt, by: Actor) -> dict[str, str | int]:
    was = {"from_address": row.address, "from_user_agent": row.user_agent}
    return _place(by) | {"page": page_of(row.lease)} | {name: value for name, value in was.items() if value}


def _place(by: Actor) -> dict[str, str | int]:
    return {"user_agent": by.user_agent} if by.user_agent else {}


def _locked(attempt_id: UUID) -> tuple[Attempt, str]:
    """The open attempt, locked, and how its centre treats a takeover. Raises AttemptNotRunning."""
    found = db.session.execute(
        select(Attempt, Centre.takeover)
        .join(Centre, Centre.id == Attempt.centre_id)
        .where(Attempt.id == attempt_id)
        .with_for_update(of=Attempt)
        .execution_options(populate_existing=True)
    ).one_or_none()
    row = found[0] if found else None
    if row is None or row.status not in (AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED):
        raise AttemptNotRunning(attempt_status=row.status if row else "none", reason=row.cancel_reason if row else None)
    assert found is not None
    return row, found[1]
