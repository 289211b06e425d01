"""What a centre prints of a shift: to look at, and as PDF."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.scope import current_centre, is_bound, visible_centres
from kiosk.errors import NotFound
from kiosk.services import shift_choices
from kiosk.services.centres import CentreView
from kiosk.services.printing import drawing, pictures, seating, sheets, tables
from kiosk.services.printing.sheets import Sheet
from kiosk.services.shift_choices import ShiftChoice
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import needs
from kiosk.web.staff_pages import search_text, uuid_or_none


@bp.get("/print")
@needs("centre.see")
def printables() -> ResponseReturnValue:
    """Show one of the shift's sheets as it is printed; others are chosen beside it."""
    centre = current_centre()
    shifts = shift_choices.newest(centre.centre_id)
    sheet = _sheet(centre, shifts)
    return render_template(
        "centre/printables.html",
        centre=centre,
        centres=visible_centres(),
        # one that is older than those offered is offered all the same while it is shown
        shifts=shifts if sheet is None or sheet.shift in shifts else [*shifts, sheet.shift],
        sheet=sheet,
        kind=_kind(),
        query=_query(centre, sheet),
        tables=tables,
        pictures=pictures,
        seating=seating,
        kinds=sheets.KINDS,
    )


@bp.get("/print/pdf")
@needs("centre.see")
def printables_pdf() -> ResponseReturnValue:
    """Send a sheet of a shift as PDF. Raises NotFound where the centre has no shift."""
    centre = current_centre()
    sheet = _sheet(centre, shift_choices.newest(centre.centre_id))
    if sheet is None:
        raise NotFound
    response = Response(drawing.pdf(sheet), mimetype="application/pdf")
    name = f"{sheet.kind}-{sheet.shift.starts_at:%Y-%m-%d-%H%M}Z.pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


def _sheet(centre: CentreView, shifts: list[ShiftChoice]) -> Sheet | None:
    """The sheet that the address asks for; None where there is no shift. Raises NotFound for another's shift."""
    now = arrived_at()
    shift_id = _asked_shift() or next((one.shift_id for one in [shift_choices.likely(shifts, now)] if one), None)
    if shift_id is None:
        return None
    trade = search_text(request.args.get("trade", ""))
    return sheets.sheet(centre.centre_id, shift_id, _kind(), trade=trade, now=now)


def _asked_shift() -> UUID | None:
    asked = request.args.get("shift", "")
    found = uuid_or_none(asked)
    if asked and found is None:
        raise NotFound
    return found


def _kind() -> str:
    asked = request.args.get("sheet", "")
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
