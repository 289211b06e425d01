"""Sheets as tables: titles, columns and cells in the reader's language. What a PDF draws and a page shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from kiosk.services.outages import REASON as SERVER_WAS_AWAY
from kiosk.services.printing import words
from kiosk.services.printing.register import Event, Who
from kiosk.services.printing.sheets import Person, Sheet


@dataclass(frozen=True)
class Column:
    """One column: its words, its share of the width, and whether numbers stand in it."""

    label: str
    share: float
    is_right: bool = False
    is_name: bool = False


@dataclass(frozen=True)
class Table:
    """Columns, and rows of one text for each; `photos` stand in the second column where there are any."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    row_height: float = 0
    photos: tuple[bytes | None, ...] = ()


def title(kind: str) -> str:
    """Return the name of a sheet."""
    return {
        "roll": _("Nominal roll"),
        "seats": _("Seat plan"),
        "attendance": _("Attendance sheet"),
        "cards": _("Admit cards"),
        "register": _("Incidents and time"),
    }[kind]


def table(sheet: Sheet) -> Table | None:
    """Return the sheet as a table; None for those that are no list."""
    made = {"roll": _roll, "attendance": _attendance, "register": _register}.get(sheet.kind)
    return made(sheet) if made else None


def nothing(kind: str) -> str:
    """Return what a sheet says that has no rows."""
    return _("Nothing is written down of this shift.") if kind == "register" else _("No candidates.")


def signatures(kind: str) -> tuple[str, ...]:
    """Return who signs below the last row."""
    return (_("Invigilator"), _("Officer in charge of the centre")) if kind in ("attendance", "register") else ()


def card_facts(sheet: Sheet, person: Person) -> list[tuple[str, str, int]]:
    """Return what an admit card says beside the name: a word, what it is, and in how many lines it must fit."""
    facts = [
        (_("Begins"), words.short_day(sheet.shift.starts_at, sheet.time_zone), 1),
        (_("Trade"), f"{person.trade_code} · {person.trade_name}", 1),
        (_("Test"), _test(person), 1),
        (_("Centre"), sheet.centre, 2),
    ]
    return [(_("Seat"), person.seat, 1), *facts] if person.seat else facts


def _test(person: Person) -> str:
    if person.duration_seconds is None:
        return _("No slot yet")
    long = words.length(person.duration_seconds)
    if person.extra_seconds:
        long = _("%(time)s and %(extra)s extra", time=long, extra=words.length(person.extra_seconds))
    return f"{words.paper(person.paper_type)} · {long}"


def _roll(sheet: Sheet) -> Table:
    columns = (
        Column(_("No."), 6, is_right=True),
        Column(_("Service number"), 17),
        Column(_("Rank"), 13),
        Column(_("Name"), 30, is_name=True),
        Column(_("Trade"), 14),
        Column(_("Test"), 12),
        Column(_("Seat"), 8, is_right=True),
    )
    rows = (
        (str(number), one.service_no, one.rank, one.name, one.trade_code, words.paper(one.paper_type), one.seat or "–")
        for number, one in enumerate(sheet.people, start=1)
    )
    return Table(columns, tuple(rows))


def _attendance(sheet: Sheet) -> Table:
    columns = (
        Column(_("No."), 6, is_right=True),
        Column(_("Photo"), 12),
        Column(_("Name"), 32, is_name=True),
        Column(_("Trade"), 12),
        Column(_("Seat"), 7, is_right=True),
        Column(_("Signature"), 31),
    )
    rows = (
        (str(number), "", _name_and_number(one), one.trade_code, one.seat or "–", "")
        for number, one in enumerate(sheet.people, start=1)
    )
    return Table(columns, tuple(rows), 19, tuple(one.photo for one in sheet.people))


def _name_and_number(person: Person) -> str:
    return f"{person.name}\n" + " · ".join(filter(None, (person.service_no, person.rank)))


def _register(sheet: Sheet) -> Table:
    columns = (
        Column(_("Time"), 9),
        Column(_("Candidate"), 24, is_name=True),
        Column(_("What"), 15),
        Column(_("Reason"), 24),
        Column(_("Length"), 14),
        Column(_("By"), 14),
    )
    return Table(columns, tuple(_line(sheet, event) for event in sheet.events))


def _line(sheet: Sheet, event: Event) -> tuple[str, ...]:
    kind = {"incident": words.incident, "grant": words.grant, "pause": words.pause}[event.what](event.kind)
    at = words.moment(event.at, sheet.time_zone, beside=sheet.shift.starts_at)
    reason = _("The server was away") if event.words == SERVER_WAS_AWAY else event.words
    by = _("The system itself") if event.by == "system" else event.by
    return at, _who(event.who), kind, reason, _how_long(event), by


def _how_long(event: Event) -> str:
    if event.what == "grant":
        return f"+{words.length(event.granted_seconds)}"
    if event.what == "pause":
        return (
            _("still stopped") if event.seconds is None else _("stopped for %(time)s", time=words.length(event.seconds))
        )
    told = [_("%(time)s lost", time=words.length(event.seconds))] if event.seconds else []
    told += [_("%(time)s given back", time=words.length(event.granted_seconds))] if event.granted_seconds else []
    return "\n".join(told) or "–"


def _who(who: Sequence[Who]) -> str:
    if not who:
        return _("The whole room")
    if len(who) == 1:
        one = who[0]
        seat = [_("Seat %(seat)s", seat=one.seat)] if one.seat else []
        return f"{one.name}\n" + " · ".join([one.service_no, *seat])
    many = ngettext("%(num)s candidate", "%(num)s candidates", len(who))
    seats = ranges(one.seat for one in who if one.seat)
    return f"{many}\n" + (_("Seats %(seats)s", seats=seats) if seats else ", ".join(one.service_no for one in who))


def in_order(seat: str) -> tuple[int, str]:
    """Return what seats are sorted by: texts that are mostly numbers, 2 before 10."""
    return len(seat), seat


def ranges(seats: Iterable[str]) -> str:
    """Return seats as people write many of them: 1–12, 15, A3."""
    runs: list[list[str]] = []
    for seat in sorted(set(seats), key=in_order):
        if runs and _follows(runs[-1][-1], seat):
            runs[-1].append(seat)
        else:
            runs.append([seat])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def _follows(before: str, seat: str) -> bool:
    number = re.compile(r"[1-9]\d{0,5}")
    return bool(number.fullmatch(before) and number.fullmatch(seat)) and int(seat) == int(before) + 1
