"""Files for others: CSV that no spreadsheet calculates, workbooks of texts, JSON. Written row by row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO
from uuid import UUID

from kiosk.services.exchange import delimited, workbooks

MIME = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
Rows = Iterable[Iterable[Any]]


def write(file: BinaryIO, form: str, names: tuple[str, ...], rows: Rows) -> None:
    """Write a table in one of the formats of `MIME`."""
    if form == "csv":
        write_csv(file, names, rows)
    elif form == "xlsx":
        workbooks.write(file, names, ([_plain(value) for value in row] for row in rows))
    else:
        for text in _json(names, rows):
            file.write(text.encode())


def write_csv(file: BinaryIO, names: tuple[str, ...], rows: Rows) -> None:
    """Write CSV with a byte order mark, by which spreadsheets know UTF-8."""
    file.write(b"\xef\xbb\xbf")
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        lines = csv.writer(text)
        lines.writerow(names)
        for row in rows:
            lines.writerow([_safe(value) for value in row])
        text.flush()
    finally:
        text.detach()  # the file stays the caller's


def _json(names: tuple[str, ...], rows: Rows) -> Iterator[str]:
    yield "["
    for place, row in enumerate(rows):
        values = dict(zip(names, (_plain(value, keep=True) for value in row), strict=True))
        yield (",\n" if place else "\n") + json.dumps(values, ensure_ascii=False)
    yield "\n]\n"


def _safe(value: Any) -> Any:
    value = _plain(value)
    return delimited.protected(value) if isinstance(value, str) else value


def _plain(value: Any, *, keep: bool = False) -> Any:
    """A value as text or number; JSON keeps lists and truth values."""
    if value is None or (isinstance(value, str | int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, UUID):
        return str(value)
    return value if keep else json.dumps(value, ensure_ascii=False)
