"""Slots: assign, reset, reassign, clear incomplete sessions. Each takes any number of candidates at once.

Set-based: the number of statements depends on the number of batches (1,000), never on the candidates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from kiosk import timers
from kiosk.errors import BadInput, ReasonMissing, ReasonTooLong
from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt, Candidate, Slot, Trade
from kiosk.services import _transitions, expiring, next_paper
from kiosk.services.audit import Actor
from kiosk.states import OPEN_ATTEMPT, AttemptAction, AttemptStatus, CancelReason, SlotAction, SlotStatus

BATCH = 1000
LONGEST_REASON = 500


@dataclass
class BulkReport:
    """What an operation did, or would do: candidates changed, skipped by reason, sessions ended, people writing."""

    changed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    sessions_cancelled: int = 0
    writing: int = 0
    by_status: Counter[str] = field(default_factory=Counter)
    why: dict[UUID, str] = field(default_factory=dict)  # of those skipped for one of several reasons

    def add(self, other: BulkReport) -> None:
        """Add the counts of another batch."""
        self.changed += other.changed
        self.skipped += other.skipped
        self.sessions_cancelled += other.sessions_cancelled
        self.writing += other.writing
        self.by_status += other.by_status
        self.why |= other.why


def assign(candidate_ids: Iterable[UUID], *, by: Actor, now: datetime, dry_run: bool = False) -> BulkReport:
    """Give each candidate an available slot for their next paper. Skips, and says why, where that is not possible."""
    return _in_batches(candidate_ids, lambda ids: _assign(ids, by, now, dry_run), dry_run=dry_run, now=now)


def reset(candidate_ids: Iterable[UUID], *, reason: str, by: Actor, now: datetime, dry_run: bool = False) -> BulkReport:
    """Take each candidate's slot away; an open attempt is cancelled, its answers stay. Raises ReasonMissing."""
    reason = checked_reason(reason, dry_run=dry_run)
    return _in_batches(candidate_ids, lambda ids: _reset(ids, reason, by, now, dry_run), dry_run=dry_run, now=now)


def reassign(
    candidate_ids: Iterable[UUID], *, reason: str, by: Actor, now: datetime, dry_run: bool = False
) -> BulkReport:
    """Give each candidate the same paper again; an open attempt is cancelled. Raises ReasonMissing."""
    reason = checked_reason(reason, dry_run=dry_run)
    return _in_batches(candidate_ids, lambda ids: _reassign(ids, reason, by, now, dry_run), dry_run=dry_run, now=now)


def clear_incomplete(
    candidate_ids: Iterable[UUID], *, reason: str = "", by: Actor, now: datetime, dry_run: bool = False
) -> BulkReport:
    """Cancel open attempts and release their slots. Nothing is deleted. Raises ReasonTooLong, BadInput."""
    reason = checked_reason(reason, dry_run=True)  # it may be left out
    return _in_batches(candidate_ids, lambda ids: _clear(ids, reason, by, now, dry_run), dry_run=dry_run, now=now)


def checked_reason(reason: str | None, *, dry_run: bool = False) -> str:
    """Return the reason without outer white space. Raises ReasonMissing, ReasonTooLong."""
    text = (reason or "").strip()
    if not text and not dry_run:
        raise ReasonMissing
    if len(text) > LONGEST_REASON:
        raise ReasonTooLong(most=LONGEST_REASON)
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise BadInput(problem=_("The reason holds characters that cannot be stored."))
    return text


def _in_batches(candidate_ids: Iterable[UUID], work: Any, *, dry_run: bool, now: datetime) -> BulkReport:
    total = BulkReport()
    if not dry_run:
        # whoever's time is over has handed in, whatever the row says: end them before their slots are judged
        expiring.expire_overdue(now=now)
    for ids in _batches(sorted(set(candidate_ids))):
        if dry_run:
            report, _ = work(ids)
        else:
            report, tombstones = _in_transaction(work, ids)
            timers.delete_timers(tombstones)
        total.add(report)
    return total


@retried
def _in_transaction(work: Any, ids: list[UUID]) -> Any:
    with transaction():
        return work(ids)


def _assign(ids: list[UUID], by: Actor, now: datetime, dry_run: bool) -> tuple[BulkReport, dict[UUID, int]]:
    report = BulkReport()
    candidates = _locked_candidates(ids, dry_run)
    current = _current_slots(ids, dry_run)
    plan = next_paper.plan(ids, [row.organisation_id for row in candidates])
    close: list[UUID] = []
    rows: list[dict[str, Any]] = []
    for candidate in candidates:
        slot = current.get(candidate.id)
        report.by_status[slot.status if slot else SlotStatus.NONE] += 1
        paper, skip = plan.next_for(candidate, slot)
        if skip or paper is None:
            report.why[candidate.id] = skip or "no_paper"
            report.skipped[report.why[candidate.id]] += 1
            continue
        if slot:
            close.append(slot.id)
        rows.append({"candidate_id": candidate.id, "paper_id": paper.id, "paper_type": paper.paper_type})
    report.skipped["not_found"] += len(ids) - len(candidates)
    report.skipped = +report.skipped
    report.changed = len(rows)
    if not dry_run:
        _transitions.move_slots(close, SlotAction.ASSIGN, by=by, now=now)
        _transitions.open_slots(rows, SlotAction.ASSIGN, by=by, now=now)
    return report, {}


def _reset(ids: list[UUID], reason: str, by: Actor, now: datetime, dry_run: bool) -> tuple[BulkReport, dict[UUID, int]]:
    slots, report = _affected(ids, dry_run)
    if dry_run:
        return report, {}
    # the slot first, then its attempt: the lock order that everybody keeps
    moved = _transitions.move_slots([slot.id for slot in slots], SlotAction.RESET, by=by, now=now, reason=reason)
    report.changed = len(moved)
    cancelled = _cancel([row.candidate_id for row in moved], CancelReason.SLOT_RESET, reason, by, now)
    report.sessions_cancelled = len(cancelled)
    return report, cancelled


def _reassign(
    ids: list[UUID], reason: str, by: Actor, now: datetime, dry_run: bool
) -> tuple[BulkReport, dict[UUID, int]]:
    slots, report = _affected(ids, dry_run)
    if dry_run:
        return report, {}
    types = {slot.id: slot.paper_type for slot in slots}
    moved = _transitions.move_slots([slot.id for slot in slots], SlotAction.REASSIGN, by=by, now=now, reason=reason)
    report.changed = len(moved)
    cancelled = _cancel([row.candidate_id for row in moved], CancelReason.SLOT_REASSIGNED, reason, by, now)
    report.sessions_cancelled = len(cancelled)
    _transitions.open_slots(
        [
            {
                "candidate_id": row.candidate_id,
                "paper_id": row.paper_id,
                "paper_type": types[row.id],
                # what was handed in stays and counts, so one more attempt than the paper's limit is needed
                "extra_attempts": row.extra_attempts + (row.status == SlotStatus.CONSUMED),
            }
            for row in moved
        ],
        SlotAction.REASSIGN,
        by=by,
        now=now,
        reason=reason,
    )
    return report, cancelled


def _clear(ids: list[UUID], reason: str, by: Actor, now: datetime, dry_run: bool) -> tuple[BulkReport, dict[UUID, int]]:
    report = BulkReport()
    open_attempts = db.session.execute(
        select(Attempt.id, Attempt.slot_id, Attempt.candidate_id, Attempt.status).where(
            Attempt.candidate_id.in_(ids), Attempt.status.in_(OPEN_ATTEMPT)
        )
    ).all()
    report.by_status = Counter(row.status for row in open_attempts)
    report.writing = report.by_status[AttemptStatus.IN_PROGRESS]
    report.skipped["no_session"] += len(ids) - len({row.candidate_id for row in open_attempts})
    report.skipped = +report.skipped
    report.changed = report.sessions_cancelled = len(open_attempts)
    if dry_run:
        return report, {}
    _transitions.move_slots([row.slot_id for row in open_attempts], SlotAction.RELEASE, by=by, now=now, reason=reason)
    cancelled = _cancel(ids, CancelReason.CLEARED, reason, by, now)
    report.changed = report.sessions_cancelled = len(cancelled)
    return report, cancelled


def _cancel(candidate_ids: list[UUID], why: CancelReason, reason: str, by: Actor, now: datetime) -> dict[UUID, int]:
    """Cancel the open attempts of these candidates; return id → version for their keys."""
    ids = db.session.execute(
        select(Attempt.id).where(Attempt.candidate_id.in_(candidate_ids), Attempt.status.in_(OPEN_ATTEMPT))
    ).scalars()
    moved = _transitions.move_attempts(
        list(ids),
        AttemptAction.CANCEL,
        by=by,
        now=now,
        reason=why,
        cancel_reason=why,
        closed_at=now,
        reason_text=reason,
    )
    return {row.id: row.version for row in moved}


def _affected(ids: list[UUID], dry_run: bool) -> tuple[list[Any], BulkReport]:
    """The current slots of these candidates, and the report of what there is to change."""
    _locked_candidates(ids, dry_run)
    slots = list(_current_slots(ids, dry_run).values())
    report = BulkReport(changed=len(slots), by_status=Counter(slot.status for slot in slots))
    report.by_status[SlotStatus.NONE] += len(ids) - len(slots)
    report.skipped["no_slot"] += len(ids) - len(slots)
    report.skipped, report.by_status = +report.skipped, +report.by_status
    report.writing = report.sessions_cancelled = report.by_status[SlotStatus.ATTEMPTING]
    return slots, report


def _locked_candidates(ids: list[UUID], dry_run: bool) -> list[Any]:
    columns = (
        Candidate.id,
        Candidate.organisation_id,
        Candidate.trade_id,
        Candidate.primary_bypassed_at,
        Trade.has_primary,
    )
    query = (
        select(*columns)
        .join(Trade, Trade.id == Candidate.trade_id)
        .where(Candidate.id.in_(ids), Candidate.archived_at.is_(None))
        .order_by(Candidate.id)
    )
    return list(db.session.execute(query if dry_run else query.with_for_update(of=Candidate, key_share=True)).all())


def _current_slots(ids: list[UUID], dry_run: bool) -> dict[UUID, Any]:
    query = (
        select(Slot.id, Slot.candidate_id, Slot.paper_id, Slot.paper_type, Slot.status)
        .where(Slot.candidate_id.in_(ids), Slot.closed_at.is_(None))
        .order_by(Slot.id)
    )
    rows = db.session.execute(query if dry_run else query.with_for_update(key_share=True)).all()
    return {row.candidate_id: row for row in rows}


def _batches(ids: list[UUID]) -> Iterator[list[UUID]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
