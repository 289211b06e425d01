"""Reads shaped for the candidate's screens. Nothing here changes anything but a lost timer key."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select

from kiosk import timers
from kiosk.errors import KioskError, NotAllowed, NotFound, SignedOut
from kiosk.extensions import db, read
from kiosk.models import Answer, Attempt, Candidate, Centre, Paper, Pause, Trade
from kiosk.prepared import Prepared, Tables
from kiosk.services import entry, leases, marking, outlines, presence, shapes
from kiosk.services.audit import Actor
from kiosk.services.entry import Entry
from kiosk.services.screens import (
    AttemptView,
    CellState,
    ClockView,
    ExamSheet,
    PauseView,
    ReceiptView,
    Standing,
)
from kiosk.services.system import settings
from kiosk.states import HANDED_IN, AttemptStatus, SlotStatus

_TABLES = Tables(attempt=Attempt, candidate=Candidate, centre=Centre, trade=Trade, paper=Paper)


def standing(candidate_id: UUID, *, now: datetime, epoch: int | None = None, by: Actor | None = None) -> Standing:
    """Return which screen the candidate belongs on, at the place where `by` is.

    Raises NotFound, SignedOut (an `epoch` that is over).
    """
    found = entry.read(candidate_id, by=by)
    _demand_sign_in(found.candidate, epoch)
    attempt = found.attempt if found.attempt and found.attempt.status != AttemptStatus.INITIATED else None
    attempt = attempt or _latest_attempt(found)
    view = _attempt_view(attempt, now, takeover=found.centre.takeover) if attempt else None
    refused = entry.refusal(found, now=now)
    kind = _kind(found, view, refused)
    return Standing(
        kind=kind,
        person=outlines.person(found.candidate, found.centre, found.trade),
        paper=outlines.outline(found.paper, found.trade, found.extra_seconds) if found.paper else None,
        shift=outlines.shift_view(found),
        attempt=view,
        receipt=receipt(view.attempt_id, candidate_id=candidate_id) if view and kind == "handed_in" else None,
        refusal=refused,
    )


def exam_sheet(
    attempt_id: UUID, *, candidate_id: UUID, now: datetime, language: str, epoch: int | None = None
) -> ExamSheet:
    """Return the whole exam page of the candidate's own attempt. Raises NotFound, NotAllowed, SignedOut."""
    row = read(_sat(), {"p_attempt": attempt_id}).one_or_none()
    if row is None:
        raise NotFound
    found = _TABLES.of(row)
    attempt, candidate, trade, planned = found["attempt"], found["candidate"], found["trade"], found["paper"]
    if attempt.candidate_id != candidate_id:
        raise NotAllowed
    _demand_sign_in(candidate, epoch)
    answers = read(_answers(), {"p_attempt": attempt_id}).all()
    current = _current_number(answers)
    cells = tuple(shapes.cell(answer, is_current=answer.number == current) for answer in answers)
    paper = outlines.outline(planned, trade, attempt.allowed_seconds - planned.duration_seconds)
    counts: dict[CellState, int] = {"none": 0, "blank": 0, "done": 0, "mark": 0, "both": 0}
    counts.update(Counter(cell.state for cell in cells))
    return ExamSheet(
        person=outlines.person(candidate, found["centre"], trade),
        paper=paper,
        attempt=_attempt_view(attempt, now, answers),
        question=shapes.question_view(answers[current - 1], language, len(answers)),
        cells=cells,
        parts=outlines.tabs(paper, cells),
        counts=counts,
        saved_at=max((answer.saved_at for answer in answers if answer.saved_at), default=None),
    )


@cache
def _sat() -> Prepared:
    """Whose attempt it is, and where and what they write."""
    return Prepared(
        select(*_TABLES.columns)
        .select_from(Attempt)
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .join(Centre, Centre.id == Candidate.centre_id)
        .join(Trade, Trade.id == Candidate.trade_id)
        .join(Paper, Paper.id == Attempt.paper_id)
        .where(Attempt.id == bindparam("p_attempt", type_=Uuid))
    )


@cache
def _answers() -> Prepared:
    return Prepared(
        select(
            Answer.number,
            Answer.question_id,
            Answer.part,
            Answer.option_order,
            Answer.response,
            Answer.seq,
            Answer.is_marked,
            Answer.visited_at,
            Answer.saved_at,
        )
        .where(Answer.attempt_id == bindparam("p_attempt", type_=Uuid))
        .order_by(Answer.number)
    )


def receipt(attempt_id: UUID, *, candidate_id: UUID) -> ReceiptView:
    """Return the receipt of the candidate's own handed-in attempt. Raises NotFound, NotAllowed."""
    row = db.session.execute(
        select(
            Attempt.candidate_id,
            Attempt.status,
            Attempt.receipt,
            Attempt.ended_by,
            Attempt.closed_at,
            Attempt.marked_at,
            Paper.score_release,
            select(func.count()).where(Answer.attempt_id == Attempt.id).scalar_subquery().label("total"),
            select(func.count())
            .where(Answer.attempt_id == Attempt.id, Answer.response.is_not(None))
            .scalar_subquery()
            .label("answered"),
        )
        .join(Paper, Paper.id == Attempt.paper_id)
        .where(Attempt.id == attempt_id)
    ).one_or_none()
    if row is None or row.status not in HANDED_IN:
        raise NotFound
    if row.candidate_id != candidate_id:
        raise NotAllowed
    score = marking.score_of(attempt_id) if row.score_release == "at_submit" and row.marked_at else None
    return ReceiptView(
        attempt_id=attempt_id,
        code=row.receipt,
        status=row.status,
        ended_by=cast(Literal["submitted", "expired"], row.ended_by),
        closed_at=row.closed_at,
        answered=row.answered,
        total=row.total,
        score=shapes.number(score.score) if score else None,
        max_score=shapes.number(score.max_score) if score else None,
    )


def clock(attempt_id: UUID, *, lease: int, now: datetime) -> ClockView:
    """Return the time left. One round trip to Redis; only without a usable key one statement by primary key."""
    timer = timers.read_timer(attempt_id)
    if timer and timer.deadline_ms is not None and timer.lease == lease:
        deadline_at = timers.from_ms(timer.deadline_ms)
        presence.seen(attempt_id, now=now)
        return _clock_view(AttemptStatus.IN_PROGRESS, deadline_at, None, now, holds_lease=True)
    row = db.session.execute(
        select(Attempt.status, Attempt.deadline_at, Attempt.remaining_ms, Attempt.version, Attempt.lease).where(
            Attempt.id == attempt_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    if row.status == AttemptStatus.IN_PROGRESS:
        timers.create_timer(attempt_id, row.deadline_at, version=row.version, lease=row.lease, now=now)
    if row.lease == lease:
        presence.seen(attempt_id, now=now)
    return _clock_view(row.status, row.deadline_at, row.remaining_ms, now, holds_lease=row.lease == lease)


def _clock_view(
    status: str, deadline_at: datetime | None, kept_ms: int | None, now: datetime, *, holds_lease: bool
) -> ClockView:
    is_running = status == AttemptStatus.IN_PROGRESS
    left = kept_ms or 0 if status == AttemptStatus.PAUSED else shapes.remaining_ms(deadline_at, now) * is_running
    return ClockView(status, left, deadline_at, holds_lease, is_running and _is_over(deadline_at, now))


def _is_over(deadline_at: datetime | None, now: datetime) -> bool:
    """Whether deadline and grace have passed: then the attempt is over in every answer, whatever its row says."""
    return deadline_at is not None and now > deadline_at + timedelta(seconds=settings().save_grace_seconds)


def _demand_sign_in(candidate: Candidate, epoch: int | None) -> None:
    if epoch is not None and (candidate.session_epoch != epoch or candidate.archived_at is not None):
        raise SignedOut


def _kind(found: Entry, attempt: AttemptView | None, refused: KioskError | None) -> Any:
    slot = found.slot.status if found.slot else SlotStatus.NONE
    if attempt and attempt.is_paused:
        return "paused"
    if attempt and attempt.status == AttemptStatus.IN_PROGRESS:
        return "running"
    if attempt and slot == SlotStatus.CONSUMED and attempt.is_handed_in:
        return "handed_in"
    if attempt and attempt.is_cancelled:
        return "cancelled"
    return "refused" if refused else "ready"


def _latest_attempt(found: Entry) -> Attempt | None:
    """The newest attempt of the current slot; without a slot the newest one if it was cancelled."""
    query = select(Attempt).where(Attempt.candidate_id == found.candidate.id)
    latest = db.session.execute(
        query.order_by(Attempt.created_at.desc()).limit(1).execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if latest is None or (found.slot and latest.slot_id != found.slot.id and not latest.cancel_reason):
        return None
    return latest


def _attempt_view(attempt: Attempt, now: datetime, answers: Any = None, *, takeover: str = "free") -> AttemptView:
    if answers is None:
        answers = db.session.execute(
            select(Answer.number, Answer.response, Answer.visited_at)
            .where(Answer.attempt_id == attempt.id)
            .order_by(Answer.number)
        ).all()
    clock_view = _clock_view(attempt.status, attempt.deadline_at, attempt.remaining_ms, now, holds_lease=True)
    return AttemptView(
        attempt_id=attempt.id,
        status=attempt.status,
        remaining_ms=clock_view.remaining_ms,
        deadline_at=attempt.deadline_at,
        started_at=attempt.started_at,
        closed_at=attempt.closed_at or (attempt.deadline_at if clock_view.is_time_over else None),
        is_time_over=clock_view.is_time_over,
        cancel_reason=attempt.cancel_reason,
        reason_text=attempt.reason_text,
        pause=_pause(attempt.id) if attempt.status == AttemptStatus.PAUSED else None,
        answered=sum(answer.response is not None for answer in answers),
        current_number=_current_number(answers),
        total=len(answers),
        lease=attempt.lease,
        needs_approval=attempt.closed_at is None and leases.needs_approval(attempt, takeover, now=now),
    )


def _pause(attempt_id: UUID) -> PauseView | None:
    row = db.session.execute(
        select(Pause.from_at, Pause.kind, Pause.reason).where(Pause.attempt_id == attempt_id, Pause.to_at.is_(None))
    ).one_or_none()
    return PauseView(row.from_at, row.kind == "outage", row.reason) if row else None


def _current_number(answers: Any) -> int:
    """The question visited last."""
    visited = [answer for answer in answers if answer.visited_at]
    return max(visited, key=lambda answer: answer.visited_at).number if visited else 1
