"""Candidate files: what a row must be like in itself. Whether its trade and centre exist is for the import to say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from sys import intern

from flask_babel import gettext as _

from kiosk.services.accounts import fold_login
from kiosk.services.exchange.tables import Columns, Row, Table
from kiosk.services.hashing import LONGEST_PASSWORD

REQUIRED = ("service_no", "name", "rank", "trade", "centre")
# what an export writes; passwords never leave
EXPORTED = (*REQUIRED, "shift", "language", "extra_minutes_per_hour", "photo")
OPTIONAL = ("shift", "password", "language", "extra_minutes_per_hour", "photo")
COLUMNS = Columns(
    REQUIRED,
    OPTIONAL,
    numbers=frozenset({"extra_minutes_per_hour"}),
    verbatim=frozenset({"password"}),
    is_exported=True,
)
# the row of the template: what each column looks like
EXAMPLE = ("IC-00001", "Asha Kumari", "Naik", "TTC", "C01", "", "", "hi", "0", "")
LONGEST = {"service_no": 40, "name": 200, "rank": 40, "trade": 40, "centre": 40, "photo": 200}
SHORTEST_PASSWORD = 6
MOST_EXTRA_MINUTES = 60
_SHIFT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """One candidate of a file. Empty fields are empty texts; `shift` is the time on the centre's clock."""

    line: int
    login: str
    service_no: str
    name: str
    rank: str
    trade: str
    centre: str
    shift: datetime | None
    password: str
    language: str
    extra_minutes: int | None
    photo: str


class CandidateFile:
    """The entries of a file; what is wrong with it is in `problems` once they were walked through."""

    def __init__(self, content: bytes) -> None:
        """Take the file; nothing is read yet."""
        self._table = Table(content, COLUMNS)
        self._lines: dict[str, int] = {}
        self.problems = self._table.problems

    def entries(self) -> Iterator[Entry]:
        """Yield every entry, the wrong ones too: their lines are among the problems."""
        for row in self._table.rows():
            yield self._entry(row)

    def wrong(self, line: int, column: str, text: str) -> None:
        """Take note of a problem that only the database shows."""
        self._table.wrong(line, column, text)

    def _entry(self, row: Row) -> Entry:
        get = row.fields.get
        for name, most in LONGEST.items():
            self._check_text(row, name, most)
        return Entry(
            line=row.line,
            login=self._login(row),
            service_no=row.fields["service_no"],
            name=row.fields["name"],
            rank=intern(row.fields["rank"]),
            trade=intern(row.fields["trade"]),
            centre=intern(row.fields["centre"]),
            shift=self._shift(row, get("shift", "")),
            password=self._password(row, get("password", "")),
            language=self._language(row, get("language", "")),
            extra_minutes=self._extra(row, get("extra_minutes_per_hour", "")),
            photo=self._photo(row, get("photo", "")),
        )

    def _check_text(self, row: Row, name: str, most: int) -> None:
        text = row.fields.get(name, "")
        if not text.strip() and name in REQUIRED and name != "rank":
            self.wrong(row.line, name, _("is missing"))
        if len(text) > most:
            self.wrong(row.line, name, _("longer than %(most)s characters", most=most))
        if not text.isprintable() and any(_is_forbidden(char) for char in text):
            self.wrong(row.line, name, _("holds a character that cannot be stored"))

    def _login(self, row: Row) -> str:
        login = fold_login(row.fields["service_no"])
        if not login:
            if row.fields["service_no"].strip():
                self.wrong(row.line, "service_no", _("holds nothing that can be typed"))
            return ""
        if not login.isascii():
            # a Cyrillic a looks like a Latin one: two people would have the same number
            self.wrong(row.line, "service_no", _("only Latin letters, digits and signs can be typed at a kiosk"))
        first = self._lines.setdefault(login, row.line)
        if first != row.line:
            self.wrong(row.line, "service_no", _("stands in line %(line)s already", line=first))
        return login

    def _shift(self, row: Row, text: str) -> datetime | None:
        if not text:
            return None
        try:
            if not _SHIFT.fullmatch(text):
                raise ValueError(text)
            return datetime.fromisoformat(text)
        except ValueError:
            self.wrong(row.line, "shift", _("must be a date and time such as 2026-11-21 10:00"))
            return None

    def _password(self, row: Row, text: str) -> str:
        if text and not SHORTEST_PASSWORD <= len(text) <= LONGEST_PASSWORD:
            range_words = {"least": SHORTEST_PASSWORD, "most": LONGEST_PASSWORD}
            self.wrong(row.line, "password", _("must have %(least)s to %(most)s characters", **range_words))
        return text

    def _language(self, row: Row, text: str) -> str:
        if text.lower() not in ("", "en", "hi"):
            self.wrong(row.line, "language", _("must be en or hi"))
        return text.lower()

    def _extra(self, row: Row, text: str) -> int | None:
        if not text:
            return None
        if text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= MOST_EXTRA_MINUTES:
            return int(text)
        self.wrong(
            row.line, "extra_minutes_per_hour", _("must be a whole number from 0 to %(most)s", most=MOST_EXTRA_MINUTES)
        )
        return None

    def _photo(self, row: Row, text: str) -> str:
        if "/" in text or "\\" in text or text in (".", ".."):
            self.wrong(row.line, "photo", _("must be the name of a file, without folders"))
        return text


def _is_forbidden(char: str) -> bool:
    """Control characters but tab and line ends, halves of characters, and what is not assigned."""
    return char not in "\t\r\n" and unicodedata.category(char) in ("Cc", "Cs", "Cn")
