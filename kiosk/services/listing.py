"""One page of a list: how many match, and the rows that this page shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select

from kiosk.extensions import db

PAGE_ROWS = 50
Row = TypeVar("Row")


@dataclass(frozen=True)
class Order:
    """How a list is asked for: by which column, and which page of it. Page 0 is all of it, for an export."""

    sort: str = ""
    is_descending: bool = False
    page: int = 1

    def columns(self, known: Mapping[str, Sequence[Any]]) -> list[Any]:
        """Return what to order by: the named column, then the first one of the list so that pages don't overlap."""
        first = next(iter(known.values()))
        chosen = known.get(self.sort, first)
        turned = [column.desc().nulls_last() if self.is_descending else column.asc().nulls_last() for column in chosen]
        return [*turned, *first]


@dataclass(frozen=True)
class Listed(Generic[Row]):
    """One page of a list."""

    rows: tuple[Row, ...]
    matching: int
    page: int
    pages: int


def listed(
    query: Select[Any], order: Order, known: Mapping[str, Sequence[Any]], row: Callable[[Any], Row]
) -> Listed[Row]:
    """Return the page of `query` that `order` asks for, each row as `row` makes it: two statements."""
    matching = db.session.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar_one()
    ordered = query.order_by(*order.columns(known))
    if order.page == 0:
        return Listed(tuple(row(found) for found in db.session.execute(ordered)), matching, 1, 1)
    pages = max(1, math.ceil(matching / PAGE_ROWS))
    page = min(max(1, order.page), pages)
    found = db.session.execute(ordered.limit(PAGE_ROWS).offset((page - 1) * PAGE_ROWS)).all()
    return Listed(tuple(row(one) for one in found), matching, page, pages)
