"""Admit cards as PDF: eight on a page, to be cut along the broken lines.

The QR code holds the service number and nothing else: a card that is lost opens nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from flask_babel import gettext as _

from kiosk.services.printing import tables
from kiosk.services.printing.document import BLACK, GREY, HEAD, LINES, MARGIN, Document
from kiosk.services.printing.sheets import Person

ACROSS, DOWN = 2, 4
PAD = 3.5
PHOTO = (20.0, 25.0)
CODE = 19.0
LABEL = 13.0


def draw(document: Document, tell: Callable[[int], None]) -> None:
    """Draw a card for everybody who was asked for; `tell` is called with the number of those that are drawn."""
    people, on_a_page = document.sheet.people, ACROSS * DOWN
    width, height = document.epw / ACROSS, (document.bottom - HEAD) / DOWN
    for number, person in enumerate(people):
        place = number % on_a_page
        if number and place == 0:
            document.add_page()
        x, y = MARGIN + place % ACROSS * width, HEAD + place // ACROSS * height
        document.set_draw_color(LINES)
        document.set_dash_pattern(1.5, 1.5)
        document.rect(x, y, width, height)
        document.set_dash_pattern()
        _draw_card(document, person, x + PAD, y + PAD, width - 2 * PAD, height - 2 * PAD)
        tell(number + 1)
    if not people:
        document.put(tables.nothing("cards"), MARGIN, HEAD, document.epw, grey=GREY)


def _draw_card(document: Document, person: Person, x: float, y: float, width: float, height: float) -> None:
    sheet, side = document.sheet, PHOTO[0] + 3
    document.put(_("Admit card"), x, y, width / 3, size=8, style="B", grey=GREY)
    document.put(sheet.organisation, x + width / 3, y, width * 2 / 3, size=8, align="R", grey=GREY)
    top = y + 5.5
    document.photo(person.photo, x, top, *PHOTO)
    document.code(person.service_no, x + (PHOTO[0] - CODE) / 2, y + height - CODE, CODE)
    left, inner = x + side, width - side
    top += document.put(person.name, left, top - 0.6, inner, size=10.5, style="B", most=2) - 0.6
    who = " · ".join(filter(None, (person.service_no, person.rank)))
    top += document.put(who, left, top, inner, size=9) + 0.6
    for label, text, most in tables.card_facts(sheet, person):
        document.put(label, left, top, LABEL, size=7.5, grey=GREY)
        top += document.put(text, left + LABEL, top - 0.2, inner - LABEL, size=8.2, most=most) + 0.1
    line = y + height - 3.6
    document.set_draw_color(BLACK)
    document.line(left, line, left + inner, line)
    document.put(_("Signature of the candidate"), left, line + 0.2, inner, size=6.5, grey=GREY)
