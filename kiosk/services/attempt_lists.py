"""Lists of tests that are over, as results and stopped tests are: whose they were, found, sorted and in pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, func, or_, select

from kiosk.extensions import db
from kiosk.models import Attempt, Candidate, Centre, Paper, Trade
from kiosk.services.listing import Listed, Order, listed

SORTS: dict[str, tuple[Any, ...]] = {
    "ended": (Attempt.closed_at, Attempt.id),
    "service_no": (Candidate.login,),
    "name": (Candidate.name,),
    "trade": (Trade.code, Paper.paper_type),
    "centre": (Centre.code,),
}
LATEST = Order("ended", True)
COLUMNS = (
    Attempt.id.label("attempt_id"),
    Attempt.candidate_id,
    Candidate.service_no,
    Candidate.name,
    Trade.code.label("trade_code"),
    Paper.paper_type,
    Centre.code.label("centre_code"),
    Centre.time_zone,
    Attempt.closed_at.label("ended_at"),
)
Row = TypeVar("Row")


@dataclass(frozen=True)
class EndedRow:
    """Whose test it was, where it was sat, and when it ended."""

    attempt_id: UUID
    candidate_id: UUID
    service_no: str
    name: str
    trade_code: str
    paper_type: str
    centre_code: str
    time_zone: str
    ended_at: datetime


@dataclass(frozen=True)
class EndedPage(Listed[Row], Generic[Row]):
    """One page of such tests, and how many there are without any filter."""

    total: int = 0


def ended(organisation_id: UUID, of_status: Any, *columns: Any) -> Select[Any]:
    """Return the query for the organisation's tests of a status with these columns."""
    return (
        select(*columns)
        .select_from(Attempt)
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .join(Trade, Trade.id == Candidate.trade_id)
        .join(Paper, Paper.id == Attempt.paper_id)
        .join(Centre, Centre.id == Attempt.centre_id)
        .where(Candidate.organisation_id == organisation_id, of_status)
    )


def says(q: str, *more: Any) -> Any:
    """Return the condition that service number, name or one of `more` holds what is searched for."""
    return or_(*(column.icontains(q, autoescape=True) for column in (Candidate.service_no, Candidate.name, *more)))


def page(
    query: Select[Any], order: Order, everything: Select[Any], rows_of: Callable[[Sequence[Any]], Sequence[Row]]
) -> EndedPage[Row]:
    """Return the page of `query` that `order` asks for; `rows_of` makes its rows, `everything` counts them all."""
    found = listed(query, order, SORTS, lambda row: row)
    total = db.session.execute(everything.with_only_columns(func.count())).scalar_one()
    return EndedPage(tuple(rows_of(found.rows)), found.matching, found.page, found.pages, total)


def shared(row: Any) -> Mapping[str, Any]:
    """Return what every row has, by the names of `EndedRow`."""
    return {name: getattr(row, name) for name in EndedRow.__dataclass_fields__}
