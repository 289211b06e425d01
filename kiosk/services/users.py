"""Staff accounts: making them, changing who they are and what they may, and closing them. Only admins come here.

Nobody raises or lowers themselves, and an organisation never loses its last admin: both would need somebody outside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from kiosk.capabilities import ORGANISATION_WIDE, Role
from kiosk.errors import NotFound
from kiosk.extensions import db, retried, transaction
from kiosk.models import Candidate, Centre, User
from kiosk.office_errors import LastAdmin, NotNow, OwnAccount, OwnRole, WrongField
from kiosk.services import accounts, audit, deeds, records, second_factor, user_deeds
from kiosk.services.audit import Actor, Change

LONGEST_LOGIN = 40
_LOGIN = re.compile(r"[^\s/\x00-\x1f]{1,40}")
_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\".]+(\.[^@\s,;<>\".]+)+")


@dataclass(frozen=True)
class UserValues:
    """What an admin says of an account. Roles of the whole organisation have no centre."""

    name: str
    role: str
    centre_id: UUID | None = None
    email: str = ""


@retried
def create(organisation_id: UUID, login: str, values: UserValues, *, by: Actor, now: datetime) -> tuple[UUID, str]:
    """Add a staff member; return the id and the one-time password. Raises WrongField."""
    password = accounts.new_password()
    with transaction():
        folded = _free_login(organisation_id, login)
        checked = _checked(organisation_id, values)
        user = accounts.create_user(
            organisation_id=organisation_id,
            login=folded,
            name=checked.name,
            role=Role(checked.role),
            centre_id=checked.centre_id,
            password_hash=accounts.hash_generated(password),
            must_change_password=True,
            by=by,
            now=now,
        )
        user.email = checked.email or None
        return user.id, password


@retried
def edit(user_id: UUID, values: UserValues, *, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Change name, role, centre and e-mail of an account.

    Raises NotFound, WrongField, OwnRole (one's own role or centre), LastAdmin.
    """
    with transaction():
        admins = user_deeds.locked_admins(organisation_id)
        user = records.locked(User, user_id, organisation_id)
        checked = _checked(organisation_id, values)
        if user_id == by.id and (checked.role, checked.centre_id) != (user.role, user.centre_id):
            raise OwnRole
        if admins == [user_id] and checked.role != Role.ADMIN:
            raise LastAdmin
        before = _shown(user)
        user.name, user.role, user.centre_id = checked.name, checked.role, checked.centre_id
        user.email = checked.email or None
        after = _shown(user)
        if after != before:
            details = {"before": before, "after": after}
            audit.record([Change("user", user_id, "edit_user", details=details)], by=by, now=now)


def deactivate(user_id: UUID, *, reason: str, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Close an account and end its sign-ins. Raises NotFound, OwnAccount, LastAdmin, ReasonMissing."""
    refusals = {"last_admin": LastAdmin, "own_account": OwnAccount}
    deeds.do_one(
        user_deeds.DEACTIVATE,
        user_id,
        organisation_id=organisation_id,
        by=by,
        now=now,
        reason=reason,
        refusals=refusals,
    )


def reactivate(user_id: UUID, *, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Open an account again. Raises NotFound, NotNow where its role needs a centre and it has none that is open."""
    refusals = {"no_centre": lambda: NotNow(problem=_("This account has no centre that is open. Give it one first."))}
    deeds.do_one(user_deeds.REACTIVATE, user_id, organisation_id=organisation_id, by=by, now=now, refusals=refusals)


@retried
def set_password(user_id: UUID, *, organisation_id: UUID, by: Actor, now: datetime) -> str:
    """Set a new one-time password, end every sign-in, and return the password. Raises NotFound, OwnAccount."""
    password = accounts.new_password()
    with transaction():
        user = records.locked(User, user_id, organisation_id)
        if user_id == by.id:
            raise OwnAccount
        user.password_hash, user.must_change_password = accounts.hash_generated(password), True
        user.session_epoch += 1
        user.failed_sign_ins, user.locked_until = 0, None
        audit.record([Change("user", user_id, "set_password")], by=by, now=now)
    return password


def unlock(user_id: UUID, *, organisation_id: UUID, by: Actor, now: datetime) -> bool:
    """Let somebody try again at once; return whether they were locked. Raises NotFound."""
    return deeds.do_one(user_deeds.UNLOCK, user_id, organisation_id=organisation_id, by=by, now=now)


def sign_out(user_id: UUID, *, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """End every sign-in of somebody. Raises NotFound, OwnAccount."""
    refusals = {"own_account": OwnAccount}
    deeds.do_one(user_deeds.SIGN_OUT, user_id, organisation_id=organisation_id, by=by, now=now, refusals=refusals)


def switch_factor_off(user_id: UUID, *, organisation_id: UUID, by: Actor, now: datetime) -> bool:
    """Switch the second factor of somebody off who lost it; return whether it was on. Raises NotFound, OwnAccount."""
    _demand_known(user_id, organisation_id)
    if user_id == by.id:
        raise OwnAccount  # the account page asks for the password first
    return second_factor.switch_off(user_id, by=by, now=now, forced=True)


def _checked(organisation_id: UUID, values: UserValues) -> UserValues:
    name, email = records.checked_name(values.name), values.email.strip()
    if values.role not in list(Role):
        raise WrongField("role", _("Choose one of the roles."))
    if email and (not _EMAIL.fullmatch(email) or len(email) > records.LONGEST_NAME):
        raise WrongField("email", _("This is no e-mail address."))
    if Role(values.role) in ORGANISATION_WIDE:
        return UserValues(name, values.role, None, email)
    if not _is_open_centre(organisation_id, values.centre_id):
        raise WrongField("centre", _("This role works in one centre. Choose it."))
    return UserValues(name, values.role, values.centre_id, email)


def _is_open_centre(organisation_id: UUID, centre_id: UUID | None) -> bool:
    centre = db.session.get(Centre, centre_id) if centre_id else None
    return centre is not None and centre.organisation_id == organisation_id and centre.archived_at is None


def _free_login(organisation_id: UUID, login: str) -> str:
    folded = accounts.fold_login(login)
    if not _LOGIN.fullmatch(folded):
        raise WrongField("login", _("Enter 1 to %(most)s characters, without white space or “/”.", most=LONGEST_LOGIN))
    for model in (User, Candidate):
        # a service number signs in as well: one login is one person
        taken = select(model.id).where(model.organisation_id == organisation_id, model.login == folded)
        if db.session.execute(taken).first():
            raise WrongField("login", _("Somebody has this login already."))
    return folded


def _demand_known(user_id: UUID, organisation_id: UUID) -> None:
    user = db.session.get(User, user_id)
    if user is None or user.organisation_id != organisation_id:
        raise NotFound


def _shown(user: User) -> dict[str, Any]:
    """What the audit log keeps of an account."""
    return {
        "name": user.name,
        "role": user.role,
        "centre": str(user.centre_id) if user.centre_id else None,
        "email": user.email,
    }
