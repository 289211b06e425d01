"""After half an hour without a click the next change asks for the password, and loses nothing that was typed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from kiosk.blueprints.auth import own_path
from kiosk.errors import KioskError
from kiosk.services import accounts
from kiosk.sign_in_errors import PasswordNeeded
from kiosk.web import staff_sessions
from kiosk.web.errors import retry_after
from kiosk.web.htmx import is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff
from kiosk.web.sources import source_of
from kiosk.web.staff_sessions import AGAIN, asks_for_password

bp = Blueprint("again", __name__)
NOT_SENT_AGAIN = ("csrf_token", AGAIN)


@bp.post("/password/again")
@asks_for_password
def again() -> ResponseReturnValue:
    """Take the password; what was refused before can be sent again then."""
    try:
        accounts.confirm_password(
            current_staff().id,
            request.form.get(AGAIN, ""),
            by=current_actor(),
            now=arrived_at(),
            source=source_of(request),
        )
    except KioskError as refusal:
        return _ask(refusal)
    staff_sessions.clicked()
    if is_htmx():
        return render_template("auth/_thanks.html")
    return redirect(own_path(request.form.get("next", "/")), 303)


@bp.app_errorhandler(PasswordNeeded)
def ask(refusal: KioskError) -> ResponseReturnValue:
    """Ask for the password: in a dialog over the page, or on a page that keeps the form that was sent."""
    return _ask(getattr(refusal, "why_not", None) or refusal)


def _ask(refusal: KioskError) -> ResponseReturnValue:
    headers = {"Retry-After": retry_after(refusal)} if refusal.status in (429, 503) else {}
    if is_htmx():
        headers |= {"HX-Retarget": "#password-again", "HX-Reswap": "innerHTML"}
    template = "auth/_again.html" if is_htmx() else "auth/again.html"
    page = render_template(template, refusal=refusal, **_sent())
    # an answer of 5xx would not be swapped
    return page, 401 if is_htmx() and refusal.status >= 500 else refusal.status, headers


def _sent() -> dict[str, Any]:
    """The form that was sent, to be sent again as it was; files can't be, so they go back to where they were chosen."""
    kept = [(name, value) for name, value in request.form.items(multi=True) if name not in NOT_SENT_AGAIN]
    if request.endpoint == "again.again" or not request.files:
        return {"address": request.full_path.rstrip("?"), "kept": kept, "has_files": False}
    came_from = urlsplit(request.referrer or "/").path
    return {"address": "/password/again", "kept": [("next", own_path(came_from))], "has_files": True}
