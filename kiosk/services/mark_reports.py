"""The list of results: what was handed in, what the machine marked, what waits for a person."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from kiosk.extensions import db
from kiosk.models import Answer, Attempt, Candidate, Centre, Paper, Question, Trade
from kiosk.services import shapes
from kiosk.states import HANDED_IN

PAGE_ROWS = 50


@dataclass(frozen=True)
class ResultFilters:
    """Which handed-in tests are asked for."""

    q: str = ""
    trade: str = ""
    is_waiting: bool = False
    page: int = 1


@dataclass(frozen=True)
class ResultRow:
    """One handed-in test. `score` counts what has been marked so far."""

    attempt_id: UUID
    service_no: str
    name: str
    trade_code: str
    paper_type: str
    centre_code: str
    time_zone: str
    ended_at: datetime
    ended_by: str
    receipt: str | None
    is_marked: bool
    score: float
    max_score: float
    awaiting: int


@dataclass(frozen=True)
class ResultPage:
    """One page of results."""

    rows: tuple[ResultRow, ...]
    matching: int
    total: int
    page: int
    pages: int
    trades: tuple[str, ...]


def results(organisation_id: UUID, filters: ResultFilters) -> ResultPage:
    """Return the handed-in tests of an organisation, the latest first."""
    total = db.session.execute(_handed_in(organisation_id, ResultFilters(), func.count())).scalar_one()
    matching = db.session.execute(_handed_in(organisation_id, filters, func.count())).scalar_one()
    pages = max(1, math.ceil(matching / PAGE_ROWS))
    page = min(max(1, filters.page), pages)
    rows = db.session.execute(
        _handed_in(
            organisation_id,
            filters,
            Attempt.id,
            Attempt.closed_at,
            Attempt.ended_by,
            Attempt.receipt,
            Attempt.marked_at,
            Candidate.service_no,
            Candidate.name,
            Trade.code.label("trade_code"),
            Paper.paper_type,
            Centre.code.label("centre_code"),
            Centre.time_zone,
        )
        .order_by(Attempt.closed_at.desc(), Attempt.id)
        .limit(PAGE_ROWS)
        .offset((page - 1) * PAGE_ROWS)
    ).all()
    scores = _scores([row.id for row in rows])
    trades = _handed_in(organisation_id, ResultFilters(), Trade.code).distinct().order_by(Trade.code)
    return ResultPage(
        rows=tuple(_row(row, scores[row.id]) for row in rows),
        matching=matching,
        total=total,
        page=page,
        pages=pages,
        trades=tuple(db.session.execute(trades).scalars()),
    )


def _handed_in(organisation_id: UUID, filters: ResultFilters, *columns: Any) -> Select[Any]:
    query = (
        select(*columns)
        .select_from(Attempt)
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .join(Trade, Trade.id == Candidate.trade_id)
        .join(Paper, Paper.id == Attempt.paper_id)
        .join(Centre, Centre.id == Attempt.centre_id)
        .where(Candidate.organisation_id == organisation_id, Attempt.status.in_(HANDED_IN))
    )
    if filters.q:
        query = query.where(
            Candidate.service_no.icontains(filters.q, autoescape=True)
            | Candidate.name.icontains(filters.q, autoescape=True)
            | Attempt.receipt.icontains(filters.q, autoescape=True)
        )
    if filters.trade:
        query = query.where(Trade.code == filters.trade)
    if filters.is_waiting:
        query = query.where(Attempt.id.in_(select(Answer.attempt_id).where(Answer.marks.is_(None))))
    return query


def _scores(attempt_ids: list[UUID]) -> dict[UUID, Any]:
    """Sum of the marks given, out of how many, and how many answers have none yet."""
    rows = db.session.execute(
        select(
            Answer.attempt_id,
            func.coalesce(func.sum(Answer.marks), 0).label("score"),
            func.coalesce(func.sum(Question.marks).filter(Answer.marks.is_not(None)), 0).label("max_score"),
            func.count().filter(Answer.marks.is_(None)).label("awaiting"),
        )
        .join(Question, Question.id == Answer.question_id)
        .where(Answer.attempt_id.in_(attempt_ids))
        .group_by(Answer.attempt_id)
    ).all()
    return {row.attempt_id: row for row in rows}


def _row(row: Any, score: Any) -> ResultRow:
    return ResultRow(
        attempt_id=row.id,
        service_no=row.service_no,
        name=row.name,
        trade_code=row.trade_code,
        paper_type=row.paper_type,
        centre_code=row.centre_code,
        time_zone=row.time_zone,
        ended_at=row.closed_at,
        ended_by=row.ended_by,
        receipt=row.receipt,
        is_marked=row.marked_at is not None,
        score=shapes.number(Decimal(score.score)),
        max_score=shapes.number(Decimal(score.max_score)),
        awaiting=score.awaiting,
    )
