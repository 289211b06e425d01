"""Reads of one attempt shaped for programs: its time, its paper, how far it is. Nothing here changes anything."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from kiosk.errors import AttemptNotRunning, KioskError, NotAllowed, NotFound, TimeOver
from kiosk.extensions import db
from kiosk.models import Answer, Attempt, Candidate, Paper, Part
from kiosk.services import catalogue, entry, finishing, reports, shapes
from kiosk.services.catalogue import LETTERS
from kiosk.services.screens import ClockView
from kiosk.states import AttemptStatus, SlotStatus

log = logging.getLogger(__name__)

_COLUMNS = (
    Attempt.id,
    Attempt.candidate_id,
    Attempt.paper_id,
    Attempt.centre_id,
    Attempt.status,
    Attempt.deadline_at,
    Attempt.remaining_ms,
    Attempt.allowed_seconds,
    Attempt.lease,
    Attempt.ended_by,
    Attempt.cancel_reason,
)


@dataclass(frozen=True)
class TimeView:
    """The time of an attempt in whatever state it is; past deadline and grace it is over, whatever its row says."""

    attempt_id: UUID
    status: str
    remaining_ms: int
    deadline_at: datetime | None

    @property
    def remaining_seconds(self) -> int:
        """Seconds left, rounded up."""
        return -(-self.remaining_ms // 1000)


@dataclass(frozen=True)
class PaperItem:
    """The paper of a candidate's current slot, and the attempt that is open on it."""

    paper_id: UUID
    title: str
    trade_code: str
    paper_type: str
    duration_seconds: int
    total_questions: int
    slot_status: str
    attempt_id: UUID | None


def current_paper(candidate_id: UUID, *, now: datetime) -> PaperItem | None:
    """Return the paper of the candidate's current slot; None without a slot. Raises NotFound."""
    found = entry.read(candidate_id)
    if found.slot is None or found.paper is None:
        return None
    total = db.session.execute(
        select(func.coalesce(func.sum(Part.question_count), 0)).where(Part.paper_id == found.paper.id)
    ).scalar_one()
    over = found.attempt is not None and finishing.is_over(found.attempt, now)
    return PaperItem(
        paper_id=found.paper.id,
        title=found.paper.title,
        trade_code=found.trade.code,
        paper_type=found.paper.paper_type,
        duration_seconds=found.allowed_seconds,
        total_questions=total,
        slot_status=SlotStatus.CONSUMED if over else found.slot.status,
        attempt_id=found.attempt.id if found.attempt and not over else None,
    )


def own_attempt(attempt_id: UUID, *, candidate_id: UUID) -> Any:
    """Return the row of the candidate's own attempt. Raises NotFound, NotAllowed (another one's of the centre)."""
    row = db.session.execute(select(*_COLUMNS).where(Attempt.id == attempt_id)).one_or_none()
    if row is None:
        raise NotFound
    if row.candidate_id != candidate_id:
        log.warning("attempt of another asked for attempt=%s candidate=%s", attempt_id, candidate_id)
        raise _stranger(row.centre_id, candidate_id)
    return row


def refusal_to_stranger(attempt_id: UUID, *, candidate_id: UUID) -> KioskError:
    """Return how somebody else's attempt is refused: 403 in the own centre; elsewhere it does not exist."""
    try:
        own_attempt(attempt_id, candidate_id=candidate_id)
    except KioskError as refusal:
        return refusal
    return NotAllowed()


def time_now(attempt_id: UUID, *, candidate_id: UUID, lease: int, now: datetime) -> tuple[TimeView, bool]:
    """Return the time of the own attempt, and whether Redis alone knew. Raises NotFound, NotAllowed.

    A key with this sign-in's lease is proof that the attempt is its own: no statement then, one round trip.
    """
    clock = reports.clock(attempt_id, lease=lease, now=now)
    if clock.holds_lease and clock.status == AttemptStatus.IN_PROGRESS:
        return _of_clock(attempt_id, clock), True
    return time_view(own_attempt(attempt_id, candidate_id=candidate_id), now), False


def time_of(attempt_id: UUID, *, now: datetime) -> TimeView:
    """Return the time of anybody's attempt, from the database. Raises NotFound."""
    row = db.session.execute(select(*_COLUMNS).where(Attempt.id == attempt_id)).one_or_none()
    if row is None:
        raise NotFound
    return time_view(row, now)


def time_view(row: Any, now: datetime) -> TimeView:
    """The time of an attempt's row: the full time before the start, the kept one in a pause, none after the end."""
    if row.status == AttemptStatus.INITIATED:
        return TimeView(row.id, row.status, row.allowed_seconds * 1000, None)
    if row.status == AttemptStatus.PAUSED:
        return TimeView(row.id, row.status, row.remaining_ms, None)
    if finishing.is_over(row, now):
        return TimeView(row.id, AttemptStatus.EXPIRED, 0, row.deadline_at)
    is_running = row.status == AttemptStatus.IN_PROGRESS
    return TimeView(row.id, row.status, shapes.remaining_ms(row.deadline_at, now) if is_running else 0, row.deadline_at)


def closed_refusal(row: Any, now: datetime) -> KioskError | None:
    """Return why the paper of this attempt is not shown now; None while it runs and time is left."""
    if row.status == AttemptStatus.EXPIRED or row.ended_by == "expired":
        return TimeOver()
    if row.status != AttemptStatus.IN_PROGRESS:
        return AttemptNotRunning(attempt_status=row.status, reason=row.cancel_reason)
    return TimeOver() if row.deadline_at < now else None


def questions_total(attempt_id: UUID) -> int:
    """How many questions an attempt has."""
    return db.session.execute(select(func.count()).where(Answer.attempt_id == attempt_id)).scalar_one()


def drawn_paper(attempt_id: UUID) -> list[Any]:
    """Return the rows of an attempt's questions with what is stored for them, in its order."""
    return list(
        db.session.execute(
            select(
                Answer.question_id,
                Answer.number,
                Answer.part,
                Answer.option_order,
                Answer.response,
                Answer.seq,
                Answer.is_marked,
                Answer.visited_at,
            )
            .where(Answer.attempt_id == attempt_id)
            .order_by(Answer.number)
        ).all()
    )


def question_for_program(row: Any) -> dict[str, Any]:
    """A drawn question as a program shows it, in both languages; never its key."""
    question = catalogue.question(row.question_id)
    assert question is not None, "a drawn question is a published one"
    by_key = {option["key"]: option for option in question.options}
    ordered = zip(LETTERS, (by_key[key] for key in row.option_order), strict=False)
    return {
        "question_id": str(row.question_id),
        "number": row.number,
        "part": row.part,
        "type": question.question_type,
        "text": question.text,
        "text_hi": question.text_hi or None,
        "options": [
            {"key": letter, "text": option["text"], "text_hi": option.get("text_hi") or None}
            for letter, option in ordered
        ],
        "marks": shapes.number(question.marks),
        "negative_marks": shapes.number(question.negative_marks),
    }


def paper_exists(paper_id: UUID, organisation_id: UUID) -> bool:
    """Whether the organisation has this paper."""
    query = select(Paper.id).where(Paper.id == paper_id, Paper.organisation_id == organisation_id)
    return db.session.execute(query).scalar_one_or_none() is not None


def _of_clock(attempt_id: UUID, clock: ClockView) -> TimeView:
    status = AttemptStatus.EXPIRED if clock.is_time_over else clock.status
    return TimeView(attempt_id, status, clock.remaining_ms, clock.deadline_at)


def _stranger(centre_id: UUID, candidate_id: UUID) -> KioskError:
    own = db.session.execute(select(Candidate.centre_id).where(Candidate.id == candidate_id)).scalar_one_or_none()
    return NotAllowed() if own == centre_id else NotFound()


def demand_in_scope(attempt_id: UUID, *, organisation_id: UUID, centre_id: UUID | None) -> None:
    """Raise NotFound for an attempt outside of an organisation or, where one is given, of a centre."""
    row = db.session.execute(
        select(Candidate.organisation_id, Attempt.centre_id)
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .where(Attempt.id == attempt_id)
    ).one_or_none()
    if row is None or row.organisation_id != organisation_id or (centre_id and row.centre_id != centre_id):
        raise NotFound
