"""What is done to a shift after a question: gate, start, end, a new code, seats for everybody, deleting it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import flash, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.day import centre_of, code_of
from kiosk.blueprints.centre.shifts import own_shift
from kiosk.errors import KioskError
from kiosk.office_errors import NotNow
from kiosk.services import closing, seats, shifts
from kiosk.shift_states import ShiftAction, ShiftStatus, shift_source
from kiosk.web.asking import Ask, Counted, add_question
from kiosk.web.htmx import go_to
from kiosk.web.local_time import date_and_time
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor

MOST_NAMED = 8
BOARD = "board"


def _when(shift_id: UUID) -> str:
    shown = own_shift(shift_id)
    return date_and_time(shown.starts_at, centre_of(shown.centre_id).time_zone)


def _back(shift_id: UUID) -> str:
    endpoint, values = _place(shift_id)
    return url_for(endpoint, **values)


def _place(shift_id: UUID) -> tuple[str, dict[str, Any]]:
    """Where somebody came from and goes back to: the room board, or the shift's own page."""
    if request.values.get("back") == BOARD:
        return "centre.board", {"shift": shift_id, **code_of(centre_of(own_shift(shift_id).centre_id))}
    return "centre.shift", {"shift_id": shift_id}


def _carries() -> tuple[tuple[str, str], ...]:
    return (("back", BOARD),) if request.values.get("back") == BOARD else ()


def _ask_gate(shift_id: UUID) -> Ask:
    return _ask_move(
        shift_id,
        ShiftAction.OPEN_GATE,
        _("Open the gate of the shift of %(when)s?", when=_when(shift_id)),
        _("Open the gate"),
        (_("Check-in can begin. Nobody can start a test yet."),),
    )


def _ask_open(shift_id: UUID) -> Ask:
    says = (
        _("Candidates who are at their places can start as soon as they enter the start code."),
        _("Read the start code out when everybody is ready."),
    )
    title = _("Open the shift of %(when)s?", when=_when(shift_id))
    return _ask_move(shift_id, ShiftAction.OPEN, title, _("Open the shift"), says)


def _ask_move(shift_id: UUID, action: ShiftAction, title: str, go: str, says: tuple[str, ...]) -> Ask:
    shown = own_shift(shift_id)
    return Ask(
        title=title,
        go=go,
        back=_back(shift_id),
        nav="shifts",
        says=says,
        numbers=((shown.expected, _("expected")), (shown.present, _("present"))),
        stands=_elsewhere(shown.status, action),
        needs_reason=False,
        carries=_carries(),
    )


def _elsewhere(status: str, action: ShiftAction) -> Counted:
    """What stands in the way where the shift is not in the state from which this move is possible."""
    if status == shift_source(action):
        return ()
    words = {
        ShiftStatus.PLANNED: _("shift is only planned: open its gate first"),
        ShiftStatus.GATE: _("shift is at its gate"),
        ShiftStatus.OPEN: _("shift is open already"),
        ShiftStatus.CLOSED: _("shift is closed already"),
    }
    return ((1, words[ShiftStatus(status)]),)


def _ask_close(shift_id: UUID) -> Ask:
    status, ahead = own_shift(shift_id).status, closing.outlook(shift_id, now=arrived_at())
    names = [f"{one.service_no} {one.name}" for one in (*ahead.writing, *ahead.paused)]
    more = len(names) - MOST_NAMED
    says = []
    if names:
        shown = ", ".join(names[:MOST_NAMED]) + (
            " " + ngettext("and %(num)s more", "and %(num)s more", more) if more > 0 else ""
        )
        says = [
            shown,
            _("Wait until they hand in. Resume who is paused, or clear the unfinished test of who has left."),
        ]
    if ahead.left_over:
        says.append(_("Tests that the server's outage paused and nobody resumed end as of their deadline."))
    if ahead.not_started:
        says.append(_("Papers that were drawn and never begun are cancelled. The slots stay available."))
    says.append(_("After that nothing starts in this shift any more."))
    stands = list(_elsewhere(status, ShiftAction.CLOSE))
    if ahead.writing:
        stands.append(
            (len(ahead.writing), ngettext("test is being written", "tests are being written", len(ahead.writing)))
        )
    if ahead.paused:
        stands.append((len(ahead.paused), ngettext("test is paused", "tests are paused", len(ahead.paused))))
    return Ask(
        title=_("Close the shift of %(when)s?", when=_when(shift_id)),
        go=_("Close the shift"),
        back=_back(shift_id),
        nav="shifts",
        says=tuple(says),
        numbers=((len(ahead.left_over), _("end as of their deadline")), (ahead.not_started, _("never begun"))),
        stands=tuple(stands),
        needs_reason=False,
        is_danger=True,
        carries=_carries(),
    )


def _mover(action: ShiftAction) -> Callable[[UUID, str], ResponseReturnValue]:
    """Return what does this move, and never the one after it: two desks may press at once."""

    def move(shift_id: UUID, _reason: str) -> ResponseReturnValue:
        own_shift(shift_id)
        by, now = current_actor(), arrived_at()
        try:
            if action is ShiftAction.CLOSE:
                closing.close(shift_id, by=by, now=now)
            else:
                shifts.move_on(shift_id, action, by=by, now=now)
        except KioskError as error:
            raise NotNow(problem=error.sentence) from error
        done = {
            ShiftAction.OPEN_GATE: _("The gate is open: check-in runs."),
            ShiftAction.OPEN: _("The shift is open."),
            ShiftAction.CLOSE: _("The shift is closed."),
        }
        flash(done[action], "ok")
        endpoint, values = _place(shift_id)
        return go_to(endpoint, **values)

    return move


def _ask_code(shift_id: UUID) -> Ask:
    own_shift(shift_id)
    return Ask(
        title=_("A new start code for the shift of %(when)s?", when=_when(shift_id)),
        go=_("Make a new code"),
        back=_back(shift_id),
        nav="shifts",
        says=(_("The code of now is worth nothing any more. Whoever writes goes on."),),
        needs_reason=False,
    )


def _new_code(shift_id: UUID, _reason: str) -> ResponseReturnValue:
    own_shift(shift_id)
    try:
        shifts.change_code(shift_id, by=current_actor(), now=arrived_at())
    except KioskError as error:
        raise NotNow(problem=error.sentence) from error
    session["new_start_code"] = True
    return go_to("centre.shift", shift_id=shift_id)


def _ask_seats(shift_id: UUID) -> Ask:
    own_shift(shift_id)
    ahead = seats.give_at_random(shift_id, by=current_actor(), now=arrived_at(), dry_run=True)
    return Ask(
        title=_("Give seats to everybody who is present?"),
        go=_("Give the seats at random"),
        back=url_for("centre.check_in", shift=shift_id),
        nav="check_in",
        says=(_("Whoever has a seat or writes keeps it. Each of the others gets a free one, by chance."),),
        numbers=((ahead.given, _("get a seat")), (ahead.left_out, _("find no free seat"))),
        needs_reason=False,
    )


def _give_seats(shift_id: UUID, _reason: str) -> ResponseReturnValue:
    shown = own_shift(shift_id)
    done = seats.give_at_random(shift_id, by=current_actor(), now=arrived_at())
    flash(ngettext("%(num)s candidate got a seat.", "%(num)s candidates got a seat.", done.given), "ok")
    if done.left_out:
        flash(
            ngettext("%(num)s candidate finds no free seat.", "%(num)s candidates find no free seat.", done.left_out),
            "warn",
        )
    return go_to("centre.check_in", shift=shown.shift_id)


def _ask_delete(shift_id: UUID) -> Ask:
    shown = own_shift(shift_id)
    has_tests = shown.writing + shown.handed_in
    return Ask(
        title=_("Delete the shift of %(when)s?", when=_when(shift_id)),
        go=_("Delete the shift"),
        back=_back(shift_id),
        nav="shifts",
        says=(_("Its candidates stay, without a shift. A shift with tests or incidents can only be closed."),),
        numbers=((shown.expected, _("candidates lose their shift")),),
        stands=((has_tests, _("tests belong to it")),) if has_tests else (),
        is_danger=True,
    )


def _delete(shift_id: UUID, reason: str) -> ResponseReturnValue:
    own_shift(shift_id)
    try:
        shifts.remove(shift_id, reason=reason, by=current_actor(), now=arrived_at())
    except KioskError as error:
        raise NotNow(problem=error.sentence) from error
    flash(_("The shift is deleted."), "ok")
    return go_to("centre.shifts")


for _rule, _endpoint, _capability, _ask, _do in (
    ("gate", "shift_gate", "shift.edit", _ask_gate, _mover(ShiftAction.OPEN_GATE)),
    ("open", "shift_open", "shift.edit", _ask_open, _mover(ShiftAction.OPEN)),
    ("close", "shift_close", "shift.edit", _ask_close, _mover(ShiftAction.CLOSE)),
    ("code", "shift_code", "shift.edit", _ask_code, _new_code),
    ("seats", "shift_seats", "candidate.check_in", _ask_seats, _give_seats),
    ("delete", "shift_delete", "shift.edit", _ask_delete, _delete),
):
    add_question(bp, f"/shifts/<uuid:shift_id>/{_rule}", _endpoint, _capability, _ask, _do)
