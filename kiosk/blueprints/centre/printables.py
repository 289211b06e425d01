"""What a centre prints of a shift: to look at, and as PDF."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.scope import current_centre, is_bound, visible_centres
from kiosk.errors import NotFound
from kiosk.services import printing, sheet_jobs, shift_choices
from kiosk.services.centres import CentreView
from kiosk.services.printing import pictures, seating, sheets, tables
from kiosk.services.printing.sheets import Sheet
from kiosk.services.sheet_jobs import Ask
from kiosk.services.shift_choices import ShiftChoice
from kiosk.web.htmx import go_to
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, needs
from kiosk.web.staff_pages import search_text, uuid_or_none


@bp.get("/print")
@needs("centre.see")
def printables() -> ResponseReturnValue:
    """Show one of the shift's sheets as it is printed; others are chosen beside it."""
    centre = current_centre()
    shifts = shift_choices.newest(centre.centre_id)
    sheet = _sheet(centre, shifts)
    is_long = sheet is not None and sheet_jobs.is_long(sheet)
    # thousands of photos and codes would take long on the screen, too
    shown = sheet.first(sheet_jobs.MOST_AT_ONCE) if sheet and is_long and sheet.kind in sheets.WITH_PHOTOS else sheet
    return render_template(
        "centre/printables.html",
        centre=centre,
        centres=visible_centres(),
        # one that is older than those offered is offered all the same while it is shown
        shifts=shifts if sheet is None or sheet.shift in shifts else [*shifts, sheet.shift],
        sheet=shown,
        trades=sheet.trades if sheet else [],
        count=len(sheet.people) if sheet else 0,
        kind=_kind(),
        query=_query(centre, sheet),
        tables=tables,
        pictures=pictures,
        seating=seating,
        kinds=sheets.KINDS,
        is_long=is_long,
    )


@bp.get("/print/pdf")
@needs("centre.see")
def printables_pdf() -> ResponseReturnValue:
    """Send a sheet of a shift as PDF; one of many people is ordered. Raises NotFound where the centre has no shift."""
    centre = current_centre()
    sheet = _sheet(centre, shift_choices.newest(centre.centre_id))
    if sheet is None:
        raise NotFound
    if sheet_jobs.is_long(sheet):
        # so many are drawn by a worker, for whoever asks for it with the button
        return go_to("centre.printables", **_query(centre, sheet))
    response = Response(printing.pdf(sheet), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{sheet_jobs.file_name(sheet)}"'
    return response


@bp.post("/print/pdf")
@needs("candidate.check_in")
def order_pdf() -> ResponseReturnValue:
    """Let a worker make a sheet of many, and show how far it is. Raises NotFound where the centre has no shift."""
    centre = current_centre()
    sheet = _sheet(centre, shift_choices.newest(centre.centre_id))
    if sheet is None:
        raise NotFound
    ask = Ask(current_staff().organisation_id, centre, sheet.shift.shift_id, sheet.kind, sheet.trade, len(sheet.people))
    return go_to("centre.job", job_id=sheet_jobs.order(ask, by=current_actor(), now=arrived_at()))


def _sheet(centre: CentreView, shifts: list[ShiftChoice]) -> Sheet | None:
    """The sheet that the address asks for; None where there is no shift. Raises NotFound for another's shift."""
    now = arrived_at()
    shift_id = _asked_shift() or next((one.shift_id for one in [shift_choices.likely(shifts, now)] if one), None)
    if shift_id is None:
        return None
    trade = search_text(request.values.get("trade", ""))
    return sheets.sheet(centre.centre_id, shift_id, _kind(), trade=trade, now=now, most_photos=sheet_jobs.MOST_AT_ONCE)


def _asked_shift() -> UUID | None:
    asked = request.values.get("shift", "")
    found = uuid_or_none(asked)
    if asked and found is None:
        raise NotFound
    return found


def _kind() -> str:
    asked = request.values.get("sheet", "")
    return asked if asked in sheets.KINDS else sheets.KINDS[0]


def _query(centre: CentreView, sheet: Sheet | None) -> dict[str, Any]:
    """What the address says, without what is the default anyway; a link of today means this shift tomorrow too."""
    asked = {
        "centre": "" if is_bound() else centre.code,
        "shift": str(sheet.shift.shift_id) if sheet else "",
        "trade": sheet.trade if sheet else "",
        "sheet": _kind(),
    }
    return {name: value for name, value in asked.items() if value}
