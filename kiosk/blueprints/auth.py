"""Signing in and out, and how a person wants the screen. Open to everybody."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField

from kiosk.errors import KioskError
from kiosk.services import accounts
from kiosk.services.system import settings
from kiosk.web import preferences as wishes
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import open_to_all, sign_in_session, sign_out_session, user_may

bp = Blueprint("auth", __name__)


class SignInForm(FlaskForm):
    """Who and with what password; the service judges both."""

    username = StringField()
    password = PasswordField()


@bp.get("/")
def home() -> ResponseReturnValue:
    """Send people to where they work."""
    return redirect(_landing(), 303)


@bp.get("/login")
@open_to_all
def login() -> ResponseReturnValue:
    """Show the sign-in page; whoever is signed in goes on to their own."""
    if current_user.is_authenticated:
        return redirect(_landing(), 303)
    return render_template(
        "auth/login.html", form=SignInForm(), refusal=None, now=arrived_at(), facts=None, zone=settings().time_zone
    )


@bp.post("/login")
@open_to_all
def sign_in() -> ResponseReturnValue:
    """Sign in, or say in one plain sentence why not."""
    form = SignInForm()
    try:
        signed_in = accounts.sign_in(
            form.username.data or "", form.password.data or "", now=arrived_at(), address=request.remote_addr
        )
    except KioskError as refusal:
        page = render_template(
            "auth/login.html", form=form, refusal=refusal, now=arrived_at(), facts=None, zone=settings().time_zone
        )
        return page, refusal.status
    sign_in_session(signed_in)
    wishes.keep_person(language=signed_in.language)
    return redirect(_landing(), 303)


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
    return wishes.keep(redirect(_own_path(request.form.get("next", "")), 303), request.form)


def farewell(response: Response) -> Response:
    """End the sign-in with `response`: the next person at this kiosk finds nothing of the last one."""
    sign_out_session()
    response.headers["Clear-Site-Data"] = '"storage"'
    return wishes.forget(response)


def _landing() -> str:
    if current_user.kind == "candidate":
        return url_for("candidate.home")
    if user_may("set.see"):
        return url_for("admin.active_sets")
    return url_for("centre.candidates" if user_may("slot.see") else "admin.results")


def _own_path(wanted: str) -> str:
    """A path on this server, or the front page: nobody is sent elsewhere by a crafted form."""
    parts = urlsplit(wanted)
    is_own = wanted.startswith("/") and not wanted.startswith("//") and not (parts.scheme or parts.netloc)
    return wanted if is_own and "\\" not in wanted and wanted.isprintable() else url_for("auth.login")
