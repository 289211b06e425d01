"""Signing in and out, and how a person wants the screen. Open to everybody."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField

from kiosk.errors import KioskError, SignedOut
from kiosk.services import accounts, admission
from kiosk.services.accounts import SignedIn
from kiosk.services.admission import PATIENCE_SECONDS
from kiosk.services.system import settings
from kiosk.sign_in_errors import CodeNeeded, SignInBusy
from kiosk.web import enrolment, moved, staff_sessions
from kiosk.web import preferences as wishes
from kiosk.web.errors import retry_after
from kiosk.web.fields import CheckedForm
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import open_to_all, sign_out_session, user_may
from kiosk.web.sources import source_of

bp = Blueprint("auth", __name__)
bp.before_app_request(staff_sessions.guard)

HALF = "half_signed_in"  # the password was right, the code is missing; nothing is open
HALF_LASTS_SECONDS = 300


class SignInForm(CheckedForm):
    """Who and with what password; the service judges both."""

    username = StringField()
    password = PasswordField()


class CodeForm(CheckedForm):
    """The code of the authenticator app."""

    code = StringField()


@bp.get("/")
def home() -> ResponseReturnValue:
    """Send people to where they work."""
    return redirect(_landing(), 303)


@bp.get("/login")
@open_to_all
def login() -> ResponseReturnValue:
    """Show the sign-in page, or its second step; whoever is signed in goes on to their own."""
    if current_user.is_authenticated:
        return redirect(_landing(), 303)
    if _half() is not None:
        return render_template("auth/code.html", form=CodeForm(formdata=None), refusal=None)
    seat = moved.seat_to_show()
    if seat:
        place = enrolment.current_place()
        return render_template("auth/moved.html", seat=seat, place=place, seconds=moved.LASTS_SECONDS)
    return _page(SignInForm(formdata=None), None)


@bp.post("/login")
@open_to_all
def sign_in() -> ResponseReturnValue:
    """Sign in, or say in one plain sentence why not. At the start bell a page with scripts tries again by itself."""
    half = _half()
    if half is not None and "code" in request.form:
        return _second_step(UUID(half["id"]), half["epoch"])
    form = SignInForm()
    try:
        signed_in = accounts.sign_in(
            form.username.data or "",
            form.password.data or "",
            now=arrived_at(),
            address=request.remote_addr,
            source=source_of(request),
            wait_seconds=0 if is_htmx() else PATIENCE_SECONDS,
        )
    except CodeNeeded as step:
        sign_out_session()
        session[HALF] = {"id": str(step.user_id), "epoch": step.epoch, "at": int(arrived_at().timestamp())}
        return go_to("auth.login")
    except KioskError as refusal:
        return _refused(form, refusal)
    return _welcome(signed_in)


@bp.post("/logout")
@open_to_all
def logout() -> ResponseReturnValue:
    """Sign out and leave nothing of the person in the browser."""
    return farewell(redirect(url_for("auth.login"), 303))


@bp.post("/preferences")
@open_to_all
def preferences() -> ResponseReturnValue:
    """Keep language, text size or display, and go back to the page."""
    if request.headers.get("HX-Request"):
        return wishes.keep(Response(status=204), request.form)
    return wishes.keep(redirect(own_path(request.form.get("next", "")), 303), request.form)


def farewell(response: Response) -> Response:
    """End the sign-in with `response`: the next person at this kiosk finds nothing of the last one."""
    sign_out_session()
    response.headers["Clear-Site-Data"] = '"storage"'
    return wishes.forget(response)


def own_path(wanted: str) -> str:
    """A path on this server, or the front page: nobody is sent elsewhere by a crafted form."""
    parts = urlsplit(wanted)
    is_own = wanted.startswith("/") and not wanted.startswith("//") and not (parts.scheme or parts.netloc)
    return wanted if is_own and "\\" not in wanted and wanted.isprintable() else url_for("auth.login")


def _welcome(signed_in: SignedIn) -> ResponseReturnValue:
    staff_sessions.begin(signed_in)
    wishes.keep_person(language=signed_in.language)
    return ("", 200, {"HX-Redirect": _landing()}) if is_htmx() else redirect(_landing(), 303)


def _second_step(user_id: UUID, epoch: int) -> ResponseReturnValue:
    form = CodeForm()
    try:
        signed_in = accounts.finish(
            user_id,
            epoch,
            form.code.data or "",
            now=arrived_at(),
            address=request.remote_addr,
            source=source_of(request),
        )
    except SignedOut:
        sign_out_session()
        return redirect(url_for("auth.login"), 303)
    except KioskError as refusal:
        page = render_template("auth/code.html", form=CodeForm(formdata=None), refusal=refusal)
        return page, refusal.status, _headers(refusal)
    return _welcome(signed_in)


def _half() -> dict[str, Any] | None:
    """What the first step left in the session, while it is fresh."""
    half = session.get(HALF)
    fresh = half is not None and arrived_at().timestamp() - half["at"] <= HALF_LASTS_SECONDS
    return half if fresh else None


def _refused(form: SignInForm, refusal: KioskError) -> ResponseReturnValue:
    if isinstance(refusal, SignInBusy) and is_htmx():
        busy_ms = round(admission.hashing.come_back_seconds() * 1000)
        return render_template("auth/_answer.html", form=form, refusal=None, busy_ms=busy_ms, is_swap=True), 202
    if is_htmx():
        answer = render_template("auth/_answer.html", form=form, refusal=refusal, busy_ms=None, is_swap=True)
        return answer, refusal.status, _headers(refusal)
    return _page(form, refusal), refusal.status, _headers(refusal)


def _page(form: SignInForm, refusal: KioskError | None) -> str:
    place = enrolment.current_place()
    zone = place.time_zone if place else settings().time_zone
    return render_template("auth/login.html", form=form, refusal=refusal, now=arrived_at(), place=place, zone=zone)


def _headers(refusal: KioskError) -> dict[str, str]:
    return {"Retry-After": retry_after(refusal)} if refusal.status in (429, 503) else {}


def _landing() -> str:
    if current_user.kind == "candidate":
        return url_for("candidate.home")
    if user_may("set.see"):
        return url_for("admin.active_sets")
    return url_for("centre.candidates" if user_may("slot.see") else "admin.results")
