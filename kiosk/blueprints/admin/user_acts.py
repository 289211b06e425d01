"""What is done to one staff account, each after a question: close, open, new password, unlock, sign out, factor off."""

from __future__ import annotations

from uuid import UUID

from flask import flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.admin import bp
from kiosk.blueprints.admin.users import show_password
from kiosk.services import user_reports, users
from kiosk.services.user_reports import UserView
from kiosk.web.asking import Ask, add_question
from kiosk.web.htmx import go_to
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff


def _shown(user_id: UUID) -> UserView:
    return user_reports.user(user_id, organisation_id=current_staff().organisation_id, now=arrived_at())


def _ask(shown: UserView, title: str, go: str, *says: str, reason: bool = False, danger: bool = False) -> Ask:
    back = url_for("admin.user", user_id=shown.user_id)
    return Ask(title, go, back, "users", says=says, needs_reason=reason, is_danger=danger)


def _done(user_id: UUID, sentence: str) -> ResponseReturnValue:
    flash(sentence, "ok")
    return go_to("admin.user", user_id=user_id)


def ask_deactivate(user_id: UUID) -> Ask:
    """Ask whether to close an account."""
    shown = _shown(user_id)
    says = _(
        "Every sign-in of %(login)s ends at once, and none is possible. Nothing they did is lost.", login=shown.login
    )
    return _ask(shown, _("Deactivate %(name)s?", name=shown.name), _("Deactivate"), says, reason=True, danger=True)


def deactivate(user_id: UUID, reason: str) -> ResponseReturnValue:
    """Close an account."""
    users.deactivate(
        user_id,
        reason=reason,
        organisation_id=current_staff().organisation_id,
        by=current_actor(),
        now=arrived_at(),
    )
    return _done(user_id, _("The account is deactivated."))


def ask_reactivate(user_id: UUID) -> Ask:
    """Ask whether to open an account again."""
    shown = _shown(user_id)
    says = _("%(login)s can sign in again with the password they had.", login=shown.login)
    return _ask(shown, _("Reactivate %(name)s?", name=shown.name), _("Reactivate"), says)


def reactivate(user_id: UUID, _reason: str) -> ResponseReturnValue:
    """Open an account again."""
    users.reactivate(user_id, organisation_id=current_staff().organisation_id, by=current_actor(), now=arrived_at())
    return _done(user_id, _("The account is active again."))


def ask_password(user_id: UUID) -> Ask:
    """Ask whether to set a new password."""
    shown = _shown(user_id)
    says = _(
        "The old password stops to work and every sign-in of %(login)s ends. The new one is shown once.",
        login=shown.login,
    )
    return _ask(shown, _("Set a new password for %(name)s?", name=shown.name), _("Set a new password"), says)


def set_password(user_id: UUID, _reason: str) -> ResponseReturnValue:
    """Set a new password and show it."""
    password = users.set_password(
        user_id, organisation_id=current_staff().organisation_id, by=current_actor(), now=arrived_at()
    )
    return show_password(_shown(user_id), password)


def ask_unlock(user_id: UUID) -> Ask:
    """Ask whether to let somebody try again."""
    shown = _shown(user_id)
    says = _("After wrong passwords an account waits. Unlocked, %(login)s can try again at once.", login=shown.login)
    return _ask(shown, _("Unlock %(name)s?", name=shown.name), _("Unlock"), says)


def unlock(user_id: UUID, _reason: str) -> ResponseReturnValue:
    """Let somebody try again."""
    was_locked = users.unlock(
        user_id, organisation_id=current_staff().organisation_id, by=current_actor(), now=arrived_at()
    )
    return _done(user_id, _("The account is unlocked.") if was_locked else _("The account was not locked."))


def ask_sign_out(user_id: UUID) -> Ask:
    """Ask whether to end every sign-in."""
    shown = _shown(user_id)
    says = _("On every computer, %(login)s has to sign in again.", login=shown.login)
    return _ask(shown, _("Sign %(name)s out everywhere?", name=shown.name), _("Sign out everywhere"), says)


def sign_out(user_id: UUID, _reason: str) -> ResponseReturnValue:
    """End every sign-in."""
    users.sign_out(user_id, organisation_id=current_staff().organisation_id, by=current_actor(), now=arrived_at())
    return _done(user_id, _("Every sign-in of this account has ended."))


def ask_factor_off(user_id: UUID) -> Ask:
    """Ask whether to switch a lost second factor off."""
    shown = _shown(user_id)
    says = (
        _("Make sure that it is really %(name)s who lost the phone.", name=shown.name),
        _("Until they set up a new one, the password alone opens the account."),
        _("Where the role must have a second factor, the next sign-in asks to set one up first."),
    )
    return _ask(
        shown, _("Switch the second factor of %(name)s off?", name=shown.name), _("Switch it off"), *says, danger=True
    )


def factor_off(user_id: UUID, _reason: str) -> ResponseReturnValue:
    """Switch a lost second factor off."""
    was_on = users.switch_factor_off(
        user_id, organisation_id=current_staff().organisation_id, by=current_actor(), now=arrived_at()
    )
    return _done(user_id, _("The second factor is off.") if was_on else _("There was no second factor."))


for _name, _question, _deed in (
    ("deactivate", ask_deactivate, deactivate),
    ("reactivate", ask_reactivate, reactivate),
    ("password", ask_password, set_password),
    ("unlock", ask_unlock, unlock),
    ("sign-out", ask_sign_out, sign_out),
    ("factor-off", ask_factor_off, factor_off),
):
    _endpoint = f"user_{_name.replace('-', '_')}"
    add_question(bp, f"/users/<uuid:user_id>/{_name}", _endpoint, "user.edit", _question, _deed)
