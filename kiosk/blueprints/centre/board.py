"""The room board: seats, tiles and calls that keep themselves up to date, and one seat's panel beside them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.forms import reason_problem
from kiosk.blueprints.centre.scope import centre_and_all, current_centre, is_bound
from kiosk.errors import AttemptNotRunning, KioskError, NotFound
from kiosk.services import boards, grants, leases, not_begun
from kiosk.services.boards import Board, Seat
from kiosk.services.centres import CentreView
from kiosk.shift_states import shift_action_from
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.once import once
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, needs, user_may
from kiosk.web.staff_pages import uuid_or_none

VIEWS = ("map", "list")
MOST_MINUTES = 240


@bp.get("/board")
@needs("centre.see")
def board() -> ResponseReturnValue:
    """Show the room of a shift; a poll gets what may have changed of it."""
    centre, centres = centre_and_all()
    asked = uuid_or_none(request.args.get("shift", ""))
    found = boards.board(centre.centre_id, asked, now=arrived_at())
    query = _query(centre)
    chosen = _chosen(centre, found, uuid_or_none(request.args.get("seat", "")))
    room = None if is_htmx() else found.shift
    return render_template(
        "centre/_board.html" if is_htmx() else "centre/board.html",
        room=room,
        next=shift_action_from(room.status) if room else None,
        centre=centre,
        centres=centres,
        board=found,
        query=query,
        view=query.get("view", "map"),
        show=query.get("show", ""),
        chosen=chosen,
        why=_why(chosen),
        now=arrived_at(),
        report=None if is_htmx() else session.pop("slot_report", None),
    )


@bp.get("/board/seats/<uuid:candidate_id>")
@needs("centre.see")
def board_seat(candidate_id: UUID) -> ResponseReturnValue:
    """Show one seat's panel; without scripts the board with the panel open."""
    centre = current_centre()
    seat = _seat(centre, candidate_id)
    if not is_htmx():
        return go_to("centre.board", **_query(centre), seat=candidate_id)
    return _panel(centre, seat)


@bp.post("/board/seats/<uuid:candidate_id>/approve")
@needs("attempt.approve_takeover")
def approve_takeover(candidate_id: UUID) -> ResponseReturnValue:
    """Agree that the candidate goes on at another place."""
    centre = current_centre()
    seat = _seat(centre, candidate_id)
    if seat.attempt_id is None:
        raise NotFound
    try:
        leases.approve(seat.attempt_id, by=current_actor(), now=arrived_at())
    except AttemptNotRunning as refusal:
        return _panel(centre, _seat(centre, candidate_id), problem=refusal.sentence), refusal.status
    return _done(centre, candidate_id, _("%(name)s may go on at another place for ten minutes.", name=seat.name))


@bp.get("/board/seats/<uuid:candidate_id>/time")
@needs("time.grant_short")
def add_time_form(candidate_id: UUID) -> ResponseReturnValue:
    """Ask how much time to add, and why."""
    return _time_form(current_centre(), candidate_id)


@bp.post("/board/seats/<uuid:candidate_id>/time")
@needs("time.grant_short")
def add_time(candidate_id: UUID) -> ResponseReturnValue:
    """Add minutes to the candidate's test."""
    centre = current_centre()
    seat = _seat(centre, candidate_id)
    problems = time_problems()
    if seat.attempt_id is None:
        raise NotFound
    if problems:
        return _time_form(centre, candidate_id, problems), 422
    minutes = int(request.form["minutes"])
    attempt_id = seat.attempt_id

    def add() -> None:
        grants.extend(
            attempt_id,
            minutes * 60,
            reason=request.form["reason"],
            is_short=not user_may("time.grant"),
            by=current_actor(),
            now=arrived_at(),
        )

    try:
        once(add)
    except KioskError as refusal:
        return _time_form(centre, candidate_id, {"minutes": refusal.sentence}), refusal.status
    return _done(centre, candidate_id, _("%(name)s got %(minutes)s minutes more.", name=seat.name, minutes=minutes))


def _query(centre: CentreView) -> dict[str, Any]:
    """What the address says of the board, without what is the default anyway."""
    asked = {
        "centre": "" if is_bound() else centre.code,
        "shift": str(uuid_or_none(request.values.get("shift", "")) or ""),
        "show": request.values.get("show", "")[:20],
        "view": "list" if request.values.get("view") == "list" else "",
    }
    return {name: value for name, value in asked.items() if value}


def _chosen(centre: CentreView, board: Board, candidate_id: UUID | None) -> Seat | None:
    """The seat whose panel is open: one of the room's, or of another shift."""
    seat = next((seat for seat in board.seats if seat.candidate_id == candidate_id), None)
    return seat or _seat_or_none(centre, candidate_id)


def _seat_or_none(centre: CentreView, candidate_id: UUID | None) -> Seat | None:
    return boards.seat(centre.centre_id, candidate_id, now=arrived_at()) if candidate_id else None


def _seat(centre: CentreView, candidate_id: UUID) -> Seat:
    """The seat. Raises NotFound for candidates of another centre."""
    found = _seat_or_none(centre, candidate_id)
    if found is None:
        raise NotFound
    return found


def _panel(centre: CentreView, seat: Seat, problem: str | None = None) -> str:
    return render_template(
        "centre/_seat.html",
        centre=centre,
        seat=seat,
        why=_why(seat),
        query=_query(centre),
        now=arrived_at(),
        problem=problem,
    )


def _why(seat: Seat | None) -> str:
    """What stands in the way of the start of whoever has not begun."""
    has_not_begun = seat is not None and seat.state in ("ready", "absent")
    return not_begun.why(seat.candidate_id, now=arrived_at()) if seat and has_not_begun else ""


def _time_form(centre: CentreView, candidate_id: UUID, problems: dict[str, str] | None = None) -> str:
    return render_template(
        "centre/_add_time.html" if is_htmx() else "centre/add_time.html",
        centre=centre,
        seat=_seat(centre, candidate_id),
        query=_query(centre),
        problems=problems or {},
        typed=request.form,
    )


def time_problems() -> dict[str, str]:
    """Return what is wrong with a form's minutes and reason, by field."""
    found = {}
    minutes = request.form.get("minutes", "").strip()
    if not (minutes.isascii() and minutes.isdigit() and len(minutes) < 6 and 0 < int(minutes) <= MOST_MINUTES):
        found["minutes"] = _("Give whole minutes, from 1 to %(most)s.", most=MOST_MINUTES)
    wrong_reason = reason_problem(request.form.get("reason", ""))
    if wrong_reason:
        found["reason"] = wrong_reason
    return found


def _done(centre: CentreView, candidate_id: UUID, words: str) -> ResponseReturnValue:
    """Say what was done, on the board with the seat open."""
    flash(words, "ok")
    return go_to("centre.board", **_query(centre), seat=candidate_id)
