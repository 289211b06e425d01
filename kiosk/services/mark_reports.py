"""The list of results: what was handed in, what the machine marked, what waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select

from kiosk.extensions import db
from kiosk.models import Answer, Attempt, Question, Trade
from kiosk.services import attempt_lists, shapes
from kiosk.services.attempt_lists import EndedPage, EndedRow
from kiosk.services.listing import Order

# as an index has them: over, and not because somebody stopped them
HANDED = and_(Attempt.closed_at.is_not(None), Attempt.cancel_reason.is_(None))


@dataclass(frozen=True)
class ResultFilters:
    """Which handed-in tests are asked for."""

    q: str = ""
    trade: str = ""
    is_waiting: bool = False


@dataclass(frozen=True)
class ResultRow(EndedRow):
    """One handed-in test. `score` counts what has been marked so far."""

    ended_by: str
    receipt: str | None
    is_marked: bool
    score: float
    max_score: float
    awaiting: int


def results(organisation_id: UUID, filters: ResultFilters, order: Order = attempt_lists.LATEST) -> EndedPage[ResultRow]:
    """Return the handed-in tests of an organisation, the latest first unless asked otherwise."""
    columns = (*attempt_lists.COLUMNS, Attempt.ended_by, Attempt.receipt, Attempt.marked_at)
    everything = attempt_lists.ended(organisation_id, HANDED, *columns)
    query = everything.where(attempt_lists.says(filters.q, Attempt.receipt)) if filters.q else everything
    if filters.trade:
        query = query.where(Trade.code == filters.trade)
    if filters.is_waiting:
        query = query.where(Attempt.id.in_(select(Answer.attempt_id).where(Answer.marks.is_(None))))
    return attempt_lists.page(query, order, everything, _rows)


def trades(organisation_id: UUID) -> tuple[str, ...]:
    """Return the codes of the trades that results can be asked for by."""
    query = select(Trade.code).where(Trade.organisation_id == organisation_id).order_by(Trade.code)
    return tuple(db.session.execute(query).scalars())


def _rows(rows: Sequence[Any]) -> list[ResultRow]:
    scores = _scores([row.attempt_id for row in rows])
    return [_row(row, scores[row.attempt_id]) for row in rows]


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
        **attempt_lists.shared(row),
        ended_by=row.ended_by,
        receipt=row.receipt,
        is_marked=row.marked_at is not None,
        score=shapes.number(Decimal(score.score)),
        max_score=shapes.number(Decimal(score.max_score)),
        awaiting=score.awaiting,
    )
