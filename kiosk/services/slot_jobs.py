"""Bulk actions on slots with a report on each candidate: done on the spot, or as a job where there are many."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select

from kiosk import clock
from kiosk.extensions import db, transaction
from kiosk.models import Attempt, Candidate, Slot
from kiosk.services import jobs, rooms, slots
from kiosk.services.audit import Actor
from kiosk.services.centres import CentreView
from kiosk.services.exchange import writers
from kiosk.services.jobs import Order, Outcome, Work
from kiosk.services.slots import BATCH, BulkReport
from kiosk.states import OPEN_ATTEMPT, AttemptStatus, SlotStatus

Run = Callable[[list[UUID], str, Actor, datetime, bool], BulkReport]
COLUMNS = ("service_no", "name", "before", "after", "note")


def _assign(ids: list[UUID], _reason: str, by: Actor, now: datetime, dry_run: bool) -> BulkReport:
    return slots.assign(ids, by=by, now=now, dry_run=dry_run)


def _reset(ids: list[UUID], reason: str, by: Actor, now: datetime, dry_run: bool) -> BulkReport:
    return slots.reset(ids, reason=reason, by=by, now=now, dry_run=dry_run)


def _reassign(ids: list[UUID], reason: str, by: Actor, now: datetime, dry_run: bool) -> BulkReport:
    return slots.reassign(ids, reason=reason, by=by, now=now, dry_run=dry_run)


def _clear(ids: list[UUID], reason: str, by: Actor, now: datetime, dry_run: bool) -> BulkReport:
    report = slots.clear_incomplete(ids, reason=reason, by=by, now=now, dry_run=dry_run)
    # who is paused has a test to lose as well
    report.writing += report.by_status[AttemptStatus.PAUSED]
    return report


def _pause(ids: list[UUID], reason: str, by: Actor, now: datetime, dry_run: bool) -> BulkReport:
    return rooms.pause(ids, reason=reason, by=by, now=now, dry_run=dry_run)


def _resume(ids: list[UUID], _reason: str, by: Actor, now: datetime, dry_run: bool) -> BulkReport:
    return rooms.resume(ids, by=by, now=now, dry_run=dry_run)


# what is done, and what is said of those who stay as they are where the service does not tell one by one
RUNS: dict[str, Run] = {
    "assign": _assign,
    "reset": _reset,
    "reassign": _reassign,
    "clear": _clear,
    "pause": _pause,
    "resume": _resume,
}
WHY = {
    "assign": "has_slot",
    "reset": "no_slot",
    "reassign": "no_slot",
    "clear": "no_session",
    "pause": "not_writing",
    "resume": "not_paused",
}


@dataclass(frozen=True)
class Ask:
    """What is to be done with whom."""

    action: str
    ids: tuple[UUID, ...]
    reason: str
    organisation_id: UUID
    centre: CentreView


@dataclass(frozen=True)
class _State:
    service_no: str
    name: str
    slot_id: UUID | None
    words: str


def order(ask: Ask, *, by: Actor, now: datetime) -> UUID:
    """Leave it to a worker; return the job's id."""
    return jobs.order(_order(ask), by=by, now=now)


def do_now(ask: Ask, *, by: Actor, now: datetime) -> tuple[BulkReport, UUID | None]:
    """Do it in this request; return what was done, and for several candidates the job that keeps the report on each."""
    ids = list(ask.ids)
    run = RUNS[ask.action]
    if len(ids) == 1:
        return run(ids, ask.reason, by, now, False), None
    before = _states(ids)
    report = run(ids, ask.reason, by, now, False)
    lines = _lines(ask.action, before, _states(ids), report.why)
    outcome = Outcome(_result(report), f"{ask.action}.csv", _csv(lines))
    return report, jobs.record_finished(_order(ask), outcome, by=by, now=now)


def _order(ask: Ask) -> Order:
    return Order(
        kind=f"slots_{ask.action}",
        title=ask.centre.name,
        organisation_id=ask.organisation_id,
        centre_id=ask.centre.centre_id,
        params={"reason": ask.reason},
        input_file=json.dumps([str(one) for one in sorted(ask.ids)]).encode(),
        steps_total=len(ask.ids),
    )


def _do(work: Work) -> Outcome:
    """A thousand at a time, each batch in one transaction; a batch that may have been done is not done twice."""
    action = work.kind.removeprefix("slots_")
    ids = [UUID(text) for text in json.loads(work.input())]
    result: dict[str, Any] = work.result or _result(BulkReport())
    lines: list[list[str]] = result.pop("lines", [])
    for start in range(work.steps_done, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        begun_at, done_already = _begun(work, result, start)
        rest = [one for one in batch if one not in (_touched(batch, begun_at) if done_already else ())]
        before = _states(batch)
        report = RUNS[action](rest, work.params["reason"], work.by, begun_at, False)
        report.changed += len(batch) - len(rest)
        lines += _lines(action, before, _states(batch), report.why)
        result = _added(result, report)
        with transaction():
            work.keep(result=result | {"lines": lines}, steps_done=start + len(batch), steps_total=len(ids))
    return Outcome(result, f"{action}.csv", _csv(lines))


for _action in RUNS:
    jobs.kind(f"slots_{_action}")(_do)


def _begun(work: Work, result: dict[str, Any], start: int) -> tuple[datetime, bool]:
    """When this batch was begun, and whether by a worker that never told how it went."""
    begun = result.pop("begun", None)
    if begun and begun["start"] == start:
        return datetime.fromisoformat(begun["at"]), True
    at = clock.now()
    with transaction():
        work.keep(result=result | {"begun": {"start": start, "at": at.isoformat()}})
    return at, False


def _touched(ids: list[UUID], at: datetime) -> set[UUID]:
    """Those whose slot or attempt was changed at exactly this instant."""
    slot = select(Slot.candidate_id).where(
        Slot.candidate_id.in_(ids), or_(Slot.assigned_at == at, Slot.closed_at == at)
    )
    attempt = select(Attempt.candidate_id).where(Attempt.candidate_id.in_(ids), Attempt.changed_at == at)
    return {*db.session.execute(slot).scalars(), *db.session.execute(attempt).scalars()}


def _states(ids: list[UUID]) -> dict[UUID, _State]:
    found: dict[UUID, _State] = {}
    for start in range(0, len(ids), BATCH):
        rows = db.session.execute(
            select(
                Candidate.id,
                Candidate.service_no,
                Candidate.name,
                Slot.id.label("slot_id"),
                Slot.status,
                Attempt.status.label("attempt_status"),
            )
            .outerjoin(Slot, and_(Slot.candidate_id == Candidate.id, Slot.closed_at.is_(None)))
            .outerjoin(Attempt, and_(Attempt.candidate_id == Candidate.id, Attempt.status.in_(OPEN_ATTEMPT)))
            .where(Candidate.id.in_(ids[start : start + BATCH]))
            .order_by(Candidate.login)
        )
        for row in rows:
            paused = ", paused" if row.attempt_status == AttemptStatus.PAUSED else ""
            words = f"{row.status or SlotStatus.NONE}{paused}"
            found[row.id] = _State(row.service_no, row.name, row.slot_id, words)
    return found


def _lines(action: str, before: dict[UUID, _State], after: dict[UUID, _State], why: dict[UUID, str]) -> list[list[str]]:
    """One line for each candidate: how it was, how it is, and why nothing happened where nothing did."""
    lines = []
    for one, then in before.items():
        now = after.get(one, then)
        is_same = (then.slot_id, then.words) == (now.slot_id, now.words)
        note = why.get(one, WHY[action]).replace("_", " ") if is_same else ""
        lines.append([then.service_no, then.name, then.words, now.words, note])
    return lines


def _result(report: BulkReport) -> dict[str, Any]:
    return {"changed": report.changed, "cancelled": report.sessions_cancelled, "skipped": dict(report.skipped)}


def _added(result: dict[str, Any], report: BulkReport) -> dict[str, Any]:
    return {
        "changed": result["changed"] + report.changed,
        "cancelled": result["cancelled"] + report.sessions_cancelled,
        "skipped": dict(Counter(result["skipped"]) + report.skipped),
    }


def _csv(lines: list[list[str]]) -> bytes:
    output = io.BytesIO()
    writers.write_csv(output, COLUMNS, lines)
    return output.getvalue()
