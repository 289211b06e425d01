"""Lists of tests that are over, as results and stopped tests are: whose they were, found, sorted and in pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, or_, select

from kiosk.models import Attempt, Candidate, Centre, Paper, Trade
from kiosk.services.listing import NONE, Count, Filled, Listed, Order, counted, listed

SORTS: dict[str, tuple[Any, ...]] = {
    "ended": Filled((Attempt.closed_at, Attempt.id)),
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

    total: Count = NONE


def ended(organisation_id: UUID, of_status: Any, *columns: Any) -> Select[Any]:
    """Return the query for the organisation's tests of a status with these columns.

    SQLite keeps to the order of outer joins, so that it begins with the tests, in the order of their index: every test
    has what is joined. With inner ones it would begin with the candidates, and sort what it finds of all of them.
    """
    own_centres = select(Centre.id).where(Centre.organisation_id == organisation_id)
    return (
        select(*columns)
        .select_from(Attempt)
        .outerjoin(Candidate, Candidate.id == Attempt.candidate_id)
        .outerjoin(Trade, Trade.id == Candidate.trade_id)
        .outerjoin(Paper, Paper.id == Attempt.paper_id)
        .outerjoin(Centre, Centre.id == Attempt.centre_id)
        .where(Attempt.centre_id.in_(own_centres.correlate(None)), of_status)
    )


def says(q: str, *more: Any) -> Any:
    """Return the condition that service number, name or one of `more` holds what is searched for."""
    return or_(*(column.icontains(q, autoescape=True) for column in (Candidate.service_no, Candidate.name, *more)))


def page(
    query: Select[Any], order: Order, everything: Select[Any], rows_of: Callable[[Sequence[Any]], Sequence[Row]]
) -> EndedPage[Row]:
    """Return the page of `query` that `order` asks for; `rows_of` makes its rows, `everything` counts them all."""
    found = listed(query, order, SORTS, lambda row: row, is_long=True)
    total = Count(found.matching, found.is_more) if query is everything else counted(everything)
    return EndedPage(tuple(rows_of(found.rows)), found.matching, found.page, found.pages, found.is_more, total)


def shared(row: Any) -> Mapping[str, Any]:
    """Return what every row has, by the names of `EndedRow`."""
    return {name: getattr(row, name) for name in EndedRow.__dataclass_fields__}
