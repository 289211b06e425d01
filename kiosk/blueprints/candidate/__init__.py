"""The candidate's screens: sign-in to receipt. Who may come in, and what becomes of an exam that was stopped."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_login import current_user

from kiosk.errors import (
    AttemptNotRunning,
    KioskError,
    NotAllowed,
    NotFound,
    OpenedElsewhere,
    SignedOut,
    TimeOver,
)
from kiosk.services import moving
from kiosk.web import moved
from kiosk.web.htmx import go_to
from kiosk.web.signin import current_candidate_id, current_page, sign_out_session

bp = Blueprint("candidate", __name__, url_prefix="/candidate")


@bp.before_request
def only_candidates() -> None:
    """Close these screens to staff; the guard before this one has closed them to strangers."""
    current_candidate_id()


def look_at_what_happened(error: KioskError) -> ResponseReturnValue:
    """The exam no longer takes anything from this page: home says why, and that the answers are safe."""
    # the number of the page goes along: a tab that another one has overtaken must not take itself for that one
    return go_to("candidate.home", status=error.status, page=current_page())


def sign_in_again(error: KioskError) -> ResponseReturnValue:
    """Staff have ended this sign-in; whoever was moved is told where to go."""
    seat = moving.moved_to(current_user.id, current_user.epoch) if current_user.is_authenticated else None
    sign_out_session()
    if seat:
        moved.remember(seat)
    return go_to("auth.login", status=error.status)


bp.register_error_handler(SignedOut, sign_in_again)
for _stopped in (AttemptNotRunning, NotAllowed, NotFound, OpenedElsewhere, TimeOver):
    bp.register_error_handler(_stopped, look_at_what_happened)

from kiosk.blueprints.candidate import fragments, photo, views  # noqa: E402, F401  they hang their routes into `bp`
