"""What happened in a centre that its people may want mail about."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from kiosk.extensions import db
from kiosk.models import Answer, Attempt, AuditEvent, Candidate, Centre
from kiosk.services import mails
from kiosk.services.centres import CentreView
from kiosk.states import AttemptStatus

LAST_MINUTES = timedelta(minutes=10)
SILENCE = timedelta(minutes=5)
MOST = 500
_COLUMNS = (Attempt.id, Candidate.centre_id, Candidate.service_no, Candidate.seat)


@dataclass(frozen=True)
class NewsItem:
    """One candidate's news: what it is about follows from its kind."""

    centre_id: UUID
    at: datetime
    service_no: str
    seat: str | None
    answered: int | None = None
    total: int | None = None


def items(kind: str, *, since: datetime, until: datetime) -> list[NewsItem]:
    """Return the news of one kind between two instants, in their order."""
    rows = db.session.execute(_QUERIES[kind](since, until).limit(MOST))
    later = _OFFSETS.get(kind, timedelta())
    found = [_item(row, row.at + later) for row in rows]
    return sorted(found, key=lambda item: (item.at, item.service_no))


def centres_of(centre_ids: Collection[UUID]) -> dict[UUID, CentreView]:
    """Return these centres as a letter names them."""
    columns = (Centre.id, Centre.code, Centre.name, Centre.time_zone)
    rows = db.session.execute(select(*columns).where(Centre.id.in_(centre_ids)))
    return {row.id: CentreView(*row) for row in rows}


def _item(row: Any, at: datetime) -> NewsItem:
    counts = (row.answered, row.total) if "answered" in row._fields else (None, None)
    return NewsItem(row.centre_id, at, row.service_no, row.seat, *counts)


def _little_time(since: datetime, until: datetime) -> Any:
    """Tests that came into their last ten minutes with less than half of it answered."""
    answered = func.count(Answer.question_id).filter(Answer.response.is_not(None))
    total = func.count(Answer.question_id)
    return (
        select(*_COLUMNS, Attempt.deadline_at.label("at"), answered.label("answered"), total.label("total"))
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .join(Answer, Answer.attempt_id == Attempt.id)
        .where(
            Attempt.status == AttemptStatus.IN_PROGRESS,
            Attempt.deadline_at > since + LAST_MINUTES,
            Attempt.deadline_at <= until + LAST_MINUTES,
        )
        .group_by(*_COLUMNS, Attempt.deadline_at)
        .having(answered * 2 < total)
    )


def _ran_out(since: datetime, until: datetime) -> Any:
    return (
        select(*_COLUMNS, Attempt.closed_at.label("at"))
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .where(Attempt.ended_by == "expired", Attempt.closed_at > since, Attempt.closed_at <= until)
    )


def _opened_elsewhere(since: datetime, until: datetime) -> Any:
    return (
        select(*_COLUMNS, AuditEvent.at.label("at"))
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .join(AuditEvent, AuditEvent.object_id == Attempt.id)
        .where(
            AuditEvent.object_kind == "attempt",
            AuditEvent.action.in_(("take_lease", "ask_takeover")),
            AuditEvent.at > since,
            AuditEvent.at <= until,
        )
    )


def _silent(since: datetime, until: datetime) -> Any:
    """Tests whose page has not been heard from for five minutes."""
    heard = func.coalesce(Attempt.last_seen_at, Attempt.started_at)
    return (
        select(*_COLUMNS, heard.label("at"))
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .where(Attempt.status == AttemptStatus.IN_PROGRESS, heard > since - SILENCE, heard <= until - SILENCE)
    )


_QUERIES = {
    mails.TIME_WARNING: _little_time,
    mails.TIME_RAN_OUT: _ran_out,
    mails.INTEGRITY: _opened_elsewhere,
    mails.OFFLINE: _silent,
}
_OFFSETS = {mails.TIME_WARNING: -LAST_MINUTES, mails.OFFLINE: SILENCE}
