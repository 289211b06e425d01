"""One candidate who writes: moved to another seat, or allowed to go on at another computer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.check_in import own_person
from kiosk.blueprints.centre.day import code_of
from kiosk.blueprints.centre.ways_back import board_query, go_to_board_or
from kiosk.errors import KioskError, NotFound, ReasonMissing, ReasonTooLong
from kiosk.services import leases, moving, seats
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, needs


@bp.get("/candidates/<uuid:candidate_id>/move")
@needs("seat.move")
def move_form(candidate_id: UUID) -> ResponseReturnValue:
    """Ask for the seat, and say what a move does."""
    return _page(candidate_id, {})


@bp.post("/candidates/<uuid:candidate_id>/move")
@needs("seat.move")
def move(candidate_id: UUID) -> ResponseReturnValue:
    """Move the candidate."""
    person, centre = own_person(candidate_id)
    try:
        moving.move(
            candidate_id,
            request.form.get("seat", ""),
            reason=request.form.get("reason", ""),
            by=current_actor(),
            now=arrived_at(),
        )
    except (ReasonMissing, ReasonTooLong) as error:
        return _page(candidate_id, {"reason": error.sentence}), error.status
    except KioskError as error:
        return _page(candidate_id, {"seat": error.sentence}), error.status
    flash(
        _(
            "%(name)s moves to seat %(seat)s. The clock stands still until they sign in there. "
            "The time that was lost stands in the incident and can be given back from it.",
            name=person.name,
            seat=request.form["seat"].strip(),
        ),
        "ok",
    )
    return go_to_board_or(
        "centre.candidate",
        centre=centre,
        candidate_id=candidate_id,
        values={"candidate_id": candidate_id, **code_of(centre)},
    )


@bp.post("/candidates/<uuid:candidate_id>/approve")
@needs("attempt.approve_takeover")
def approve_candidate(candidate_id: UUID) -> ResponseReturnValue:
    """Agree that the candidate goes on at another computer, once, within ten minutes."""
    person, centre = own_person(candidate_id)
    waiting = leases.waiting(candidate_id, now=arrived_at())
    if waiting is None:
        raise NotFound
    try:
        leases.approve(waiting.attempt_id, by=current_actor(), now=arrived_at())
    except KioskError as error:
        flash(error.sentence, "warn")
    else:
        flash(_("%(name)s may go on at another place for ten minutes.", name=person.name), "ok")
    return go_to("centre.candidate", candidate_id=candidate_id, **code_of(centre))


def _page(candidate_id: UUID, problems: dict[str, str]) -> Any:
    person, centre = own_person(candidate_id)
    return render_template(
        "centre/_move.html" if is_htmx() else "centre/move.html",
        person=person,
        centre=centre,
        code=code_of(centre),
        back=board_query(centre),
        sitting=moving.sitting(candidate_id, now=arrived_at()),
        free=seats.free_seats(person.shift_id, centre.centre_id) if person.shift_id else [],
        problems=problems,
        typed=request.form,
    )
