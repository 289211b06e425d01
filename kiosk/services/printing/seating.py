"""The room as a map: every seat in order, taken or empty, ten in a row as on the room board."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.services.printing.sheets import Person, Sheet
from kiosk.services.printing.tables import in_order

IN_A_ROW = 10


@dataclass(frozen=True)
class Place:
    """One seat; nobody's, or `is_other` somebody's whom the chosen trade leaves out."""

    number: str
    person: Person | None
    is_other: bool = False


def places(sheet: Sheet) -> tuple[Place, ...]:
    """Return all seats of the room, and those beyond that somebody was given."""
    taken = {one.seat: one for one in sheet.everybody if one.seat}
    numbers = {str(number) for number in range(1, sheet.room + 1)} | set(taken)
    return tuple(_place(number, taken.get(number), sheet.trade) for number in sorted(numbers, key=in_order))


def without_a_seat(sheet: Sheet) -> tuple[Person, ...]:
    """Return the candidates who were asked for and have no seat."""
    return tuple(one for one in sheet.people if not one.seat)


def _place(number: str, person: Person | None, trade: str) -> Place:
    is_other = person is not None and trade not in ("", person.trade_code)
    return Place(number, person, is_other)
