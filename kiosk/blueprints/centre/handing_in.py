"""A test is handed in for a candidate who can't any more: whoever has left the hall, or whose kiosk is gone."""

from __future__ import annotations

from uuid import UUID

from flask import flash
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.check_in import own_person
from kiosk.blueprints.centre.day import code_of
from kiosk.blueprints.centre.ways_back import board_query, go_to_board_or, way_back
from kiosk.errors import KioskError, NotFound
from kiosk.office_errors import NotNow
from kiosk.services import attempts, boards
from kiosk.services.boards import Seat
from kiosk.services.centres import CentreView
from kiosk.web.asking import Ask, Counted, add_question
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor

WORD = "HAND IN"


def _seat(candidate_id: UUID) -> tuple[Seat, CentreView]:
    _person, centre = own_person(candidate_id)
    seat = boards.seat(centre.centre_id, candidate_id, now=arrived_at())
    if seat is None:
        raise NotFound
    return seat, centre


def _ask(candidate_id: UUID) -> Ask:
    seat, centre = _seat(candidate_id)
    values = {"candidate_id": candidate_id, **code_of(centre)}
    return Ask(
        title=_("Hand in the test of %(name)s for them?", name=seat.name),
        go=_("Hand in"),
        back=way_back("centre.candidate", centre, candidate_id, values),
        nav="board",
        says=(
            _("What was saved is handed in and marked. Nobody can write in it any more."),
            _("If they only changed the computer, move them instead: nothing is lost then."),
        ),
        numbers=(
            (seat.answered, _("of %(total)s answered", total=seat.total)),
            (seat.remaining_ms // 60_000, _("minutes left, which are given up")),
        ),
        stands=_in_the_way(seat),
        word=WORD,
        is_danger=True,
        carries=tuple(board_query(centre).items()),
    )


def _in_the_way(seat: Seat) -> Counted:
    if seat.state in ("writing", "offline"):
        return ()
    if seat.state == "paused":
        return ((1, _("test that is paused: resume it first")),)
    return ((0, _("tests that are being written")),)


def _hand_in(candidate_id: UUID, reason: str) -> ResponseReturnValue:
    seat, centre = _seat(candidate_id)
    if seat.attempt_id is None:
        raise NotFound
    try:
        attempts.hand_in_for(seat.attempt_id, reason=reason, by=current_actor(), now=arrived_at())
    except KioskError as error:
        raise NotNow(problem=error.sentence) from error
    flash(_("The test of %(name)s is handed in.", name=seat.name), "ok")
    values = {"candidate_id": candidate_id, **code_of(centre)}
    return go_to_board_or("centre.candidate", centre=centre, candidate_id=candidate_id, values=values)


add_question(bp, "/candidates/<uuid:candidate_id>/hand-in", "hand_in", "session.clear", _ask, _hand_in)
