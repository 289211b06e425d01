"""Tests that were stopped without a result: why, and what had been answered. Nothing of them is ever deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from kiosk.errors import NotFound
from kiosk.extensions import db
from kiosk.models import Answer, AnswerSave, Attempt, Candidate, Centre, Paper, Question
from kiosk.services import attempt_lists
from kiosk.services.attempt_lists import EndedPage, EndedRow
from kiosk.services.catalogue import LETTERS
from kiosk.services.listing import Order
from kiosk.states import OPEN_ATTEMPT, AttemptStatus, CancelReason

CANCELLED = Attempt.status == AttemptStatus.CANCELLED


@dataclass(frozen=True)
class CancelledFilters:
    """Which cancelled tests are asked for."""

    q: str = ""
    reason: str = ""


@dataclass(frozen=True)
class CancelledRow(EndedRow):
    """One cancelled test."""

    started_at: datetime | None
    cancel_reason: str
    reason_text: str | None
    answered: int
    total: int


@dataclass(frozen=True)
class AnswerRow:
    """One question with what the candidate left there, as it stood on their screen."""

    number: int
    part: str
    text: str
    response: str
    option: str
    saved_at: datetime | None
    saves: int
    refused: int


@dataclass(frozen=True)
class AnswerSheet:
    """All that was answered in an attempt that is over."""

    service_no: str
    name: str
    candidate_id: UUID
    centre_code: str
    paper_title: str
    status: str
    cancel_reason: str | None
    reason_text: str | None
    time_zone: str
    rows: tuple[AnswerRow, ...]


def cancelled(
    organisation_id: UUID, filters: CancelledFilters, order: Order = attempt_lists.LATEST
) -> EndedPage[CancelledRow]:
    """Return the cancelled tests of an organisation, the latest first unless asked otherwise: four statements."""
    columns = (*attempt_lists.COLUMNS, Attempt.started_at, Attempt.cancel_reason, Attempt.reason_text)
    everything = attempt_lists.ended(organisation_id, CANCELLED, *columns)
    query = everything.where(attempt_lists.says(filters.q)) if filters.q else everything
    if filters.reason in set(CancelReason):
        query = query.where(Attempt.cancel_reason == filters.reason)
    return attempt_lists.page(query, order, everything, _rows)


def answers(attempt_id: UUID, *, organisation_id: UUID) -> AnswerSheet:
    """Return what was answered in an attempt that is over: three statements. Raises NotFound, for open ones too."""
    head = db.session.execute(
        select(Attempt, Candidate, Centre, Paper.title)
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .join(Centre, Centre.id == Attempt.centre_id)
        .join(Paper, Paper.id == Attempt.paper_id)
        .where(Attempt.id == attempt_id, Candidate.organisation_id == organisation_id)
    ).one_or_none()
    if head is None or head.Attempt.status in OPEN_ATTEMPT:
        raise NotFound
    rows = db.session.execute(
        select(Answer, Question)
        .join(Question, Question.id == Answer.question_id)
        .where(Answer.attempt_id == attempt_id)
        .order_by(Answer.number)
    ).all()
    saves = {
        row.question_id: row
        for row in db.session.execute(
            select(
                AnswerSave.question_id,
                func.count().filter(AnswerSave.is_counted).label("counted"),
                func.count().filter(~AnswerSave.is_counted).label("refused"),
            )
            .where(AnswerSave.attempt_id == attempt_id)
            .group_by(AnswerSave.question_id)
        )
    }
    return AnswerSheet(
        service_no=head.Candidate.service_no,
        name=head.Candidate.name,
        candidate_id=head.Candidate.id,
        centre_code=head.Centre.code,
        paper_title=head.title,
        status=head.Attempt.status,
        cancel_reason=head.Attempt.cancel_reason,
        reason_text=head.Attempt.reason_text,
        time_zone=head.Centre.time_zone,
        rows=tuple(_answer_row(row.Answer, row.Question, saves.get(row.Question.id)) for row in rows),
    )


def _rows(rows: Sequence[Any]) -> list[CancelledRow]:
    counted = {
        row.attempt_id: row
        for row in db.session.execute(
            select(
                Answer.attempt_id,
                func.count().filter(Answer.response.is_not(None)).label("answered"),
                func.count().label("total"),
            )
            .where(Answer.attempt_id.in_([row.attempt_id for row in rows]))
            .group_by(Answer.attempt_id)
        )
    }
    return [
        CancelledRow(
            **attempt_lists.shared(row),
            started_at=row.started_at,
            cancel_reason=row.cancel_reason,
            reason_text=row.reason_text,
            answered=counted[row.attempt_id].answered if row.attempt_id in counted else 0,
            total=counted[row.attempt_id].total if row.attempt_id in counted else 0,
        )
        for row in rows
    ]


def _answer_row(answer: Answer, question: Question, saves: Any) -> AnswerRow:
    response = answer.response
    chosen = response if isinstance(response, list) else [response] if isinstance(response, str) else []
    texts = {option["key"]: option["text"] for option in question.options or []}
    shown = dict(zip(LETTERS, (texts[key] for key in answer.option_order), strict=False))
    return AnswerRow(
        number=answer.number,
        part=answer.part,
        text=question.text,
        response="" if response is None else ", ".join(map(str, chosen)) if chosen else str(response),
        option="; ".join(shown[letter] for letter in chosen if letter in shown),
        saved_at=answer.saved_at,
        saves=saves.counted if saves else 0,
        refused=saves.refused if saves else 0,
    )
