"""Files as people send them, right and wrong."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from kiosk.services.exchange import writers

HEADER = "service_no,name,rank,trade,centre"


def csv_file(*rows: str, header: str = HEADER) -> bytes:
    """A CSV file with these rows."""
    return "\n".join([header, *rows, ""]).encode()


def workbook(rows: list[list[Any]], *, header: str = HEADER) -> bytes:
    """A workbook with these rows, as our own export writes it."""
    content = io.BytesIO()
    writers.write(content, "xlsx", tuple(header.split(",")), rows)
    return content.getvalue()


def with_sheet(cells: str, *, dimension: str = "A1:E2", **members: str) -> bytes:
    """A workbook whose sheet holds this XML after a row of names; further members replace those of the archive."""
    whole = workbook([])
    head = "".join(
        f'<c r="{letter}1" t="inlineStr"><is><t>{name}</t></is></c>'
        for letter, name in zip("ABCDE", HEADER.split(","), strict=True)
    )
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<dimension ref="{dimension}"/><sheetData><row r="1">{head}</row>{cells}</sheetData></worksheet>'
    )
    return with_members(whole, {"xl/worksheets/sheet1.xml": sheet} | members)


def with_members(archive: bytes, members: dict[str, str]) -> bytes:
    """The archive with these members instead of its own."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in dict.fromkeys([*old.namelist(), *members]):
            new.writestr(name, members[name] if name in members else old.read(name))
    return out.getvalue()
