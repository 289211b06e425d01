"""The seat plan as PDF: the map of the room, and below it who has no seat."""

from __future__ import annotations

from flask_babel import gettext as _

from kiosk.services.printing import seating, tables
from kiosk.services.printing.document import BLACK, GREY, LINES, MARGIN, Document
from kiosk.services.printing.seating import IN_A_ROW, Place
from kiosk.services.printing.sheets import Person

HEIGHT, GAP, PAD = 18.5, 1.5, 1.3
COLUMNS = 4


def draw(document: Document) -> None:
    """Draw the map, row by row over as many pages as it takes."""
    places = seating.places(document.sheet)
    width = (document.epw + GAP) / IN_A_ROW
    for start in range(0, len(places), IN_A_ROW):
        if document.get_y() + HEIGHT > document.bottom:
            document.add_page()
        top = document.get_y()
        for column, place in enumerate(places[start : start + IN_A_ROW]):
            _draw_place(document, place, MARGIN + column * width, top, width - GAP)
        document.set_y(top + HEIGHT + GAP)
    people = seating.without_a_seat(document.sheet)
    if people:
        _draw_others(document, people)
    elif not places:
        document.put(tables.nothing("seats"), MARGIN, document.get_y(), document.epw, grey=GREY)


def _draw_place(document: Document, place: Place, x: float, y: float, width: float) -> None:
    is_taken = place.person is not None
    document.set_draw_color(BLACK if is_taken and not place.is_other else LINES)
    # an empty seat is told by its broken line, without colour
    document.set_dash_pattern(*((0.0, 0.0) if is_taken else (1.0, 1.0)))
    document.rect(x, y, width, HEIGHT)
    document.set_dash_pattern()
    inner, left = width - 2 * PAD, x + PAD
    grey = GREY if place.is_other or not is_taken else BLACK
    document.put(place.number, left, y + 0.6, inner, size=11, style="B", grey=grey)
    if place.person is None:
        return
    beside = document.width_of(place.number, 11, "B") + 0.8
    document.put(place.person.trade_code, left + beside, y + 1.6, inner - beside, size=6.5, align="R", grey=GREY)
    if not place.is_other:
        document.put(place.person.name, left, y + 6.4, inner, size=7.5, most=2)
        document.put(place.person.service_no, left, y + HEIGHT - 4.2, inner, size=7, grey=GREY)


def _draw_others(document: Document, people: tuple[Person, ...]) -> None:
    width, height = document.epw / COLUMNS, 5.0
    if document.get_y() + 7 + 2 * height > document.bottom:
        document.add_page()
    document.put(_("Without a seat"), MARGIN, document.get_y() + 1, document.epw, size=10, style="B")
    document.set_y(document.get_y() + 7)
    for start in range(0, len(people), COLUMNS):
        if document.get_y() + height > document.bottom:
            document.add_page()
        top = document.get_y()
        for column, one in enumerate(people[start : start + COLUMNS]):
            x = MARGIN + column * width
            document.put(f"{one.service_no} · {one.name}", x, top, width - 2, size=8)
        document.set_y(top + height)
