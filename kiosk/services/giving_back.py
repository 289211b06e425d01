"""Time given back: everybody who was writing between two times gets what they lost, each once.

Losing the network is not a pause, the clock went on; staff decide afterwards. What somebody lost is the part of the
window in which their own clock ran.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, select

from kiosk import timers
from kiosk.errors import BadInput
from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt, AuditEvent, Pause
from kiosk.services import finishing, grants, many_grants
from kiosk.services.audit import Actor, Change
from kiosk.services.slots import BATCH, checked_reason

ACTION = "give_back"


@dataclass(frozen=True)
class Window:
    """Who was writing where and when: a centre, one of its shifts or one candidate, between two instants."""

    centre_id: UUID
    shift_id: UUID | None
    from_at: datetime
    to_at: datetime
    candidate_id: UUID | None = None


@dataclass
class BackReport:
    """How many got time back, the most that one of them got, and why others did not."""

    changed: int = 0
    most_seconds: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


def give_back(
    window: Window, *, reason: str, is_short: bool, by: Actor, now: datetime, dry_run: bool = False
) -> BackReport:
    """Grant everybody who was writing in the window the time of it; nobody twice for the same minutes.

    `is_short`: by somebody who may grant ten minutes per attempt in total. Raises BadInput (a window that is none, or
    lies in the future), ReasonMissing, ReasonTooLong.
    """
    reason = checked_reason(reason, dry_run=dry_run)
    if not window.from_at < window.to_at <= now:
        raise BadInput(problem=_("The first time must lie before the second, and both in the past."))
    if window.to_at - window.from_at > timedelta(seconds=grants.MOST_SECONDS):
        raise BadInput(problem=_("At most 24 hours can be given back at once."))
    report = BackReport()
    ids = _writers(window)
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        if dry_run:
            _plan(many_grants.clocks(batch, is_locked=False), window, is_short, now, report)
        else:
            _give(batch, window, reason, is_short, by, now, report)
    return report


def _writers(window: Window) -> list[UUID]:
    query = select(Attempt.id).where(
        Attempt.centre_id == window.centre_id,
        Attempt.status.in_(many_grants.WITH_A_CLOCK),
        Attempt.started_at < window.to_at,
    )
    if window.shift_id:
        query = query.where(Attempt.shift_id == window.shift_id)
    if window.candidate_id:
        query = query.where(Attempt.candidate_id == window.candidate_id)
    return list(db.session.execute(query.order_by(Attempt.id)).scalars())


def _give(
    ids: list[UUID], window: Window, reason: str, is_short: bool, by: Actor, now: datetime, report: BackReport
) -> None:
    mine, changed = _in_transaction(ids, window, reason, is_short, by, now)
    report.changed += mine.changed
    report.most_seconds = max(report.most_seconds, mine.most_seconds)
    report.skipped += mine.skipped
    timers.create_timers(changed, now=now)


@retried
def _in_transaction(
    ids: list[UUID], window: Window, reason: str, is_short: bool, by: Actor, now: datetime
) -> tuple[BackReport, dict[UUID, timers.Timer]]:
    report = BackReport()
    with transaction():
        rows = many_grants.clocks(ids, is_locked=True)
        plan = _plan(rows, window, is_short, now, report)
        if not plan:
            return report, {}
        details = {"from": window.from_at.isoformat(), "to": window.to_at.isoformat()}
        change = Change("attempt", rows[0].id, ACTION, reason=reason, details=details)
        kind = grants.NETWORK_SHORT if is_short else grants.NETWORK
        changed = many_grants.add(rows, plan, kind=kind, change=change, by=by, now=now)
    return report, changed


def _plan(rows: list[Any], window: Window, is_short: bool, now: datetime, report: BackReport) -> dict[UUID, int]:
    """The seconds of each, counted into the report; whoever gets nothing is counted with the reason."""
    ids = [row.id for row in rows]
    stood, given, used = (
        _standing_still(ids, window, now),
        _given(ids),
        many_grants.short_seconds(ids) if is_short else {},
    )
    plan: dict[UUID, int] = {}
    for row in rows:
        lost = window.to_at - max(window.from_at, row.started_at) - stood[row.id]
        seconds = max(int(lost.total_seconds()), 0)
        if finishing.is_over(row, now):
            report.skipped["ended"] += 1
        elif any(begin < window.to_at and end > window.from_at for begin, end in given[row.id]):
            report.skipped["already_given"] += 1
        elif not seconds:
            report.skipped["lost_nothing"] += 1
        elif is_short and used.get(row.id, 0) + seconds > grants.MOST_SHORT_SECONDS:
            report.skipped["over_limit"] += 1
        else:
            plan[row.id] = seconds
    report.changed += len(plan)
    report.most_seconds = max([report.most_seconds, *plan.values()])
    return plan


def _standing_still(ids: list[UUID], window: Window, now: datetime) -> dict[UUID, timedelta]:
    """How long each clock stood still within the window: a pause has cost nobody anything."""
    found: dict[UUID, timedelta] = defaultdict(timedelta)
    for row in db.session.execute(
        select(Pause.attempt_id, Pause.from_at, Pause.to_at).where(
            Pause.attempt_id.in_(ids),
            Pause.from_at < window.to_at,
            func.coalesce(Pause.to_at, now) > window.from_at,
        )
    ):
        found[row.attempt_id] += min(row.to_at or now, window.to_at) - max(row.from_at, window.from_at)
    return found


def _given(ids: list[UUID]) -> dict[UUID, list[tuple[datetime, datetime]]]:
    """The windows that each was given before, from the log: it is written with the grant, under the same lock."""
    found: dict[UUID, list[tuple[datetime, datetime]]] = defaultdict(list)
    for object_id, details in db.session.execute(
        select(AuditEvent.object_id, AuditEvent.details).where(
            AuditEvent.object_kind == "attempt", AuditEvent.object_id.in_(ids), AuditEvent.action == ACTION
        )
    ):
        assert details is not None
        found[object_id].append((datetime.fromisoformat(details["from"]), datetime.fromisoformat(details["to"])))
    return found
