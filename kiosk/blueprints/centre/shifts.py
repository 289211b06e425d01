"""Shifts: the list, one shift with what comes next, a new one, and who sits in it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.day import centre_of, code_of, local_text, own_centre_ids, whole_number
from kiosk.blueprints.centre.forms import choice_from, chosen_ids, query_of
from kiosk.blueprints.centre.scope import current_centre, visible_centres
from kiosk.errors import KioskError, NotFound
from kiosk.services import closing, shift_people, shift_reports, shifts
from kiosk.services.centres import CentreView
from kiosk.services.shift_reports import SHOWS, SORTS, ShiftRow
from kiosk.services.shifts import MOST_PEOPLE, Plan, TimeTaken, WrongPlan
from kiosk.shift_states import shift_action_from
from kiosk.web import lists
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, needs
from kiosk.web.staff_pages import uuid_or_none

COLUMNS = (
    "starts_at",
    "status",
    "trades",
    "capacity",
    "expected",
    "present",
    "writing",
    "handed_in",
    "latest_entry_at",
)


@bp.get("/shifts", endpoint="shifts")
@needs("centre.see")
def shift_list() -> ResponseReturnValue:
    """Show the centre's shifts."""
    centre, show, order = current_centre(), _show(), lists.order_from(request.args, SORTS)
    return render_template(
        "centre/_shifts.html" if is_htmx() else "centre/shifts.html",
        centre=centre,
        centres=visible_centres(),
        show=show,
        order=order,
        query=lists.query_of(order, SORTS, show=show, **code_of(centre)),
        listed=shift_reports.shifts(centre.centre_id, show=show, order=order),
        next_of=shift_action_from,
    )


@bp.get("/shifts.csv")
@needs("centre.see")
def shifts_file() -> ResponseReturnValue:
    """Return the shifts that the filters match as a file."""
    centre = current_centre()
    order = lists.all_of(lists.order_from(request.args, SORTS))
    found = shift_reports.shifts(centre.centre_id, show=_show(), order=order)
    return lists.csv_file("shifts", COLUMNS, ([_cell(row, name, centre) for name in COLUMNS] for row in found.rows))


@bp.get("/shifts/new")
@needs("shift.edit")
def new_shift() -> ResponseReturnValue:
    """Show the form for a new shift."""
    return _page(current_centre(), None, {})


@bp.post("/shifts/new")
@needs("shift.edit")
def add_shift() -> ResponseReturnValue:
    """Plan a shift."""
    centre = current_centre()
    try:
        shift_id = shifts.create(centre.centre_id, _plan(centre), by=current_actor(), now=arrived_at())
    except (WrongPlan, TimeTaken) as error:
        return _page(centre, None, _problem(error)), error.status
    flash(_("The shift is planned. Put candidates into it, and open its gate on the day."), "ok")
    return go_to("centre.shift", shift_id=shift_id)


@bp.get("/shifts/<uuid:shift_id>")
@needs("centre.see")
def shift(shift_id: UUID) -> ResponseReturnValue:
    """Show one shift: what comes next, its code, who is in it, and the form to change it."""
    shown = own_shift(shift_id)
    return _page(centre_of(shown.centre_id), shown, {})


@bp.post("/shifts/<uuid:shift_id>")
@needs("shift.edit")
def edit_shift(shift_id: UUID) -> ResponseReturnValue:
    """Change a shift."""
    shown = own_shift(shift_id)
    centre = centre_of(shown.centre_id)
    try:
        shifts.edit(shift_id, _plan(centre), by=current_actor(), now=arrived_at())
    except KioskError as error:
        return _page(centre, own_shift(shift_id), _problem(error)), error.status
    flash(_("The shift is changed."), "ok")
    return go_to("centre.shift", shift_id=shift_id)


@bp.get("/shifts/fill")
@needs("shift.edit")
def fill_shift() -> ResponseReturnValue:
    """Ask into which shift the chosen candidates go, and say what would come of it."""
    return _filling(request.args)


@bp.post("/shifts/fill")
@needs("shift.edit")
def fill_shift_now() -> ResponseReturnValue:
    """Put them into it, unless what was shown is no longer so."""
    centre, choice = current_centre(), choice_from(request.form)
    target = uuid_or_none(request.form.get("to", ""))
    ids = chosen_ids(choice, centre)
    if target is None or not ids:
        return _filling(request.form, problem=_("Choose a shift first."), status=422)
    own_shift(target)
    try:
        ahead = shift_people.assign(target, ids, by=current_actor(), now=arrived_at(), dry_run=True)
        if request.form.get("seen") != _seen(ahead, target):
            changed = _("The numbers changed in the meantime. Nothing was done; look at them again.")
            return _filling(request.form, problem=changed, status=409)
        done = shift_people.assign(target, ids, by=current_actor(), now=arrived_at())
    except KioskError as error:
        return _filling(request.form, problem=error.sentence, status=error.status)
    flash(
        ngettext("%(num)s candidate is in the shift now.", "%(num)s candidates are in the shift now.", done.changed),
        "ok" if done.changed else "warn",
    )
    return go_to("centre.candidates", **query_of(choice.filters, centre))


def own_shift(shift_id: UUID) -> ShiftRow:
    """Return a shift that this person may see. Raises NotFound."""
    return shift_reports.shift(shift_id, centre_ids=own_centre_ids())


def _filling(values: MultiDict[str, str], *, problem: str = "", status: int = 200) -> ResponseReturnValue:
    centre, choice = current_centre(), choice_from(values)
    ids, target = chosen_ids(choice, centre), uuid_or_none(values.get("to", ""))
    choices = shift_reports.to_fill(centre.centre_id)
    if target is not None and target not in {one.shift_id for one in choices}:
        raise NotFound
    report = None
    if target is not None and ids:
        report = shift_people.assign(target, ids, by=current_actor(), now=arrived_at(), dry_run=True)
    page = render_template(
        "centre/_fill.html" if is_htmx() else "centre/fill.html",
        centre=centre,
        choice=choice,
        count=len(ids),
        choices=choices,
        target=target,
        report=report,
        seen=_seen(report, target) if report else "",
        problem=problem,
        query=query_of(choice.filters, centre),
    )
    return page, status


def _seen(report: Any, target: UUID | None) -> str:
    return f"{target};{report.changed};{sum(report.skipped.values())}"


def _page(centre: CentreView, shown: ShiftRow | None, problems: dict[str, str]) -> str:
    return render_template(
        "centre/shift.html",
        centre=centre,
        shown=shown,
        code=code_of(centre),
        problems=problems,
        typed=_typed(centre, shown),
        trades=shift_reports.trades_of(centre.centre_id),
        next=shift_action_from(shown.status) if shown else None,
        ahead=closing.outlook(shown.shift_id, now=arrived_at()) if shown and shown.is_open else None,
        new_code=session.pop("new_start_code", None) if shown else None,
        address=url_for("centre.edit_shift", shift_id=shown.shift_id) if shown else url_for("centre.add_shift"),
    )


def _typed(centre: CentreView, shown: ShiftRow | None) -> dict[str, Any]:
    """What the form holds: what was typed, else the shift as it is, else a proposal."""
    if request.method == "POST":
        return {**request.form, "trades": request.form.getlist("trade")}
    if shown is None:
        return {"starts_at": "", "capacity": "", "entry_minutes": "30", "trades": []}
    return {
        "starts_at": local_text(shown.starts_at, centre),
        "capacity": shown.capacity,
        "entry_minutes": "" if shown.entry_minutes is None else shown.entry_minutes,
        "trades": [str(trade_id) for trade_id, _code in shown.trades],
    }


def _plan(centre: CentreView) -> Plan:
    """The plan of the form. Raises WrongPlan, NotFound (what is no trade)."""
    starts_at = shifts.local_start(request.form.get("starts_at", ""), centre.time_zone)
    capacity = whole_number(request.form.get("capacity", "") or "0", most=MOST_PEOPLE)
    minutes_text = request.form.get("entry_minutes", "").strip()
    minutes = whole_number(minutes_text, most=1440)
    chosen = [uuid_or_none(text) for text in request.form.getlist("trade")]
    if None in chosen:
        raise NotFound
    return Plan(
        starts_at,
        -1 if capacity is None else capacity,
        (-1 if minutes is None else minutes) if minutes_text else None,
        tuple(one for one in chosen if one),
    )


def _problem(error: KioskError) -> dict[str, str]:
    field = error.field if isinstance(error, WrongPlan) else ("starts_at" if isinstance(error, TimeTaken) else "all")
    return {field: error.sentence}


def _show() -> str:
    show = request.args.get("show", "")
    return show if show in SHOWS else ""


def _cell(row: ShiftRow, name: str, centre: CentreView) -> Any:
    if name == "trades":
        return " ".join(code for _id, code in row.trades)
    value = getattr(row, name)
    return local_text(value, centre) if name.endswith("_at") and value else value
