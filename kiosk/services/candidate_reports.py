"""Everything about one candidate: slots, attempts and what the audit log says of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select

from kiosk.errors import NotFound
from kiosk.extensions import db
from kiosk.models import Answer, Attempt, AuditEvent, Candidate, Centre, Kiosk, Paper, QuestionSet, Shift, Slot, Trade
from kiosk.services.centres import CentreView
from kiosk.services.revivable import RESTORABLE
from kiosk.services.slot_views import SlotView, actions_for, slot_view
from kiosk.states import OPEN_ATTEMPT, SlotStatus

LATEST_EVENTS = 30


@dataclass(frozen=True)
class SlotPast:
    """A slot that was, or is: the paper, its state, and how it was closed."""

    paper_type: str
    slot: SlotView
    assigned_at: datetime
    assigned_by: str
    closed_at: datetime | None
    closed_as: str | None
    closed_by: str | None
    reason: str | None


@dataclass(frozen=True)
class AttemptRow:
    """One sitting as staff see it. Nothing of what was answered, only how much."""

    attempt_id: UUID
    number: int
    paper_title: str
    set_label: str
    set_version: int
    status: str
    cancel_reason: str | None
    reason_text: str | None
    ended_by: str | None
    started_at: datetime | None
    ended_at: datetime | None
    answered: int
    total: int
    receipt: str | None
    last_seen_at: datetime | None
    kiosk: str | None
    address: str | None
    user_agent: str | None
    version: int
    way_back: str | None  # restore or reopen, where the life cycle and the slot allow it


@dataclass(frozen=True)
class Event:
    """One row of the audit log."""

    at: datetime
    actor: str
    action: str
    object_kind: str
    from_state: str | None
    to_state: str | None
    reason: str | None


@dataclass(frozen=True)
class CandidateView:
    """One candidate's page."""

    candidate_id: UUID
    service_no: str
    name: str
    rank: str
    trade_code: str
    trade_name: str
    seat: str | None
    shift_at: datetime | None
    extra_minutes_per_hour: int
    locked_until: datetime | None
    centre: CentreView
    slot: SlotView
    actions: tuple[str, ...]
    slots: tuple[SlotPast, ...]
    attempts: tuple[AttemptRow, ...]
    events: tuple[Event, ...]


def candidate(candidate_id: UUID, *, organisation_id: UUID, centre_id: UUID | None) -> CandidateView:
    """Return a candidate of the organisation, and of the centre if one is given. Raises NotFound."""
    row = db.session.execute(
        select(Candidate, Trade, Centre, Shift.starts_at)
        .join(Trade, Trade.id == Candidate.trade_id)
        .join(Centre, Centre.id == Candidate.centre_id)
        .outerjoin(Shift, Shift.id == Candidate.shift_id)
        .where(Candidate.id == candidate_id, Candidate.organisation_id == organisation_id)
    ).one_or_none()
    if row is None or (centre_id is not None and row.Candidate.centre_id != centre_id):
        raise NotFound
    slots = list(
        db.session.execute(
            select(Slot).where(Slot.candidate_id == candidate_id).order_by(Slot.assigned_at.desc(), Slot.id.desc())
        ).scalars()
    )
    attempts = _attempts(candidate_id)
    current = next((slot for slot in slots if slot.closed_at is None), None)
    running = next((row.Attempt for row in attempts if row.Attempt.status in OPEN_ATTEMPT), None)
    view = slot_view(current, running)
    return CandidateView(
        candidate_id=candidate_id,
        service_no=row.Candidate.service_no,
        name=row.Candidate.name,
        rank=row.Candidate.rank,
        trade_code=row.Trade.code,
        trade_name=row.Trade.name,
        seat=row.Candidate.seat,
        shift_at=row.starts_at,
        extra_minutes_per_hour=row.Candidate.extra_minutes_per_hour,
        locked_until=row.Candidate.locked_until,
        centre=CentreView(row.Centre.id, row.Centre.code, row.Centre.name, row.Centre.time_zone),
        slot=view,
        actions=actions_for(view, has_session=running is not None),
        slots=tuple(_slot_past(slot) for slot in slots),
        attempts=tuple(_attempt_row(row, _way_back(row, current, attempts)) for row in attempts),
        events=_events([candidate_id, *(slot.id for slot in slots), *(row.Attempt.id for row in attempts)]),
    )


def _attempts(candidate_id: UUID) -> list[Any]:
    counts = (
        select(
            Answer.attempt_id,
            func.count().label("total"),
            func.count(Answer.question_id).filter(Answer.response.is_not(None)).label("answered"),
        )
        .join(Attempt, Attempt.id == Answer.attempt_id)
        .where(Attempt.candidate_id == candidate_id)
        .group_by(Answer.attempt_id)
        .subquery()
    )
    return list(
        db.session.execute(
            select(
                Attempt,
                Paper.title,
                QuestionSet.label,
                QuestionSet.version,
                Shift.status.label("shift_status"),
                Kiosk.name.label("kiosk"),
                counts.c.total,
                counts.c.answered,
            )
            .join(Paper, Paper.id == Attempt.paper_id)
            .outerjoin(Shift, Shift.id == Attempt.shift_id)
            .outerjoin(Kiosk, Kiosk.id == Attempt.kiosk_id)
            .join(QuestionSet, QuestionSet.id == Attempt.question_set_id)
            .outerjoin(counts, counts.c.attempt_id == Attempt.id)
            .where(Attempt.candidate_id == candidate_id)
            .order_by(Attempt.created_at.desc())
        ).all()
    )


def _slot_past(slot: Slot) -> SlotPast:
    return SlotPast(
        paper_type=slot.paper_type,
        slot=slot_view(slot),
        assigned_at=slot.assigned_at,
        assigned_by=slot.assigned_by,
        closed_at=slot.closed_at,
        closed_as=slot.closed_as,
        closed_by=slot.closed_by,
        reason=slot.close_reason,
    )


def _way_back(row: Any, current: Slot | None, attempts: list[Any]) -> str | None:
    """What could take this attempt up again; whether nothing stands in the way is decided again when it is done."""
    attempt: Attempt = row.Attempt
    newer = [
        one.Attempt
        for one in attempts
        if one.Attempt.status in OPEN_ATTEMPT
        or (one.Attempt.id > attempt.id and one.Attempt.slot_id == attempt.slot_id)
    ]
    if current is None or attempt.slot_id != current.id or any(one.started_at for one in newer):
        return None
    if attempt.cancel_reason in RESTORABLE and attempt.started_at and current.status == SlotStatus.AVAILABLE:
        return "restore"
    is_reopenable = attempt.ended_by == "expired" and current.status == SlotStatus.CONSUMED
    return "reopen" if is_reopenable and row.shift_status != "closed" else None


def _attempt_row(row: Any, way_back: str | None) -> AttemptRow:
    attempt: Attempt = row.Attempt
    return AttemptRow(
        attempt_id=attempt.id,
        number=attempt.number,
        paper_title=row.title,
        set_label=row.label,
        set_version=row.version,
        status=attempt.status,
        cancel_reason=attempt.cancel_reason,
        reason_text=attempt.reason_text,
        ended_by=attempt.ended_by,
        started_at=attempt.started_at,
        ended_at=attempt.closed_at,
        answered=row.answered or 0,
        total=row.total or 0,
        receipt=attempt.receipt,
        last_seen_at=attempt.last_seen_at,
        kiosk=row.kiosk,
        address=attempt.address,
        user_agent=attempt.user_agent,
        version=attempt.version,
        way_back=way_back,
    )


def _events(object_ids: list[UUID]) -> tuple[Event, ...]:
    rows = db.session.execute(
        select(
            AuditEvent.at,
            AuditEvent.actor_name,
            AuditEvent.action,
            AuditEvent.object_kind,
            AuditEvent.from_state,
            AuditEvent.to_state,
            AuditEvent.reason,
        )
        .where(or_(*(_of_kind(kind, object_ids) for kind in ("candidate", "slot", "attempt"))))
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        .limit(LATEST_EVENTS)
    ).all()
    return tuple(Event(*row) for row in rows)


def _of_kind(kind: str, object_ids: list[UUID]) -> Any:
    # kind and id together: that is what the index is on
    return (AuditEvent.object_kind == kind) & AuditEvent.object_id.in_(object_ids)
