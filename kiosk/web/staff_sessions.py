"""Staff sign-ins: 12 hours, a password again after half an hour without a click, a second factor where demanded.

Candidates have none of this: nothing may stand between them and their exam.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import current_app, request, session
from flask_login import current_user

from kiosk.errors import KioskError, SignedOut
from kiosk.services import accounts
from kiosk.services.accounts import SignedIn
from kiosk.sign_in_errors import PasswordNeeded, SecondFactorNeeded
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, sign_in_session, sign_out_session
from kiosk.web.sources import source_of

LASTS = timedelta(hours=12)
IDLE = timedelta(minutes=30)
CLICKS_SECONDS = 60  # how exactly a click is remembered: not every request has to write the cookie
READS = ("GET", "HEAD", "OPTIONS")
OPEN_BEFORE_SET_UP = ("account.", "password.")
AGAIN = "password_again"


def asks_for_password(view: Any) -> Any:
    """Mark a view that asks for the password itself, or may be used after any time: signing out."""
    view.asks_for_password = True
    return view


def begin(signed_in: SignedIn) -> None:
    """Begin a new session for whoever signed in; a staff member's has an end."""
    sign_in_session(signed_in)
    if signed_in.kind == "user":
        now = int(arrived_at().timestamp())
        session["staff"] = {"since": now, "clicked": now, "must_set_up": signed_in.must_set_up_totp}


def signed_in_since() -> datetime:
    """Return when this staff member signed in."""
    return datetime.fromtimestamp(_kept()["since"], UTC)


def clicked() -> None:
    """Remember that this person is here now: they clicked, or gave their password."""
    session["staff"] = _kept() | {"clicked": int(arrived_at().timestamp())}


def must_set_up_totp() -> bool:
    """Whether nothing else is open to this sign-in before a second factor is on."""
    return bool(_kept().get("must_set_up")) and current_staff().totp_on_at is None


def guard() -> None:
    """Run before each request of the staff. Raises SignedOut, SecondFactorNeeded, PasswordNeeded and its refusals."""
    if request.blueprint in (None, "api", "candidate"):
        return
    if not current_user.is_authenticated or current_user.kind != "user":
        return
    view, kept, now = current_app.view_functions[str(request.endpoint)], _kept(), arrived_at().timestamp()
    is_open = getattr(view, "is_open_to_all", False)
    if now >= kept.get("since", 0) + LASTS.total_seconds():
        sign_out_session()
        if not is_open:
            raise SignedOut
    elif not is_open:
        if not str(request.endpoint).startswith(OPEN_BEFORE_SET_UP) and must_set_up_totp():
            raise SecondFactorNeeded
        if now - kept["clicked"] <= IDLE.total_seconds():
            _note_click(now - kept["clicked"])
        elif request.method not in READS and not getattr(view, "asks_for_password", False):
            _demand_password()


def _note_click(seconds_ago: float) -> None:
    """What a board asks for by itself is no click, so nothing that HTMX only reads is one."""
    is_click = request.method not in READS or "HX-Request" not in request.headers
    if is_click and seconds_ago >= CLICKS_SECONDS:
        clicked()


def _demand_password() -> None:
    """Let the request pass if it brings the password: the page that asks for it sends the old form along."""
    if AGAIN not in request.form:
        raise PasswordNeeded
    try:
        accounts.confirm_password(
            current_user.id, request.form[AGAIN], by=current_actor(), now=arrived_at(), source=source_of(request)
        )
    except KioskError as refusal:
        raise PasswordNeeded(refusal) from refusal
    clicked()


def _kept() -> dict[str, Any]:
    return session.get("staff") or {}
