"""Sheets of many people, made as a PDF by a worker: thousands of photos take longer than a request may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from kiosk import clock
from kiosk.extensions import db
from kiosk.services import jobs, printing
from kiosk.services.audit import Actor
from kiosk.services.centres import CentreView
from kiosk.services.jobs import Order, Outcome, Work
from kiosk.services.printing import sheets
from kiosk.services.printing.sheets import Sheet

KIND = "print_sheet"
MOST_AT_ONCE = 150  # people on a sheet that is drawn while its reader waits: a second or two with their photos


@dataclass(frozen=True)
class Ask:
    """Which sheet, of whose shift."""

    organisation_id: UUID
    centre: CentreView
    shift_id: UUID
    kind: str
    trade: str
    people: int


def is_long(sheet: Sheet) -> bool:
    """Whether a worker makes it."""
    return len(sheet.people) > MOST_AT_ONCE


def file_name(sheet: Sheet) -> str:
    """Return what a sheet's file is called."""
    trade = f"-{sheet.trade}" if sheet.trade else ""
    name = "".join(char if char.isalnum() else "-" for char in f"{sheet.kind}{trade}")
    return f"{name}-{sheet.shift.starts_at:%Y-%m-%d-%H%M}Z.pdf"


def order(ask: Ask, *, by: Actor, now: datetime) -> UUID:
    """Leave it to a worker; return the job's id."""
    about = {"centre": str(ask.centre.centre_id), "shift": str(ask.shift_id), "sheet": ask.kind, "trade": ask.trade}
    params: dict[str, Any] = about | {"people": ask.people}
    wanted = Order(
        KIND,
        ask.centre.name,
        organisation_id=ask.organisation_id,
        centre_id=ask.centre.centre_id,
        params=params,
        steps_total=ask.people,
    )
    return jobs.order(wanted, by=by, now=now)


@jobs.kind(KIND)
def _draw(work: Work) -> Outcome:
    """Nothing is changed by it: a worker that dies on the way leaves it to be done again."""
    asked, people = work.params, work.params["people"]
    sheet = sheets.sheet(
        UUID(asked["centre"]),
        UUID(asked["shift"]),
        asked["sheet"],
        trade=asked["trade"],
        now=clock.now(),
        # a half of the work is reading: whoever is silent for a minute is taken for dead
        tell=lambda done: work.progress(done // 2, people),
    )
    db.session.rollback()  # what was read is plain values: nothing is held while it is drawn
    content = printing.pdf(sheet, tell=lambda done: work.progress((people + done) // 2, people))
    return Outcome({"people": len(sheet.people), "sheet": sheet.kind}, file_name(sheet), content)
