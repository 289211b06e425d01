"""A sheet as a PDF, and those that are tables."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.services.printing import cards, rooms, tables
from kiosk.services.printing.document import BLACK, GREY, LINE, LINES, MARGIN, MM_PER_POINT, Document
from kiosk.services.printing.sheets import Sheet
from kiosk.services.printing.tables import Column, Table

SIZE = 9.0
LINE_HEIGHT = SIZE * MM_PER_POINT * LINE
PAD = 1.2
MOST_LINES = 12
PHOTO = (13.6, 17.0)


def pdf(sheet: Sheet, *, tell: Callable[[int], None]) -> bytes:
    """Return the sheet as a PDF; `tell` is called with the number of people that are drawn."""
    document = Document(sheet, is_landscape=sheet.kind in ("seats", "register"))
    document.add_page()
    table = tables.table(sheet)
    if table is not None:
        _draw_table(document, table, tell)
        _draw_signatures(document, tables.signatures(sheet.kind))
    elif sheet.kind == "seats":
        rooms.draw(document)
    else:
        cards.draw(document, tell)
    return bytes(document.output())


def _draw_table(document: Document, table: Table, tell: Callable[[int], None]) -> None:
    shares = sum(column.share for column in table.columns)
    widths = [document.epw * column.share / shares for column in table.columns]
    _draw_heads(document, table.columns, widths)
    if not table.rows:
        document.put(tables.nothing(document.sheet.kind), MARGIN, document.get_y() + 3, document.epw, grey=GREY)
        document.set_y(document.get_y() + 10)
    for place, row in enumerate(table.rows):
        cells = [_lines(document, *cell) for cell in zip(row, widths, table.columns, strict=True)]
        height = max(table.row_height, max(map(len, cells)) * LINE_HEIGHT + PAD)
        if document.get_y() + height > document.bottom:
            document.add_page()
            _draw_heads(document, table.columns, widths)
        _draw_row(document, table.columns, widths, cells, height)
        if table.photos:
            document.photo(table.photos[place], MARGIN + widths[0] + PAD, document.get_y() + 1, *PHOTO)
        document.set_y(document.get_y() + height)
        tell(place + 1)


def _lines(document: Document, text: str, width: float, column: Column) -> list[tuple[str, str]]:
    """The lines of a cell with their style: a name is bold, and what is said of it below is not."""
    found = []
    for place, paragraph in enumerate(text.split("\n")):
        style = "B" if column.is_name and place == 0 else ""
        lines = document.lines(paragraph, width - 2 * PAD, size=SIZE, style=style, most=MOST_LINES)
        found += [(line, style) for line in lines]
    return found


def _draw_heads(document: Document, columns: tuple[Column, ...], widths: list[float]) -> None:
    document.set_fill_color(232)
    height = LINE_HEIGHT + 2 * PAD
    document.rect(MARGIN, document.get_y(), document.epw, height, style="F")
    x, y = MARGIN, document.get_y() + PAD
    for column, width in zip(columns, widths, strict=True):
        align = "R" if column.is_right else "L"
        document.put(column.label, x + PAD, y, width - 2 * PAD, size=8, style="B", align=align)
        x += width
    document.set_y(y + height - PAD)


def _draw_row(
    document: Document,
    columns: tuple[Column, ...],
    widths: list[float],
    cells: list[list[tuple[str, str]]],
    height: float,
) -> None:
    x, y = MARGIN, document.get_y()
    for column, width, lines in zip(columns, widths, cells, strict=True):
        align = "R" if column.is_right else "L"
        for place, (line, style) in enumerate(lines):
            top = y + PAD / 2 + place * LINE_HEIGHT
            document.put_line(line, x + PAD, top, width - 2 * PAD, size=SIZE, style=style, align=align)
        x += width
    document.set_draw_color(LINES)
    document.line(MARGIN, y + height, MARGIN + document.epw, y + height)


def _draw_signatures(document: Document, names: tuple[str, ...]) -> None:
    """Lines to sign on, together on one page."""
    if not names:
        return
    if document.get_y() + 24 > document.bottom:
        document.add_page()
    width, y = document.epw / len(names), document.get_y() + 18
    document.set_draw_color(BLACK)
    for place, name in enumerate(names):
        x = MARGIN + place * width
        document.line(x, y, x + width * 0.75, y)
        document.put(name, x, y + 1, width * 0.75, size=8, grey=GREY)
