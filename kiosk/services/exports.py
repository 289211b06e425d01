"""Tables that leave the house: candidates, answers, results, mails, the audit log. Never read as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select

from kiosk.extensions import db
from kiosk.models import (
    Answer,
    Attempt,
    AuditEvent,
    Candidate,
    Centre,
    Mail,
    Paper,
    Question,
    QuestionSet,
    Shift,
    Trade,
    User,
)
from kiosk.services.exchange.candidates import EXPORTED
from kiosk.services.mails import asked_for
from kiosk.states import HANDED_IN

PORTION = 1000


@dataclass(frozen=True)
class Export:
    """A table: the names of its columns, and its rows as they are asked for."""

    names: tuple[str, ...]
    rows: Iterator[Sequence[Any]]


def candidates(organisation_id: UUID, ids: Sequence[UUID] | None = None) -> Export:
    """Return candidates as an import takes them, by service number: all of them, or these. No password leaves."""
    query = _candidates().where(Candidate.organisation_id == organisation_id, Candidate.archived_at.is_(None))
    if ids is None:
        return Export(EXPORTED, (_candidate(row) for row in _read(query.order_by(Candidate.login))))
    return Export(EXPORTED, _chosen(query, ids))


def answers(organisation_id: UUID) -> Export:
    """Return every drawn question of every attempt that was handed in, with the response and its marks."""
    columns = {
        "service_no": Candidate.service_no,
        "trade": Trade.code,
        "paper_type": Paper.paper_type,
        "attempt_id": Attempt.id,
        "attempt_number": Attempt.number,
        "set": QuestionSet.label,
        "set_version": QuestionSet.version,
        "number": Answer.number,
        "part": Answer.part,
        "type": Question.question_type,
        "question": Question.text,
        "response": Answer.response,
        "saved_at": Answer.saved_at,
        "marks": Answer.marks,
        "max_marks": Question.marks,
    }
    query = (
        _handed_in(organisation_id, columns)
        .join(Answer, Answer.attempt_id == Attempt.id)
        .join(Question, Question.id == Answer.question_id)
        .order_by(Candidate.login, Attempt.id, Answer.number)
    )
    return Export(tuple(columns), _read(query))


def results(organisation_id: UUID) -> Export:
    """Return every attempt that was handed in, with its receipt and what has been marked so far."""
    scored = (
        select(
            Answer.attempt_id,
            func.sum(Answer.marks).label("score"),
            func.sum(Question.marks).label("most"),
            func.count().filter(Answer.response.is_not(None)).label("answered"),
            func.count().label("questions"),
            func.count().filter(Answer.marks.is_(None)).label("waiting"),
        )
        .join(Question, Question.id == Answer.question_id)
        .group_by(Answer.attempt_id)
        .subquery()
    )
    columns = {
        "service_no": Candidate.service_no,
        "name": Candidate.name,
        "rank": Candidate.rank,
        "trade": Trade.code,
        "centre": Centre.code,
        "paper_type": Paper.paper_type,
        "set": QuestionSet.label,
        "set_version": QuestionSet.version,
        "attempt_id": Attempt.id,
        "attempt_number": Attempt.number,
        "started_at": Attempt.started_at,
        "ended_at": Attempt.closed_at,
        "ended_by": Attempt.ended_by,
        "receipt": Attempt.receipt,
        "answered": scored.c.answered,
        "questions": scored.c.questions,
        "score": scored.c.score,
        "max_score": scored.c.most,
        "waits_for_marks": scored.c.waiting,
    }
    query = (
        _handed_in(organisation_id, columns)
        .outerjoin(scored, scored.c.attempt_id == Attempt.id)
        .order_by(Candidate.login, Attempt.id)
    )
    return Export(tuple(columns), _read(query))


def audit(organisation_id: UUID) -> Export:
    """Return the audit log in the order in which it was written: the organisation's, and what the system did."""
    columns = {
        "id": AuditEvent.id,
        "at": AuditEvent.at,
        "actor_kind": AuditEvent.actor_kind,
        "actor": AuditEvent.actor_name,
        "action": AuditEvent.action,
        "object_kind": AuditEvent.object_kind,
        "object_id": AuditEvent.object_id,
        "from_state": AuditEvent.from_state,
        "to_state": AuditEvent.to_state,
        "reason": AuditEvent.reason,
        "details": AuditEvent.details,
        "request_id": AuditEvent.request_id,
        "address": AuditEvent.address,
    }
    own = AuditEvent.organisation_id == organisation_id
    query = select(*_named(columns)).where(own | AuditEvent.organisation_id.is_(None)).order_by(AuditEvent.id)
    return Export(tuple(columns), _read(query))


def mails(organisation_id: UUID, *, status: str = "", q: str = "") -> Export:
    """Return the mails of the outbox that its filters ask for, the latest first."""
    columns = {
        "made_at": Mail.made_at,
        "login": User.login,
        "address": Mail.address,
        "kind": Mail.kind,
        "subject": Mail.subject,
        "body": Mail.body,
        "status": Mail.status,
        "tries": Mail.tries,
        "next_try_at": Mail.next_try_at,
        "sent_at": Mail.sent_at,
        "trouble": Mail.trouble,
    }
    query = select(*_named(columns)).outerjoin(User, User.id == Mail.user_id)
    asked = query.where(*asked_for(organisation_id, status=status, q=q))
    return Export(tuple(columns), _read(asked.order_by(Mail.made_at.desc(), Mail.id.desc())))


def _candidates() -> Any:
    return (
        select(
            Candidate.id,
            Candidate.service_no,
            Candidate.name,
            Candidate.rank,
            Trade.code.label("trade"),
            Centre.code.label("centre"),
            Centre.time_zone,
            Shift.starts_at,
            Candidate.language,
            Candidate.extra_minutes_per_hour,
            Candidate.photo,
        )
        .join(Trade, Trade.id == Candidate.trade_id)
        .join(Centre, Centre.id == Candidate.centre_id)
        .outerjoin(Shift, Shift.id == Candidate.shift_id)
    )


def _candidate(row: Any) -> tuple[Any, ...]:
    shift = row.starts_at.astimezone(ZoneInfo(row.time_zone)).strftime("%Y-%m-%d %H:%M") if row.starts_at else ""
    extra = row.extra_minutes_per_hour
    return row.service_no, row.name, row.rank, row.trade, row.centre, shift, row.language, extra, row.photo or ""


def _chosen(query: Select[Any], ids: Sequence[UUID]) -> Iterator[Sequence[Any]]:
    """In the order of the ids, a portion at a time."""
    for start in range(0, len(ids), PORTION):
        portion = ids[start : start + PORTION]
        found = {row.id: row for row in db.session.execute(query.where(Candidate.id.in_(portion)))}
        yield from (_candidate(found[one]) for one in portion if one in found)


def _handed_in(organisation_id: UUID, columns: dict[str, Any]) -> Select[Any]:
    return (
        select(*_named(columns))
        .select_from(Attempt)
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .join(Trade, Trade.id == Candidate.trade_id)
        .join(Paper, Paper.id == Attempt.paper_id)
        .join(QuestionSet, QuestionSet.id == Attempt.question_set_id)
        .join(Centre, Centre.id == Attempt.centre_id)
        .where(Candidate.organisation_id == organisation_id, Attempt.status.in_(HANDED_IN))
    )


def _named(columns: dict[str, Any]) -> list[Any]:
    return [column.label(name) for name, column in columns.items()]


def _read(query: Select[Any]) -> Iterator[Any]:
    """Rows as the database has them ready; the session belongs to them until the last."""
    yield from db.session.execute(query, execution_options={"yield_per": PORTION})
