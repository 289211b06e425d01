"""A whole room at once: the clocks of those who write are stopped, go on, or get time. Set-based, 1,000 at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from kiosk import timers
from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt
from kiosk.services import finishing, grants, many_grants, pauses
from kiosk.services.audit import Actor, Change
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


def add_time(
    candidate_ids: Iterable[UUID],
    seconds: int,
    *,
    reason: str,
    is_short: bool,
    by: Actor,
    now: datetime,
    dry_run: bool = False,
) -> BulkReport:
    """Add seconds to the tests of those candidates who write or are paused. Raises ReasonMissing, ReasonTooLong.

    `is_short`: by somebody who may grant ten minutes per attempt in total; who would get more is left out.
    """
    reason = checked_reason(reason, dry_run=dry_run)
    if dry_run:
        report = BulkReport()
        for ids in _batches(candidate_ids):
            _plan_time(ids, seconds, is_short, now, report, is_locked=False)
        return report
    report, clocks = _add_time(candidate_ids, seconds, reason, is_short, by, now)
    for some in clocks:
        timers.create_timers(some, now=now)
    return report


@retried
def _add_time(
    candidate_ids: Iterable[UUID], seconds: int, reason: str, is_short: bool, by: Actor, now: datetime
) -> tuple[BulkReport, list[dict[UUID, timers.Timer]]]:
    """All of them or none: whoever asks again must not give the first thousand their time twice."""
    report, clocks = BulkReport(), []
    with transaction():
        for ids in _batches(candidate_ids):
            rows, plan = _plan_time(ids, seconds, is_short, now, report, is_locked=True)
            change = Change("attempt", ids[0], "extend", reason=reason)
            kind = grants.SHORT if is_short else grants.LONG
            clocks.append(many_grants.add(rows, plan, kind=kind, change=change, by=by, now=now))
    return report, clocks


def _plan_time(
    ids: list[UUID], seconds: int, is_short: bool, now: datetime, report: BulkReport, *, is_locked: bool
) -> tuple[list[Any], dict[UUID, int]]:
    """The clocks and the seconds of each, counted into the report; whoever gets nothing is counted with the reason."""
    of_these = select(Attempt.id).where(Attempt.candidate_id.in_(ids), Attempt.status.in_(many_grants.WITH_A_CLOCK))
    rows = many_grants.clocks(list(db.session.execute(of_these).scalars()), is_locked=is_locked)
    used = many_grants.short_seconds([row.id for row in rows]) if is_short else {}
    plan: dict[UUID, int] = {}
    skipped: Counter[str] = Counter(not_writing=len(ids) - len(rows))
    for row in rows:
        if finishing.is_over(row, now):
            skipped["ended"] += 1
        elif is_short and used.get(row.id, 0) + seconds > grants.MOST_SHORT_SECONDS:
            skipped["over_limit"] += 1
        else:
            plan[row.id] = seconds
    report.add(BulkReport(changed=len(plan), skipped=+skipped))
    return rows, plan


def _attempts(candidate_ids: list[UUID], status: AttemptStatus) -> dict[UUID, datetime]:
    """The attempts of these candidates in a state, with their deadlines."""
    rows = db.session.execute(
        select(Attempt.id, Attempt.deadline_at).where(Attempt.candidate_id.in_(candidate_ids), Attempt.status == status)
    )
    return {row.id: row.deadline_at for row in rows}


def _batches(candidate_ids: Iterable[UUID]) -> Iterable[list[UUID]]:
    ids = sorted(set(candidate_ids))
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
