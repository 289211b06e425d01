"""The XML inside an XLSX workbook, streamed: a sheet of a million cells costs the memory of one row.

Formulas, errors and dates keep their kind (`Odd`), so that nobody takes one for what it shows. Rows count wherever the
file says that its table ends, and a DOCTYPE is refused: no entity can grow.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

CHUNK = 64 * 1024
WIDEST = 16_384  # columns of a sheet
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class Damaged(Exception):
    """This is no workbook, or not a whole one."""


@dataclass(frozen=True, slots=True)
class Odd:
    """A cell that is no plain value: a formula, an error or a date."""

    kind: str
    text: str


@dataclass(frozen=True)
class Book:
    """An open workbook: its visible sheets by name, its texts, and which styles show dates."""

    archive: zipfile.ZipFile
    visible: dict[str, str]
    texts: list[str]
    date_styles: frozenset[int]


def open_book(archive: zipfile.ZipFile) -> Book:
    """Return the workbook with everything but the cells. Raises Damaged."""
    places = _relations(archive)
    visible: dict[str, str] = {}

    def on_sheet(tag: str, given: dict[str, str]) -> None:
        if tag == "sheet" and given.get("state", "visible") == "visible":
            visible[given["name"]] = places[given["id"]]

    _parse(archive, "xl/workbook.xml", start=on_sheet)
    return Book(archive, visible, _texts(archive), _date_styles(archive))


def rows(book: Book) -> Iterator[tuple[int, list[Any]]]:
    """Yield number and cells of each row of the only visible sheet. Raises Damaged."""
    ready: list[tuple[int, list[Any]]] = []
    reader = _SheetReader(book, ready)
    for _chunk in _chunks(
        book.archive, next(iter(book.visible.values())), start=reader.start, end=reader.end, text=reader.text
    ):
        yield from ready
        ready.clear()


class _SheetReader:
    """Puts the cells of a sheet together out of what the parser meets."""

    def __init__(self, book: Book, ready: list[tuple[int, list[Any]]]) -> None:
        self._book, self._ready = book, ready
        self._number, self._place = 0, -1
        self._cells: list[Any] = []
        self._kind, self._style, self._is_formula, self._is_text = "n", 0, False, False
        self._parts: list[str] = []

    def start(self, tag: str, given: dict[str, str]) -> None:
        if tag == "row":
            self._number = int(given["r"]) if "r" in given else self._number + 1
            self._cells, self._place = [], -1
        elif tag == "c":
            found = _REFERENCE.fullmatch(given["r"]) if "r" in given else None
            self._place = _column(found[1]) if found else self._place + 1
            self._kind, self._style = given.get("t", "n"), int(given.get("s", 0))
            self._is_formula, self._parts = False, []
        elif tag == "f":
            self._is_formula = True
        elif tag in ("v", "t"):
            self._is_text = True

    def end(self, tag: str) -> None:
        if tag in ("v", "t"):
            self._is_text = False
        elif tag == "c":
            value = self._value("".join(self._parts))
            if value is not None:
                if not 0 <= self._place < WIDEST:
                    raise Damaged("a cell beyond the last column")
                self._cells += [None] * (self._place + 1 - len(self._cells))
                self._cells[self._place] = value
        elif tag == "row":
            self._ready.append((self._number, self._cells))

    def text(self, data: str) -> None:
        if self._is_text:
            self._parts.append(data)

    def _value(self, text: str) -> Any:
        if self._is_formula:
            return Odd("formula", text)
        if self._kind == "s":
            return self._book.texts[int(text)] if text else None
        if self._kind in ("inlineStr", "str"):
            return _unescaped(text)
        if self._kind == "e":
            return Odd("error", text)
        if not text:
            return None
        if self._kind == "b":
            return text == "1"
        if self._kind == "d" or self._style in self._book.date_styles:
            return Odd("date", text)
        number = float(text)
        return int(number) if number.is_integer() and abs(number) < 10**15 else number


def _relations(archive: zipfile.ZipFile) -> dict[str, str]:
    places: dict[str, str] = {}

    def on_relation(tag: str, given: dict[str, str]) -> None:
        if tag == "Relationship" and given.get("TargetMode") != "External":
            target = given["Target"]
            places[given["Id"]] = posixpath.normpath(target[1:] if target[0] == "/" else f"xl/{target}")

    _parse(archive, "xl/_rels/workbook.xml.rels", start=on_relation)
    return places


def _texts(archive: zipfile.ZipFile) -> list[str]:
    """The texts that cells share."""
    texts: list[str] = []
    parts: list[str] = []
    inside = [0]  # in a text that counts; what stands in rPh only says how to pronounce it

    def start(tag: str, _given: dict[str, str]) -> None:
        if tag == "si":
            parts.clear()
        elif tag == "rPh":
            inside[0] -= 2
        elif tag == "t":
            inside[0] += 1

    def end(tag: str) -> None:
        if tag == "si":
            texts.append(_unescaped("".join(parts)))
        elif tag == "rPh":
            inside[0] += 2
        elif tag == "t":
            inside[0] -= 1

    def text(data: str) -> None:
        if inside[0] == 1:
            parts.append(data)

    if "xl/sharedStrings.xml" in archive.namelist():
        _parse(archive, "xl/sharedStrings.xml", start=start, end=end, text=text)
    return texts


def _date_styles(archive: zipfile.ZipFile) -> frozenset[int]:
    from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format

    formats: dict[int, str] = dict(BUILTIN_FORMATS)
    used: list[int] = []
    inside: list[str] = []

    def start(tag: str, given: dict[str, str]) -> None:
        if tag == "numFmt":
            formats[int(given["numFmtId"])] = given["formatCode"]
        elif tag == "cellXfs":
            inside.append(tag)
        elif tag == "xf" and inside:
            used.append(int(given.get("numFmtId", 0)))

    def end(tag: str) -> None:
        if tag == "cellXfs":
            inside.clear()

    if "xl/styles.xml" in archive.namelist():
        _parse(archive, "xl/styles.xml", start=start, end=end)
    return frozenset(place for place, number in enumerate(used) if is_date_format(formats.get(number, "")))


def _parse(archive: zipfile.ZipFile, name: str, **handlers: Any) -> None:
    for _chunk in _chunks(archive, name, **handlers):
        pass


def _chunks(
    archive: zipfile.ZipFile,
    name: str,
    *,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Parse one member of the archive, and pause after each chunk. Names come without their name spaces."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = lambda tag, given: start(
        tag.rpartition(":")[2], {key.rpartition(":")[2]: value for key, value in given.items()}
    )
    if end is not None:
        parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
    if text is not None:
        parser.CharacterDataHandler = text
    try:
        with archive.open(name) as file:
            while chunk := file.read(CHUNK):
                parser.Parse(chunk, False)
                yield
            parser.Parse(b"", True)
            yield
    except Damaged:
        raise
    except (expat.ExpatError, KeyError, ValueError, IndexError, zipfile.BadZipFile, OSError, EOFError) as error:
        raise Damaged(name) from error
    except (NotImplementedError, RuntimeError, zlib.error) as error:  # packed or locked in a way that is not known
        raise Damaged(name) from error


def _refuse(*_doctype: Any) -> None:
    raise Damaged("a DOCTYPE has no place here")


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _column(letters: str) -> int:
    place = 0
    for char in letters:
        place = place * 26 + ord(char) - 64
    return place - 1
