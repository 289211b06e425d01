"""A whole room at once: the clocks of everybody who is writing are stopped, and go on. Set-based, 1,000 at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from kiosk.extensions import db
from kiosk.models import Attempt
from kiosk.services import pauses
from kiosk.services.audit import Actor
from kiosk.services.slots import BATCH, BulkReport, checked_reason
from kiosk.states import AttemptStatus

ROOM = "room"


def pause(candidate_ids: Iterable[UUID], *, reason: str, by: Actor, now: datetime, dry_run: bool = False) -> BulkReport:
    """Stop the clocks of those candidates who are writing and have time left. Raises ReasonMissing, ReasonTooLong.

    A shift or a centre is asked for as its candidates are (`centre_reports.matching_ids`).
    """
    reason = checked_reason(reason, dry_run=dry_run)
    report = BulkReport()
    for ids in _batches(candidate_ids):
        running = _attempts(ids, AttemptStatus.IN_PROGRESS)
        # whoever has no time left has nothing that a pause could keep
        lasting = [one for one, deadline_at in running.items() if deadline_at > now]
        done = len(lasting) if dry_run else pauses.pause(lasting, kind=ROOM, reason=reason, by=by, now=now)
        report.add(BulkReport(changed=done, skipped=+Counter(not_writing=len(ids) - done)))
    return report


def resume(candidate_ids: Iterable[UUID], *, by: Actor, now: datetime, dry_run: bool = False) -> BulkReport:
    """Let the clocks of those candidates who are paused go on with exactly the time they had."""
    report = BulkReport()
    for ids in _batches(candidate_ids):
        paused = list(_attempts(ids, AttemptStatus.PAUSED))
        done = len(paused) if dry_run else pauses.unpause(paused, by=by, now=now)
        report.add(BulkReport(changed=done, skipped=+Counter(not_paused=len(ids) - done)))
    return report


def _attempts(candidate_ids: list[UUID], status: AttemptStatus) -> dict[UUID, datetime]:
    """The attempts of these candidates in a state, with their deadlines."""
    rows = db.session.execute(
        select(Attempt.id, Attempt.deadline_at).where(Attempt.candidate_id.in_(candidate_ids), Attempt.status == status)
    )
    return {row.id: row.deadline_at for row in rows}


def _batches(candidate_ids: Iterable[UUID]) -> Iterable[list[UUID]]:
    ids = sorted(set(candidate_ids))
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
