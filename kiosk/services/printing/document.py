"""A PDF on A4 with our fonts: every page says what it is, of which shift, when it was printed, and its number.

Latin text is set without the shaping engine: it needs none, and so 600 rows take a second instead of five.
"""

from __future__ import annotations

import io
import logging
import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from flask_babel import get_locale
from flask_babel import gettext as _
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from kiosk.services.printing import pictures, tables, words
from kiosk.services.printing.sheets import Sheet

FONTS = Path(__file__).parent / "fonts"
LATIN, DEVANAGARI = "noto-sans", "noto-sans-devanagari"
MARGIN = 12.0
HEAD, FOOT = 25.0, 12.0
MM_PER_POINT = 0.352778
LINE = 1.5  # of the size of the letters: room for what stands above and below in Devanagari
BLACK, GREY, LINES = 0, 80, 150
PLAIN = re.compile(r"[\x20-\x7e\xa0-\u02ff\u2010-\u2026\u20ac\u20b9\u2212]*")
VIRAMA = "\u094d"

# each sheet would tell a dozen lines about the tables of its fonts
logging.getLogger("fontTools").setLevel(logging.WARNING)


class Document(FPDF):
    """A document of one sheet."""

    def __init__(self, sheet: Sheet, *, is_landscape: bool = False) -> None:
        """Begin the document; pages are added as they are needed."""
        super().__init__(orientation="landscape" if is_landscape else "portrait", format="A4")
        self.sheet = sheet
        self._widths: dict[tuple[str, str, float], float] = {}
        for style, file in (("", "regular"), ("B", "bold")):
            for family in (LATIN, DEVANAGARI):
                self.add_font(family, style, FONTS / f"{family}-{file}.ttf")
        self.set_fallback_fonts([DEVANAGARI], exact_match=True)
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(False)
        self.set_title(f"{tables.title(sheet.kind)} · {sheet.centre}")
        self.set_lang(str(get_locale() or "en"))
        self.set_creator("Exam Kiosk")
        self.set_creation_date(sheet.made_at)
        self.set_line_width(0.2)
        self.c_margin = 0

    @property
    def bottom(self) -> float:
        """Where the room for content ends."""
        return float(self.h) - MARGIN - FOOT / 2

    def header(self) -> None:
        """Say on each page what it is."""
        sheet, at = self.sheet, self.sheet.shift.starts_at
        day, hour = words.long_day(at, sheet.time_zone), words.clock(at, sheet.time_zone)
        half = self.epw / 2
        self.put(tables.title(sheet.kind), MARGIN, 9, half, size=15, style="B")
        self.put(sheet.organisation, MARGIN + half, 11.2, half, size=9, align="R", grey=GREY)
        trade = f" · {sheet.trade}" if sheet.trade else ""
        self.put(f"{sheet.centre}{trade}", MARGIN, 16.5, half, size=10)
        self.put(_("Shift %(time)s", time=f"{day}, {hour}"), MARGIN + half, 16.5, half, size=10, align="R")
        self.set_draw_color(BLACK)
        self.line(MARGIN, HEAD - 2, self.w - MARGIN, HEAD - 2)
        self.set_y(HEAD)

    def footer(self) -> None:
        """Say on each page when it was printed, and which of how many it is."""
        sheet, y, half = self.sheet, self.h - FOOT, self.epw / 2
        at = words.full_moment(sheet.made_at, sheet.time_zone)
        self.put(_("Printed %(time)s (%(zone)s)", time=at, zone=sheet.time_zone), MARGIN, y, half, size=8, grey=GREY)
        about, number = (
            _("Page %(page)s of %(pages)s", page=self.page_no(), pages=pages)
            for pages in ("00", self.str_alias_nb_pages)
        )
        # a cell, since only cells learn the number of all pages in the end
        self._letters("", 8, GREY, shaped=True)
        with self.local_context():
            self.set_xy(self.w - MARGIN - self.get_string_width(about), y)
            self.cell(half, 8 * MM_PER_POINT * LINE, number, new_x=XPos.RIGHT, new_y=YPos.TOP)

    def put(
        self,
        text: str,
        x: float,
        y: float,
        width: float,
        *,
        size: float = 9,
        style: str = "",
        align: str = "L",
        grey: int = BLACK,
        most: int = 1,
    ) -> float:
        """Write text from (x, y) on, broken into at most so many lines; return the height that it took."""
        height = size * MM_PER_POINT * LINE
        lines = self.lines(text, width, size=size, style=style, most=most)
        for place, line in enumerate(lines):
            self.put_line(line, x, y + place * height, width, size=size, style=style, align=align, grey=grey)
        return height * len(lines)

    def put_line(
        self,
        line: str,
        x: float,
        y: float,
        width: float,
        *,
        size: float = 9,
        style: str = "",
        align: str = "L",
        grey: int = BLACK,
    ) -> None:
        """Write one line as it is."""
        height, is_plain = size * MM_PER_POINT * LINE, bool(PLAIN.fullmatch(line))
        # measured first: that sets the letters too
        spare = width - self.width_of(line, size, style) if align != "L" else 0
        left = x + (spare / 2 if align == "C" else spare)
        self._letters(style, size, grey, shaped=not is_plain)
        if is_plain:
            self.text(left, y + 0.5 * height + 0.3 * size * MM_PER_POINT, line)
        else:
            before = self.get_y()
            # the cell may end in the other font without saying so: what follows would be set in the wrong one
            with self.local_context():
                self.set_xy(left, y)
                self.cell(self.epw, height, line, new_x=XPos.RIGHT, new_y=YPos.TOP)
            self.set_y(before)  # whoever draws keeps to their own place

    def lines(self, text: str, width: float, *, size: float = 9, style: str = "", most: int = 99) -> list[str]:
        """Break text at spaces, a word that is too long inside; what goes beyond `most` ends in three dots."""
        broken: list[str] = []
        for paragraph in text.split("\n"):
            broken += self._broken(paragraph, width, size, style)
        if len(broken) > most:
            last = broken[most - 1] + "…"
            while len(last) > 1 and self.width_of(last, size, style) > width:
                last = last[:-2].rstrip() + "…"
            broken = [*broken[: most - 1], last]
        return broken

    def width_of(self, text: str, size: float, style: str = "") -> float:
        """Return how wide a text is."""
        key = text, style, size
        if key not in self._widths:
            self._letters(style, size, BLACK, shaped=not PLAIN.fullmatch(text))
            self._widths[key] = self.get_string_width(text)
        return self._widths[key]

    def photo(self, image: bytes | None, x: float, y: float, width: float, height: float) -> None:
        """Draw a photo in its frame; a silhouette where there is none."""
        made = pictures.small(image)
        if made:
            self.image(io.BytesIO(made), x, y, width, height, keep_aspect_ratio=True)
        else:
            self._silhouette(x, y, width, height)
        self.set_draw_color(LINES)
        self.rect(x, y, width, height)

    def code(self, text: str, x: float, y: float, side: float) -> None:
        """Draw a QR code."""
        count, runs = pictures.code_runs(text)
        module = side / count
        self.set_fill_color(BLACK)
        for column, row, length in runs:
            # a hair wider than a module: no white lines between rows
            self.rect(x + column * module, y + row * module, length * module, module + 0.01, style="F")

    def _silhouette(self, x: float, y: float, width: float, height: float) -> None:
        self.set_fill_color(205)
        head = width * 0.36
        self.ellipse(x + (width - head) / 2, y + height * 0.2, head, head * 1.15, style="F")
        with self.rect_clip(x, y, width, height):
            self.ellipse(x + width * 0.15, y + height * 0.66, width * 0.7, height * 0.6, style="F")

    def _letters(self, style: str, size: float, grey: int, *, shaped: bool) -> None:
        self.set_font(LATIN, style, size)
        self.set_text_color(grey)
        self.set_text_shaping(shaped)

    def _broken(self, paragraph: str, width: float, size: float, style: str) -> list[str]:
        lines, line = [], ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if self.width_of(longer, size, style) <= width:
                line = longer
                continue
            if line:
                lines.append(line)
            line = word
            while self.width_of(line, size, style) > width and len(clusters(line)) > 1:
                head = self._fitting(line, width, size, style)
                lines.append(head)
                line = line[len(head) :]
        return [*lines, line]

    def _fitting(self, word: str, width: float, size: float, style: str) -> str:
        """The beginning of a word that fits; at least one letter."""
        parts = list(clusters(word))
        fits = parts[0]
        for part in parts[1:]:
            if self.width_of(fits + part, size, style) > width:
                break
            fits += part
        before, hyphen, _rest = fits.rpartition("-")
        return before + hyphen if before else fits


@lru_cache(maxsize=256)
def clusters(word: str) -> tuple[str, ...]:
    """Return a word as what is read as its letters: signs stay with the letter that they belong to."""
    parts: list[str] = []
    for char in word:
        belongs = unicodedata.category(char)[0] == "M" or char in "\u200c\u200d"
        if parts and (belongs or parts[-1].endswith((VIRAMA, "\u200d"))):
            parts[-1] += char
        else:
            parts.append(char)
    return tuple(parts)
