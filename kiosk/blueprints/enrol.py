"""Enrolling a kiosk: somebody of the staff enters a one-time code on the machine itself. Open without a login."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kiosk.errors import KioskError
from kiosk.services import kiosks
from kiosk.services.tries import address_source
from kiosk.web import enrolment
from kiosk.web.errors import retry_after
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import open_to_all

LONGEST_CODE = 40
bp = Blueprint("enrol", __name__, url_prefix="/kiosk/enrol")


@bp.get("")
@open_to_all
def page() -> str:
    """Ask for the code, and say which kiosk this machine is now."""
    return _page(None)


@bp.post("")
@open_to_all
def enrol() -> ResponseReturnValue:
    """Make this machine the kiosk for which the code was made."""
    try:
        done = kiosks.enrol(
            request.form.get("code", "")[:LONGEST_CODE],
            # by address, whatever kiosk this machine was before: a cookie must not buy further tries
            source=address_source(request.remote_addr or ""),
            address=request.remote_addr,
            now=arrived_at(),
        )
    except KioskError as refusal:
        headers = {"Retry-After": retry_after(refusal)} if refusal.status == 429 else {}
        return _page(refusal), refusal.status, headers
    return enrolment.keep(make_response(redirect(url_for("auth.login"), 303)), done)


@bp.get("/here")
@open_to_all
def here() -> ResponseReturnValue:
    """Answer a waiting kiosk, which says by asking that it is on."""
    enrolment.current_kiosk_id()
    return "", 204


def _page(refusal: KioskError | None) -> str:
    return render_template("auth/enrol.html", place=enrolment.current_place(), refusal=refusal)
