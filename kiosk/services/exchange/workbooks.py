"""XLSX workbooks: looked at before they are unpacked, and written with nothing but text in them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from flask_babel import gettext as _

from kiosk.services.exchange import sheets
from kiosk.services.exchange.problems import FileRefused

MARK = b"PK\x03\x04"
OTHER_BINARY = (b"\xd0\xcf\x11\xe0", b"%PDF", b"PK\x05\x06", b"PK\x07\x08")
MOST_ENTRIES = 1000
MOST_UNPACKED = 200 * 1024 * 1024
MOST_RATIO = 100
SMALL = 1024 * 1024  # below this no ratio is suspicious
LAST_ROW = 1_048_576
MOST_COLUMNS = 200
_TO_ESCAPE = re.compile(r"[\x00-\x08\x0b-\x1f]|_(?=x[0-9A-Fa-f]{4}_)")


class Wrong:
    """A cell whose content cannot be taken; `text` says why."""

    def __init__(self, text: str) -> None:
        """Keep why."""
        self.text = text


def is_workbook(content: bytes) -> bool:
    """Whether the file looks like a workbook, or like something else that is no text."""
    return content.startswith((MARK, *OTHER_BINARY))


def read(content: bytes) -> Iterator[tuple[int, list[Any]]]:
    """Yield each row of the only visible sheet with its number: texts, numbers, None, or what is Wrong.

    Raises FileRefused.
    """
    archive = _looked_inside(content)
    try:
        book = sheets.open_book(archive)
    except sheets.Damaged as error:
        # whatever a broken or hostile file makes the reader stumble over
        raise FileRefused(_not_a_workbook()) from error
    if len(book.visible) != 1:
        names = ", ".join(book.visible)
        raise FileRefused(_("the workbook must have one sheet; it has %(names)s", names=names or "–"))
    number = 0
    try:
        for number, cells in sheets.rows(book):
            if number > LAST_ROW or len(cells) > MOST_COLUMNS:
                raise FileRefused(_("the sheet is larger than a table of ours can be"), number)
            yield number, [_value(cell) for cell in cells]
    except sheets.Damaged as error:
        raise FileRefused(_("the workbook is damaged"), number + 1) from error


def letter(place: int) -> str:
    """Return the letter of a column counted from 0."""
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(place + 1))


def write(file: BinaryIO, names: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a workbook with one sheet whose cells are text and numbers, never formulas."""
    from openpyxl import Workbook  # with the first workbook, not with each server: it is 8 MB
    from openpyxl.cell import WriteOnlyCell

    def cell(value: Any) -> Any:
        if value is None or isinstance(value, int | float):
            return value
        text = _TO_ESCAPE.sub(lambda found: f"_x{ord(found[0]):04X}_", str(value))
        made = WriteOnlyCell(sheet, text)
        made.data_type = "s"  # a text that begins with = is still a text
        return made

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.freeze_panes = "A2"
    sheet.append([cell(name) for name in names])
    for row in rows:
        sheet.append([cell(value) for value in row])
    book.save(file)


def _looked_inside(content: bytes) -> zipfile.ZipFile:
    """The workbook's archive. Refuses what is none, and what would fill the memory, by the sizes in its directory."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError):
        raise FileRefused(_not_a_workbook()) from None
    names = {entry.filename for entry in entries}
    if "xl/workbook.xml" not in names or any(entry.flag_bits & 1 for entry in entries):
        raise FileRefused(_not_a_workbook())
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise FileRefused(_("a workbook with macros; save it as .xlsx without them"))
    unpacked = sum(entry.file_size for entry in entries)
    is_bomb = any(
        entry.file_size > SMALL and entry.file_size > MOST_RATIO * max(1, entry.compress_size) for entry in entries
    )
    if is_bomb or unpacked > MOST_UNPACKED or len(entries) > MOST_ENTRIES:
        raise FileRefused(_("the workbook would unpack to far more than its size; save it anew, or as CSV"))
    return archive


def _not_a_workbook() -> str:
    return _("not an .xlsx workbook; save it as .xlsx or CSV")


def _value(cell: Any) -> Any:
    """What the cell is to us: sheets gives texts, numbers and truth values as they are, the rest by kind."""
    if not isinstance(cell, sheets.Odd):
        return cell
    if cell.kind == "formula":
        return Wrong(_("holds a formula; paste its value"))
    if cell.kind == "error":
        return Wrong(_("holds the error %(error)s", error=cell.text))
    return Wrong(_("holds a date; write it as text, such as 2026-11-21 10:00"))
