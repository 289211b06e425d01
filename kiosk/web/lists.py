"""Lists of the office: order and page out of the address, and the same list as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Response
from werkzeug.datastructures import MultiDict

from kiosk.services.listing import Order
from kiosk.web.staff_pages import page_number

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def order_from(values: MultiDict[str, str], known: Mapping[str, Any], usual: Order | None = None) -> Order:
    """Return how the address wants a list ordered; where it names no column of it, as `usual` or by the first."""
    sort, page = values.get("sort", ""), page_number(values.get("page", ""))
    name = sort.removeprefix("-")
    if name not in known:
        usual = usual or Order(next(iter(known)))
        return Order(usual.sort, usual.is_descending, page)
    return Order(name, sort.startswith("-"), page)


def query_of(order: Order, known: Mapping[str, Any], usual: Order | None = None, **filters: Any) -> dict[str, Any]:
    """Return filters and order as an address carries them, without what is the default anyway."""
    usual = usual or Order(next(iter(known)))
    is_usual = (order.sort, order.is_descending) == (usual.sort, usual.is_descending)
    sort = "" if is_usual else f"-{order.sort}" if order.is_descending else order.sort
    query = filters | {"sort": sort, "page": order.page if order.page > 1 else ""}
    return {name: value for name, value in query.items() if value}


def all_of(order: Order) -> Order:
    """Return the same order without pages."""
    return Order(order.sort, order.is_descending, 0)


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """Return a table as a CSV file that a spreadsheet opens without running anything."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    response = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _harmless(cell: Any) -> Any:
    """A spreadsheet takes text that begins like this for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
