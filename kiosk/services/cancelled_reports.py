"""Tests that were stopped without a result: why, and what had been answered. Nothing of them is ever deleted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from kiosk.errors import NotFound
from kiosk.extensions import db
from kiosk.models import Answer, AnswerSave, Attempt, Candidate, Centre, Paper, Question, Trade
from kiosk.services.catalogue import LETTERS
from kiosk.states import OPEN_ATTEMPT, AttemptStatus, CancelReason

PAGE_ROWS = 50


@dataclass(frozen=True)
class CancelledFilters:
    """Which cancelled tests are asked for."""

    q: str = ""
    reason: str = ""
    page: int = 1


@dataclass(frozen=True)
class CancelledRow:
    """One cancelled test."""

    attempt_id: UUID
    candidate_id: UUID
    service_no: str
    name: str
    trade_code: str
    paper_type: str
    centre_code: str
    time_zone: str
    started_at: datetime | None
    cancelled_at: datetime
    cancel_reason: str
    reason_text: str | None
    answered: int
    total: int


@dataclass(frozen=True)
class CancelledPage:
    """One page of cancelled tests."""

    rows: tuple[CancelledRow, ...]
    matching: int
    total: int
    page: int
    pages: int


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


def cancelled(organisation_id: UUID, filters: CancelledFilters) -> CancelledPage:
    """Return the cancelled tests of an organisation, the latest first: four statements."""
    total = db.session.execute(_cancelled(organisation_id, CancelledFilters(), func.count())).scalar_one()
    matching = db.session.execute(_cancelled(organisation_id, filters, func.count())).scalar_one()
    pages = max(1, math.ceil(matching / PAGE_ROWS))
    page = min(max(1, filters.page), pages)
    rows = db.session.execute(
        _cancelled(
            organisation_id,
            filters,
            Attempt.id,
            Attempt.candidate_id,
            Candidate.service_no,
            Candidate.name,
            Trade.code.label("trade_code"),
            Paper.paper_type,
            Centre.code.label("centre_code"),
            Centre.time_zone,
            Attempt.started_at,
            Attempt.closed_at,
            Attempt.cancel_reason,
            Attempt.reason_text,
        )
        .order_by(Attempt.closed_at.desc(), Attempt.id)
        .limit(PAGE_ROWS)
        .offset((page - 1) * PAGE_ROWS)
    ).all()
    counts = _counts([row.id for row in rows])
    listed = tuple(_row(row, *counts.get(row.id, (0, 0))) for row in rows)
    return CancelledPage(listed, matching, total, page, pages)


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


def _cancelled(organisation_id: UUID, filters: CancelledFilters, *columns: Any) -> Select[Any]:
    query = (
        select(*columns)
        .select_from(Attempt)
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .join(Trade, Trade.id == Candidate.trade_id)
        .join(Paper, Paper.id == Attempt.paper_id)
        .join(Centre, Centre.id == Attempt.centre_id)
        .where(Candidate.organisation_id == organisation_id, Attempt.status == AttemptStatus.CANCELLED)
    )
    if filters.q:
        query = query.where(
            Candidate.service_no.icontains(filters.q, autoescape=True)
            | Candidate.name.icontains(filters.q, autoescape=True)
        )
    if filters.reason in set(CancelReason):
        query = query.where(Attempt.cancel_reason == filters.reason)
    return query


def _counts(attempt_ids: list[UUID]) -> dict[UUID, tuple[int, int]]:
    rows = db.session.execute(
        select(
            Answer.attempt_id,
            func.count().filter(Answer.response.is_not(None)).label("answered"),
            func.count().label("total"),
        )
        .where(Answer.attempt_id.in_(attempt_ids))
        .group_by(Answer.attempt_id)
    )
    return {row.attempt_id: (row.answered, row.total) for row in rows}


def _row(row: Any, answered: int, total: int) -> CancelledRow:
    return CancelledRow(*row, answered, total)  # type: ignore[call-arg]  # the row holds the other twelve


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
