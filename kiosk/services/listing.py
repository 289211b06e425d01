"""One page of a list: how many match, and the rows that this page shows.

A list that grows with the candidates is counted up to a limit only: beyond it the page says "more than 1,000", as to
count them all would cost more than all that is shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, literal_column, select

from kiosk.extensions import db

PAGE_ROWS = 50
MOST_COUNTED = 1000
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
        if isinstance(chosen, Filled):
            return [column.desc() if self.is_descending else column.asc() for column in chosen]
        turned = [column.desc().nulls_last() if self.is_descending else column.asc().nulls_last() for column in chosen]
        return [*turned, *first]


class Filled(tuple[Any, ...]):
    """Columns that are never empty and tell all rows apart: an index has them in this order, forwards and backwards."""


@dataclass(frozen=True)
class Count:
    """How many there are; `is_more`: more than that, nobody counted how many."""

    number: int
    is_more: bool = False


NONE = Count(0)


@dataclass(frozen=True)
class Listed(Generic[Row]):
    """One page of a list. `is_more`: more than `matching` match, and `pages` are known up to the next one only."""

    rows: tuple[Row, ...]
    matching: int
    page: int
    pages: int
    is_more: bool = False


def listed(
    query: Select[Any],
    order: Order,
    known: Mapping[str, Sequence[Any]],
    row: Callable[[Any], Row],
    *,
    is_long: bool = False,
) -> Listed[Row]:
    """Return the page of `query` that `order` asks for, each row as `row` makes it: two statements.

    `is_long`: the list grows with the candidates, and is counted up to the limit.
    """
    ordered = query.order_by(*order.columns(known))
    if order.page == 0:
        found = db.session.execute(ordered).all()
        return Listed(tuple(row(one) for one in found), len(found), 1, 1)
    matching = counted(query) if is_long else Count(count(query))
    return page_of(
        order.page,
        matching,
        lambda limit, offset: [row(one) for one in db.session.execute(ordered.limit(limit).offset(offset))],
        lambda: count(query),
    )


def page_of(
    asked: int, matching: Count, rows_from: Callable[[int, int], Sequence[Row]], count_all: Callable[[], int]
) -> Listed[Row]:
    """Return the page asked for, or the last one: `rows_from` gives so many rows from an offset on.

    One row more than a page has says whether there is a next one. They are all counted, with `count_all`, only for
    somebody who asks for a page behind the end.
    """
    page = max(1, asked) if matching.is_more else min(max(1, asked), _pages(matching.number))
    rows = rows_from(PAGE_ROWS + 1, (page - 1) * PAGE_ROWS)
    if not rows and page > 1:
        page = _pages(count_all())
        rows = rows_from(PAGE_ROWS + 1, (page - 1) * PAGE_ROWS)
    pages = page + (len(rows) > PAGE_ROWS) if matching.is_more else max(page, _pages(matching.number))
    return Listed(tuple(rows[:PAGE_ROWS]), matching.number, page, pages, matching.is_more)


def count(query: Select[Any]) -> int:
    """Return how many rows a query has."""
    return db.session.execute(select(func.count()).select_from(_bare(query).subquery())).scalar_one()


def counted(query: Select[Any]) -> Count:
    """Return how many rows a query has, or that they are more than the limit: no more than that are looked at."""
    return count_of(count(_bare(query).limit(MOST_COUNTED + 1)))


def count_of(found: int) -> Count:
    """Return what a count of at most one more than the limit says."""
    return Count(min(found, MOST_COUNTED), found > MOST_COUNTED)


def _bare(query: Select[Any]) -> Select[Any]:
    return query.with_only_columns(literal_column("1").label("one"), maintain_column_froms=True).order_by(None)


def _pages(rows: int) -> int:
    return max(1, math.ceil(rows / PAGE_ROWS))
