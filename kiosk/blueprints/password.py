"""Choosing one's own password: asked for after one that staff have set, open to all staff at any time."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import PasswordField

from kiosk.errors import BadInput, ServerBusy, WrongCredentials
from kiosk.services import passwords
from kiosk.sign_in_errors import LockedOut, TooManyTries
from kiosk.web.errors import retry_after
from kiosk.web.fields import CheckedForm
from kiosk.web.htmx import go_to
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, keep_epoch
from kiosk.web.sources import source_of
from kiosk.web.staff_sessions import asks_for_password, clicked

bp = Blueprint("password", __name__, url_prefix="/password")


class PasswordForm(CheckedForm):
    """The current password, and the new one twice."""

    current = PasswordField()
    new = PasswordField()
    repeated = PasswordField()


@bp.get("")
def change() -> str:
    """Show the form."""
    return _page(PasswordForm(formdata=None))


@bp.post("")
@asks_for_password
def save() -> ResponseReturnValue:
    """Change the password, or say beside which field why not."""
    form = PasswordForm()
    values = [field.data or "" for field in (form.current, form.new, form.repeated)]
    try:
        epoch = passwords.change_own(
            current_staff().id, *values, by=current_actor(), now=arrived_at(), source=source_of(request)
        )
    except WrongCredentials:
        form.current.errors = [_("This is not your password now.")]
        return _page(form), 422
    except BadInput as refusal:
        form.new.errors = [refusal.sentence]
        return _page(form), 422
    except (LockedOut, TooManyTries, ServerBusy) as refusal:
        form.current.errors = [refusal.sentence]
        return _page(form), refusal.status, {"Retry-After": retry_after(refusal)}
    clicked()
    keep_epoch(epoch)
    flash(_("Your password is changed. Every other sign-in of yours has ended."))
    return go_to("auth.home")


def _page(form: PasswordForm) -> str:
    return render_template("auth/password.html", form=form, is_forced=current_staff().must_change_password)
