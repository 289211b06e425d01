"""Tables with a row of names, as CSV or XLSX: read row by row, every problem with its place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from kiosk.services.exchange import delimited, workbooks
from kiosk.services.exchange.problems import FileRefused, Problem, Problems
from kiosk.services.exchange.workbooks import Wrong

MOST_ROWS = 200_000
MOST_EXACT = 10**15  # beyond this a spreadsheet has lost digits
BLANK = " \u00a0"


@dataclass(frozen=True)
class Columns:
    """What a kind of file may hold; in `numbers` a workbook's cells may be numbers, elsewhere they must be text."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    numbers: frozenset[str] = frozenset()
    # a password counts as it is typed
    verbatim: frozenset[str] = frozenset()
    # our own exports of such files put an apostrophe before what a spreadsheet would calculate
    is_exported: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line in the file, and its fields by name."""

    line: int
    fields: dict[str, str]


class Table:
    """A file being read. `problems` fills while `rows` is walked through."""

    def __init__(self, content: bytes, columns: Columns) -> None:
        """Take the file; nothing is read yet."""
        self._content, self._columns = content, columns
        self._is_workbook = workbooks.is_workbook(content)
        self.problems = Problems()
        self.names: list[str] = []

    def rows(self) -> Iterator[Row]:
        """Yield the rows that can be read; the others are among the problems."""
        source: Iterator[tuple[int, list[Any]]] = (
            workbooks.read(self._content) if self._is_workbook else delimited.read(self._content)
        )
        count = 0
        try:
            if not self._read_names(source):
                return
            for line, values in source:
                if all(_is_blank(value) for value in values):
                    continue
                count += 1
                if count > MOST_ROWS:
                    raise FileRefused(_("more than %(most)s rows; split the file", most=f"{MOST_ROWS:,}"), line)
                row = self._row(line, values)
                if row is not None:
                    yield row
        except FileRefused as refused:
            self.problems.add(Problem(refused.line, "", refused.text))
            return
        if not count:
            self.wrong(1, "", _("the file holds no rows"))

    def wrong(self, line: int, column: str, text: str) -> None:
        """Take note of a problem."""
        cell = ""
        if self._is_workbook and column in self.names:
            cell = f"{workbooks.letter(self.names.index(column))}{line}"
        self.problems.add(Problem(line, column, text, cell))

    def _read_names(self, source: Iterator[tuple[int, list[Any]]]) -> bool:
        line, first = next(((line, values) for line, values in source if values), (1, []))
        names = ["" if value is None or isinstance(value, Wrong) else str(value).strip().lower() for value in first]
        while names and not names[-1]:
            names.pop()
        if not names:
            self.wrong(line, "", _("the file is empty"))
            return False
        known = (*self._columns.required, *self._columns.optional)
        missing = [name for name in self._columns.required if name not in names]
        unknown = [name for name in names if name not in known]
        twice = sorted({name for name in names if names.count(name) > 1})
        for wrong, said in ((missing, _("is missing")), (unknown, _("is not known")), (twice, _("stands twice"))):
            for name in wrong:
                self.wrong(line, name, _("this column %(said)s", said=said))
        self.names = names
        return not self.problems.listed

    def _row(self, line: int, values: list[Any]) -> Row | None:
        """The row, or None for one that is already among the problems."""
        width = len(self.names)
        if self._is_workbook:
            values = [*values, *(None for _missing in range(width - len(values)))]
            while len(values) > width and _is_blank(values[-1]):
                values.pop()
        if len(values) != width:
            self.wrong(line, "", _("the row has more or fewer fields than the header"))
            return None
        if not self._is_workbook:
            return Row(line, dict(zip(self.names, map(self._stripped, self.names, values), strict=True)))
        texts = [self._text(line, name, value) for name, value in zip(self.names, values, strict=True)]
        if any(text is None for text in texts):
            return None
        return Row(line, {name: text or "" for name, text in zip(self.names, texts, strict=True)})

    def _stripped(self, name: str, text: str) -> str:
        # tabs and line ends stay: they may be part of a name that somebody meant ill
        if name in self._columns.verbatim:
            return text
        is_protected = self._columns.is_exported and not self._is_workbook
        return (delimited.unprotected(text) if is_protected else text).strip(BLANK)

    def _text(self, line: int, name: str, value: Any) -> str | None:
        if value is None:
            return ""
        if isinstance(value, str):
            return self._stripped(name, value)
        if isinstance(value, Wrong):
            self.wrong(line, name, value.text)
            return None
        if name in self._columns.numbers and isinstance(value, bool):
            return str(value).lower()
        if name in self._columns.numbers and math.isfinite(value) and abs(value) < MOST_EXACT:
            return str(int(value)) if value == int(value) else repr(value)
        self.wrong(line, name, _("holds a number; it must be text, else zeros and digits get lost"))
        return None


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
