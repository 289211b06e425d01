"""Setting up: the first organisation, centre and admin; more staff accounts."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import select

from kiosk.capabilities import ORGANISATION_WIDE, Role
from kiosk.errors import BadInput
from kiosk.extensions import db, transaction
from kiosk.models import Centre, Organisation, User
from kiosk.services import accounts, audit
from kiosk.services.audit import COMMAND_LINE, Change
from kiosk.services.system import settings

_CODE = re.compile(r"[A-Z0-9][A-Z0-9 _-]{0,19}")


def set_up(*, organisation: str, centre: str, admin: str, now: datetime) -> str:
    """Make the first organisation, centre and admin; return the admin's one-time password.

    Raises BadInput for a database that has an organisation, or a centre not of the form CODE:NAME.
    """
    code, _, name = centre.partition(":")
    if not _CODE.fullmatch(code) or not name.strip():
        raise BadInput(
            problem="--centre must be CODE:NAME, the code in capitals and digits, for example C01:Main hall."
        )
    if not organisation.strip() or not accounts.fold_login(admin):
        raise BadInput(problem="--organisation and --admin must not be empty.")
    password = accounts.new_password()
    with transaction():
        if db.session.execute(select(Organisation.id)).first():
            raise BadInput(problem="There is an organisation already.")
        made = Organisation(code="ORG", name=organisation.strip(), created_at=now)
        db.session.add(made)
        db.session.flush()
        first = Centre(organisation_id=made.id, code=code, name=name.strip(), time_zone=settings().time_zone)
        db.session.add(first)
        db.session.flush()
        changes = [
            Change("organisation", made.id, "set_up", None, "active"),
            Change("centre", first.id, "create_centre"),
        ]
        audit.record(changes, by=COMMAND_LINE, now=now)
        _add_user(made.id, admin, admin, Role.ADMIN, None, password, now)
    return password


def add_user(*, login: str, name: str, role: str, centre: str | None, now: datetime) -> str:
    """Add a staff member to the only organisation; return the one-time password. Raises BadInput."""
    if role not in list(Role):
        raise BadInput(problem=f"The role must be one of {', '.join(Role)}.")
    password = accounts.new_password()
    with transaction():
        organisations = db.session.execute(select(Organisation.id)).scalars().all()
        if len(organisations) != 1:
            raise BadInput(problem="There must be exactly one organisation.")
        centre_id = _centre_of(organisations[0], role, centre)
        folded = accounts.fold_login(login)
        if not folded or db.session.execute(select(User.id).where(User.login == folded)).first():
            raise BadInput(problem=f"The login {login} is empty or taken.")
        _add_user(organisations[0], login, name, Role(role), centre_id, password, now)
    return password


def _centre_of(organisation_id: object, role: str, code: str | None) -> object | None:
    if Role(role) in ORGANISATION_WIDE:
        return None
    found = db.session.execute(
        select(Centre.id).where(Centre.organisation_id == organisation_id, Centre.code == (code or ""))
    ).scalar_one_or_none()
    if found is None:
        raise BadInput(problem=f"There is no centre {code!r}; this role needs one (--centre CODE).")
    return found


def _add_user(organisation_id, login, name, role, centre_id, password, now) -> None:  # type: ignore[no-untyped-def]
    accounts.create_user(
        organisation_id=organisation_id,
        login=login,
        name=name,
        role=role,
        centre_id=centre_id,
        password_hash=accounts.hash_generated(password),
        must_change_password=True,
        by=COMMAND_LINE,
        now=now,
    )
