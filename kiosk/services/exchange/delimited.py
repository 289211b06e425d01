"""CSV as people and spreadsheets write it: UTF-8 or UTF-16 with a mark; comma, semicolon or tab."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator

from flask_babel import gettext as _

from kiosk.services.exchange.problems import FileRefused

DELIMITERS = ",;\t"
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# what a spreadsheet would take for a formula; our exports put an apostrophe before it
RISKY = re.compile(r"'*[=+\-@\t\r]")


def protected(text: str) -> str:
    """Return the text as an export writes it: no spreadsheet takes it for a formula."""
    return f"'{text}" if RISKY.match(text) else text


def unprotected(text: str) -> str:
    """Return what `protected` was given."""
    return text[1:] if text.startswith("'") and RISKY.match(text) else text


def read(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line on which it begins. Raises FileRefused."""
    text = _decoded(content)
    if "\0" in text:
        raise FileRefused(_("holds a character that cannot be stored"), text[: text.index("\0")].count("\n") + 1)
    records = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    while True:
        line = records.line_num + 1
        try:
            fields = next(records, None)
        except csv.Error as error:
            raise FileRefused(_reason(error), line) from None
        if fields is None:
            return
        yield line, fields


def _decoded(content: bytes) -> str:
    if content.startswith(UTF16):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError:
            raise FileRefused(_("not UTF-16, though it begins like it"), 1) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FileRefused(_("not UTF-8 (byte 0x%(byte)s)", byte=f"{content[error.start]:02x}"), line) from None


def _delimiter(text: str) -> str:
    first = text.lstrip("\r\n").partition("\n")[0]
    return max(DELIMITERS, key=first.count)


def _reason(error: csv.Error) -> str:
    if "field larger than" in str(error):
        return _("a field is longer than %(most)s characters", most=f"{csv.field_size_limit():,}")
    return _("the quotes do not match: a field that begins with a quote must end with one")
