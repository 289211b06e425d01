"""Time granted to an attempt: with a reason, in the database first, then in the key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, insert, select

from kiosk import timers
from kiosk.errors import AttemptNotRunning, KioskError, NotFound
from kiosk.extensions import db, retried, transaction
from kiosk.ids import uuid7
from kiosk.models import Attempt, TimeGrant
from kiosk.services import audit, finishing
from kiosk.services.audit import Actor, Change
from kiosk.services.slots import checked_reason
from kiosk.states import AttemptStatus

MOST_SECONDS = 86_400
SHORT, LONG = "short", "staff"
NETWORK_SHORT, NETWORK = "network_short", "network"  # given back to everybody who was writing
SHORT_KINDS = (SHORT, NETWORK_SHORT)
MOST_SHORT_SECONDS = 600  # all short grants of one attempt together


class GrantTooLong(KioskError):
    status, code = 403, "grant_too_long"
    message = _l("You may grant up to %(minutes)s minutes per attempt in total. Ask the centre admin for more.")


@dataclass(frozen=True)
class Granted:
    """An attempt's clock after a grant: no deadline while it is paused."""

    attempt_id: UUID
    deadline_at: datetime | None
    version: int
    lease: int


@retried
def extend(attempt_id: UUID, seconds: int, *, reason: str, is_short: bool, by: Actor, now: datetime) -> None:
    """Add seconds to a running or paused attempt. `is_short`: by somebody who may grant ten minutes in total.

    Raises NotFound, AttemptNotRunning, GrantTooLong, ReasonMissing, ReasonTooLong.
    """
    reason = checked_reason(reason)
    with transaction():
        granted = extend_in(attempt_id, seconds, reason=reason, is_short=is_short, by=by, now=now)
    show(granted, now=now)


def extend_in(attempt_id: UUID, seconds: int, *, reason: str, is_short: bool, by: Actor, now: datetime) -> Granted:
    """Add seconds inside the caller's transaction; after it, `show` puts them into the key.

    Raises NotFound, AttemptNotRunning, GrantTooLong.
    """
    row = _locked(attempt_id)
    _refuse_ended(row, now)
    if is_short:
        _refuse_too_long(attempt_id, seconds)
    if row.status == AttemptStatus.PAUSED:
        row.remaining_ms = (row.remaining_ms or 0) + seconds * 1000
    else:
        row.deadline_at += timedelta(seconds=seconds)
    row.version, row.changed_at = row.version + 1, now
    _note(attempt_id, seconds, SHORT if is_short else LONG, reason, by, now)
    details = {"seconds": seconds}
    change = Change("attempt", attempt_id, "extend", row.status, row.status, reason, details)
    audit.record([change], by=by, now=now)
    db.session.flush()
    return Granted(attempt_id, row.deadline_at, row.version, row.lease)


def show(granted: Granted, *, now: datetime) -> None:
    """Let a running clock show what was granted; a paused one has no key."""
    if granted.deadline_at is not None:
        timers.create_timer(
            granted.attempt_id, granted.deadline_at, version=granted.version, lease=granted.lease, now=now
        )


def _locked(attempt_id: UUID) -> Any:
    row = db.session.execute(
        select(Attempt).where(Attempt.id == attempt_id).with_for_update().execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound
    return row


def _refuse_ended(row: Any, now: datetime) -> None:
    if finishing.is_over(row, now):
        raise AttemptNotRunning(attempt_status=AttemptStatus.EXPIRED)
    if row.status not in (AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED):
        raise AttemptNotRunning(attempt_status=row.status, reason=row.cancel_reason)


def _refuse_too_long(attempt_id: UUID, seconds: int) -> None:
    granted = db.session.execute(
        select(func.coalesce(func.sum(TimeGrant.seconds), 0)).where(
            TimeGrant.attempt_id == attempt_id, TimeGrant.kind.in_(SHORT_KINDS)
        )
    ).scalar_one()
    if granted + seconds > MOST_SHORT_SECONDS:
        raise GrantTooLong(minutes=MOST_SHORT_SECONDS // 60)


def _note(attempt_id: UUID, seconds: int, kind: str, reason: str, by: Actor, now: datetime) -> None:
    row = {"id": uuid7(), "attempt_id": attempt_id, "seconds": seconds, "kind": kind, "reason": reason}
    db.session.execute(insert(TimeGrant), [row | {"granted_at": now, "granted_by": by.name}])
