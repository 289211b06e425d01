"""The check-in desk: a number is scanned or typed, Enter checks in, and the card shows who it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.day import centre_of, code_of, local_text
from kiosk.blueprints.centre.scope import current_centre, visible_centres
from kiosk.blueprints.centre.shifts import own_shift
from kiosk.blueprints.centre.ways_back import board_query, go_to_board_or, way_back
from kiosk.errors import KioskError
from kiosk.office_errors import NotNow
from kiosk.services import check_in as service
from kiosk.services import desk_reports, seats, shift_people, shift_reports
from kiosk.services.centres import CentreView
from kiosk.services.desk_reports import SHOWS, SORTS, DeskRow
from kiosk.services.shift_reports import ShiftRow
from kiosk.shift_states import ShiftStatus
from kiosk.web import lists
from kiosk.web.asking import Ask, add_question
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, needs, user_may
from kiosk.web.staff_pages import search_text, uuid_or_none

LONGEST_NUMBER = 80
COLUMNS = ("service_no", "name", "rank", "trade_code", "seat", "came_at", "came_to", "slot_status")


@dataclass(frozen=True)
class Seen:
    """What came of a scan or a press: the person before the desk, and what is said of it."""

    person: DeskRow | None = None
    said: str = ""
    kind: str = ""
    status: int = 200


@bp.get("/check-in")
@needs("candidate.check_in")
def check_in() -> ResponseReturnValue:
    """Show the desk of a shift."""
    centre = current_centre()
    card = uuid_or_none(request.args.get("card", ""))
    return _desk(centre, Seen(desk_reports.person(centre.centre_id, card)) if card else Seen())


@bp.get("/check-in.csv")
@needs("candidate.check_in")
def check_in_file() -> ResponseReturnValue:
    """Return who is expected and who came as a file."""
    centre = current_centre()
    shift = _shift(centre)
    order = lists.all_of(lists.order_from(request.values, SORTS))
    people = desk_reports.people(shift.shift_id, q=_q(), show=_show(), order=order).rows if shift else ()
    return lists.csv_file("check-in", COLUMNS, ([_cell(row, name, centre) for name in COLUMNS] for row in people))


@bp.post("/check-in/scan")
@needs("candidate.check_in")
def scan() -> ResponseReturnValue:
    """Check in whoever has exactly this service number in this shift; else say who was found, or that nobody was."""
    centre, number = current_centre(), request.form.get("number", "").strip()[:LONGEST_NUMBER]
    shift = _shift(centre)
    found = desk_reports.scanned(centre.centre_id, number) if number else None
    if found is None:
        said = _("Nobody in this centre has the number %(number)s.", number=number) if number else ""
        return _desk(centre, Seen(said=said or _("Scan or type a service number."), kind="warn", status=422))
    if shift is None or found.shift_id != shift.shift_id:
        return _desk(centre, Seen(found, _("%(name)s is not in this shift.", name=found.name), "warn", 422))
    return _come(centre, found)


@bp.post("/check-in/<uuid:candidate_id>/present")
@needs("candidate.check_in")
def present(candidate_id: UUID) -> ResponseReturnValue:
    """Mark a candidate present."""
    centre = current_centre()
    return _come(centre, desk_reports.person(centre.centre_id, candidate_id))


@bp.post("/check-in/<uuid:candidate_id>/absent")
@needs("candidate.check_in")
def absent(candidate_id: UUID) -> ResponseReturnValue:
    """Take it back."""
    centre = current_centre()
    person = desk_reports.person(centre.centre_id, candidate_id)
    try:
        service.undo(candidate_id, by=current_actor(), now=arrived_at())
    except KioskError as error:
        return _desk(centre, Seen(person, error.sentence, "danger", error.status))
    said = _("%(name)s is no longer marked present.", name=person.name)
    return _desk(centre, Seen(desk_reports.person(centre.centre_id, candidate_id), said))


@bp.post("/check-in/<uuid:candidate_id>/seat")
@needs("candidate.check_in")
def give_seat(candidate_id: UUID) -> ResponseReturnValue:
    """Give a candidate a seat; an empty one takes it back."""
    centre = current_centre()
    desk_reports.person(centre.centre_id, candidate_id)
    try:
        seats.give(candidate_id, request.form.get("seat", ""), by=current_actor(), now=arrived_at())
    except KioskError as error:
        person = desk_reports.person(centre.centre_id, candidate_id)
        return _desk(centre, Seen(person, error.sentence, "danger", error.status))
    person = desk_reports.person(centre.centre_id, candidate_id)
    said = _("%(name)s has seat %(seat)s.", name=person.name, seat=person.seat) if person.seat else ""
    return _desk(centre, Seen(person, said or _("%(name)s has no seat now.", name=person.name), "ok"))


@bp.post("/check-in/<uuid:candidate_id>/here")
@needs("shift.edit")
def bring_here(candidate_id: UUID) -> ResponseReturnValue:
    """Put a candidate of another shift into this one, and mark them present."""
    centre = current_centre()
    person, shift = desk_reports.person(centre.centre_id, candidate_id), _shift(centre)
    if shift is None:
        return _desk(centre, Seen(person, _("There is no shift that they could come into."), "danger", 409))
    try:
        moved = shift_people.assign(shift.shift_id, [candidate_id], by=current_actor(), now=arrived_at())
    except KioskError as error:
        return _desk(centre, Seen(person, error.sentence, "danger", error.status))
    if not moved.changed and "in_shift" not in moved.skipped:
        why = {
            "shift_full": _("This shift is full."),
            "wrong_trade": _("The trade of %(name)s does not sit in this shift.", name=person.name),
            "is_writing": _("%(name)s is writing in another shift.", name=person.name),
        }
        said = next((why[reason] for reason in moved.skipped if reason in why), _("Nothing was changed."))
        return _desk(centre, Seen(person, said, "danger", 409))
    return _come(centre, desk_reports.person(centre.centre_id, candidate_id))


def _come(centre: CentreView, person: DeskRow) -> ResponseReturnValue:
    try:
        came = service.check_in(person.candidate_id, by=current_actor(), now=arrived_at())
    except KioskError as error:
        return _desk(centre, Seen(person, error.sentence, "danger", error.status))
    said = _("%(name)s is present.", name=person.name)
    kind = "ok"
    if not came:
        # the same number twice: two people, or one scan too many; staff look at the photo
        said, kind = _("%(name)s was marked present before.", name=person.name), "warn"
    return _desk(centre, Seen(desk_reports.person(centre.centre_id, person.candidate_id), said, kind))


def _desk(centre: CentreView, seen: Seen) -> ResponseReturnValue:
    shift = _shift(centre)
    order = lists.order_from(request.values, SORTS)
    query = lists.query_of(order, SORTS, shift=shift.shift_id if shift else "", q=_q(), show=_show(), **code_of(centre))
    if request.method == "POST" and not is_htmx() and seen.status == 200:
        flash(seen.said, seen.kind)
        return go_to("centre.check_in", card=seen.person.candidate_id if seen.person else None, **query)
    page = render_template(
        "centre/_desk.html" if is_htmx() else "centre/check_in.html",
        centre=centre,
        centres=visible_centres(),
        shift=shift,
        shifts=_shifts(centre),
        counts=desk_reports.counts(shift.shift_id) if shift else None,
        listed=desk_reports.people(shift.shift_id, q=_q(), show=_show(), order=order) if shift else None,
        order=order,
        q=_q(),
        show=_show(),
        query=query,
        seen=seen,
        is_late=bool(shift and shift.latest_entry_at and arrived_at() > shift.latest_entry_at),
        may_late=user_may("shift.edit"),
    )
    return page, seen.status


def _shifts(centre: CentreView) -> list[ShiftRow]:
    return shift_reports.to_fill(centre.centre_id)


def _shift(centre: CentreView) -> ShiftRow | None:
    """The shift of the address; without one the first whose check-in runs, else the next one."""
    asked = uuid_or_none(request.values.get("shift", ""))
    if asked is not None:
        shown = own_shift(asked)
        return shown if shown.centre_id == centre.centre_id else None
    known = _shifts(centre)
    runs = [one for one in known if one.status in (ShiftStatus.GATE, ShiftStatus.OPEN)]
    return next(iter(runs or known), None)


def _q() -> str:
    return search_text(request.values.get("q", ""))


def _show() -> str:
    show = request.values.get("show", "")
    return show if show in SHOWS else ""


def _cell(row: DeskRow, name: str, centre: CentreView) -> Any:
    value = getattr(row, name)
    return local_text(value, centre) if name == "came_at" and value else value


def own_person(candidate_id: UUID) -> tuple[DeskRow, CentreView]:
    """The candidate in whichever of one's own centres they are. Raises NotFound."""
    centre = centre_of(shift_people.centre_of(candidate_id))
    return desk_reports.person(centre.centre_id, candidate_id), centre


def _ask_late(candidate_id: UUID) -> Ask:
    person, centre = own_person(candidate_id)
    return Ask(
        title=_("Let %(name)s in after the latest entry?", name=person.name),
        go=_("Let them in"),
        back=way_back(
            "centre.check_in", centre, candidate_id, {"shift": person.shift_id, "card": candidate_id, **code_of(centre)}
        ),
        nav="check_in",
        says=(_("They get their full time, and may begin while the shift is open."),),
        stands=() if person.shift_id else ((1, _("candidate without a shift")),),
        carries=tuple(board_query(centre).items()),
    )


def _let_in(candidate_id: UUID, reason: str) -> ResponseReturnValue:
    person, centre = own_person(candidate_id)
    try:
        shift_people.let_in_late(candidate_id, reason=reason, by=current_actor(), now=arrived_at())
    except KioskError as error:
        raise NotNow(problem=error.sentence) from error
    flash(_("%(name)s may begin late.", name=person.name), "ok")
    values = {"shift": person.shift_id, "card": candidate_id, **code_of(centre)}
    return go_to_board_or("centre.check_in", centre=centre, candidate_id=candidate_id, values=values)


add_question(bp, "/check-in/<uuid:candidate_id>/late", "let_in_late", "shift.edit", _ask_late, _let_in)
