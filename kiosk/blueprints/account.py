"""One's own account, for staff: since when one is signed in, ending other sign-ins, and the second factor."""

from __future__ import annotations

import segno
from flask import Blueprint, flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.errors import BadInput, KioskError, PasswordChangeNeeded, TransitionRefused
from kiosk.models import User
from kiosk.services import accounts, mails, second_factor, sign_ins
from kiosk.services.system import settings
from kiosk.sign_in_errors import SecondFactorDemanded, WrongCode
from kiosk.web import staff_sessions
from kiosk.web.errors import retry_after
from kiosk.web.htmx import go_to
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, keep_epoch
from kiosk.web.sources import source_of
from kiosk.web.staff_sessions import asks_for_password

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.before_request
def only_staff() -> None:
    """Close these pages to candidates, and to whoever has to choose a password first."""
    if current_staff().must_change_password:
        raise PasswordChangeNeeded


@bp.get("")
def page() -> str:
    """Show the account."""
    return _page()


@bp.post("/other-sign-ins")
def end_others() -> ResponseReturnValue:
    """End every sign-in but this one."""
    keep_epoch(sign_ins.end_all(User, current_staff().id, by=current_actor(), now=arrived_at()))
    flash(_("Every other sign-in of yours has ended."), "ok")
    return go_to("account.page")


@bp.post("/second-factor/begin")
def begin() -> ResponseReturnValue:
    """Make a secret, to be shown on the page until its first code is right."""
    try:
        second_factor.begin(current_staff().id, by=current_actor(), now=arrived_at())
    except TransitionRefused:
        flash(_("Your second factor is on already."))
    return go_to("account.page")


@bp.post("/second-factor/confirm")
def confirm() -> ResponseReturnValue:
    """Switch the second factor on with the first code."""
    code = request.form.get("code", "")[: accounts.LONGEST_CODE]
    try:
        epoch = second_factor.confirm(current_staff().id, code, by=current_actor(), now=arrived_at())
    except WrongCode:
        return _page(problem=_("This code is not right. Is the phone's clock right?")), 422
    except TransitionRefused:
        return go_to("account.page")
    keep_epoch(epoch)
    flash(_("Your second factor is on. Every other sign-in of yours has ended."), "ok")
    return go_to("auth.home" if request.form.get("forced") else "account.page")


@bp.post("/second-factor/off")
@asks_for_password
def switch_off() -> ResponseReturnValue:
    """Switch the second factor off, with the password."""
    by, now = current_actor(), arrived_at()
    try:
        accounts.confirm_password(
            current_staff().id, request.form.get("password", ""), by=by, now=now, source=source_of(request)
        )
        staff_sessions.clicked()
        second_factor.switch_off(current_staff().id, by=by, now=now)
    except SecondFactorDemanded as refusal:
        return _page(problem=refusal.sentence), refusal.status
    except KioskError as refusal:
        wrong = _("This is not your password.") if refusal.code == "wrong_credentials" else refusal.sentence
        status = 422 if refusal.code == "wrong_credentials" else refusal.status
        return _page(problem=wrong), status, {"Retry-After": retry_after(refusal)} if status in (429, 503) else {}
    flash(_("Your second factor is off."))
    return go_to("account.page")


@bp.post("/mail")
def wish_for_mail() -> ResponseReturnValue:
    """Note which news this person wants by mail, and where."""
    address, kinds = request.form.get("email", ""), request.form.getlist("news")
    try:
        mails.set_wishes(current_staff().id, address, kinds, by=current_actor(), now=arrived_at())
    except BadInput as refusal:
        return _page(mail_problem=refusal.sentence, email=address, news=kinds), refusal.status
    flash(_("Your wishes for mail are noted."), "ok")
    return go_to("account.page")


def _page(
    *, problem: str | None = None, mail_problem: str = "", email: str | None = None, news: list[str] | None = None
) -> str:
    staff = current_staff()
    secret = second_factor.secret_to_show(staff)
    address = second_factor.address_for_app(staff, secret) if secret else ""
    return render_template(
        "auth/account.html",
        since=staff_sessions.signed_in_since(),
        zone=settings().time_zone,
        is_on=staff.totp_on_at is not None,
        is_demanded=second_factor.is_demanded(staff.organisation_id, staff.role),
        is_forced=staff_sessions.must_set_up_totp(),
        secret=secret,
        qr=segno.make(address).svg_data_uri(scale=5, border=3, light="white") if secret else None,
        problem=problem,
        mail_problem=mail_problem,
        email=(staff.email or "") if email is None else email,
        news=(staff.mail_wishes or []) if news is None else news,
        has_mail_server=bool(settings().mail_url),
    )
