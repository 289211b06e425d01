"""Accounts: signing in candidates and staff, in one step or two, and who the signed-in person is now."""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import bindparam, select, update

from kiosk.capabilities import Role
from kiosk.errors import BadInput, MissingCredentials, NotFound, SignedOut, WrongCredentials
from kiosk.extensions import db, transaction
from kiosk.models import Candidate, Organisation, User
from kiosk.services import audit, hashing, second_factor, tries
from kiosk.services.admission import PATIENCE_SECONDS
from kiosk.services.audit import Actor, Change
from kiosk.services.hashing import LONGEST_PASSWORD, hash_generated, hash_password, matches, new_password
from kiosk.services.tries import Source
from kiosk.sign_in_errors import CodeNeeded, WrongCode

__all__ = [
    "LONGEST_PASSWORD",
    "SignedIn",
    "candidate_sign_in_holds",
    "confirm_password",
    "create_user",
    "current_user",
    "find",
    "finish",
    "fold_login",
    "hash_generated",
    "hash_password",
    "matches",
    "new_password",
    "sign_in",
]

LONGEST_LOGIN = 80
LONGEST_CODE = 20
INVISIBLE = ("Cf", "Cc", "Zs", "Zl", "Zp")


@dataclass(frozen=True)
class SignedIn:
    """Who signed in. `login_no` is new for each sign-in: the lease of an attempt goes by it."""

    kind: Literal["candidate", "user"]
    id: UUID
    name: str
    organisation_id: UUID
    epoch: int
    login_no: int
    language: str
    must_set_up_totp: bool = False


def fold_login(text: str) -> str:
    """Return the form in which logins are compared: NFKC, case folded, no white space, nothing invisible."""
    normal = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in normal if unicodedata.category(char) not in INVISIBLE)


def sign_in(
    login: str,
    password: str,
    *,
    now: datetime,
    address: str | None = None,
    source: Source | None = None,
    code: str | None = None,
    wait_seconds: float = PATIENCE_SECONDS,
) -> SignedIn:
    """Return who this is. Unknown names and wrong passwords can't be told apart.

    Raises MissingCredentials, BadInput, WrongCredentials, LockedOut, TooManyTries, SignInBusy; for somebody with a
    second factor CodeNeeded, or WrongCode where `code` came along.
    """
    if not login.strip() or not password:
        raise MissingCredentials
    if "\0" in login + password or len(login) > LONGEST_LOGIN or len(password) > LONGEST_PASSWORD:
        raise BadInput(
            problem=_(
                "The service number or the password is too long (at most %(most)s characters).", most=LONGEST_PASSWORD
            )
        )
    tries.demand_patience(source, now=now)
    person, totp_roles = _find(login)
    tries.demand_unlocked(person, fold_login(login), now=now)
    stored, by = person.password_hash if person else None, _actor(person, address)
    if not hashing.check(stored, password, wait_seconds=wait_seconds) or person is None:
        tries.count_failure(person, fold_login(login), source, by=by, now=now, action="sign_in_failed")
        raise WrongCredentials
    if isinstance(person, User) and person.totp_on_at:
        if code is None:
            raise CodeNeeded(person.id, person.session_epoch)
        return _with_code(person, code, source, by, now)
    return _signed_in(person, by, now, must_set_up_totp=isinstance(person, User) and person.role in totp_roles)


def finish(
    user_id: UUID, epoch: int, code: str, *, now: datetime, address: str | None = None, source: Source | None = None
) -> SignedIn:
    """The second step, after `sign_in` raised CodeNeeded: return who this is.

    Raises WrongCode, LockedOut, TooManyTries, and SignedOut where the first step no longer holds.
    """
    tries.demand_patience(source, now=now)
    user = current_user(user_id, epoch)
    if user is None or user.totp_on_at is None:
        raise SignedOut
    tries.demand_unlocked(user, user.login, now=now)
    return _with_code(user, code, source, _actor(user, address), now)


def confirm_password(
    user_id: UUID,
    password: str,
    *,
    by: Actor,
    now: datetime,
    source: Source | None = None,
    wait_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Make sure that it is still this person: wrong tries count as they do at the sign-in.

    Raises WrongCredentials, LockedOut, TooManyTries, SignInBusy, NotFound.
    """
    tries.demand_patience(source, now=now)
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound
    tries.demand_unlocked(user, user.login, now=now)
    stored, login = user.password_hash, user.login
    if (
        not password
        or len(password) > LONGEST_PASSWORD
        or not hashing.check(stored, password, wait_seconds=wait_seconds)
    ):
        tries.count_failure(user, login, source, by=by, now=now, action="password_failed")
        raise WrongCredentials


def current_user(user_id: UUID, epoch: int) -> User | None:
    """Return the staff member if this sign-in still holds; None after deactivation or an ended epoch."""
    user = db.session.get(User, user_id)
    return user if user and user.deactivated_at is None and user.session_epoch == epoch else None


def candidate_sign_in_holds(candidate_id: UUID, epoch: int) -> bool:
    """Whether a candidate's sign-in still holds."""
    row = db.session.execute(
        select(Candidate.session_epoch, Candidate.archived_at).where(Candidate.id == candidate_id)
    ).one_or_none()
    return row is not None and row.archived_at is None and row.session_epoch == epoch


def find(login: str) -> Candidate | User:
    """Return the account with this login, as the sign-in finds it. Raises NotFound."""
    person = _find(login)[0]
    if person is None:
        raise NotFound
    return person


def create_user(
    *,
    organisation_id: UUID,
    login: str,
    name: str,
    role: Role,
    centre_id: UUID | None,
    password_hash: str,
    must_change_password: bool,
    by: Actor,
    now: datetime,
) -> User:
    """Add a staff member inside the caller's transaction."""
    user = User(
        organisation_id=organisation_id,
        login=fold_login(login),
        name=name,
        role=role,
        centre_id=centre_id,
        password_hash=password_hash,
        must_change_password=must_change_password,
        created_at=now,
    )
    db.session.add(user)
    db.session.flush()
    audit.record([Change("user", user.id, "create_user", None, "active", None, {"role": role})], by=by, now=now)
    return user


def _find(login: str) -> tuple[Candidate | User | None, list[str]]:
    """The one account with this login, and which roles need a second factor; `CODE/number` names the organisation."""
    code, slash, rest = login.partition("/")
    given = {"p_login": fold_login(rest if slash else login), "p_code": code.strip()}
    for model in (Candidate, User):
        found = db.session.execute(_account(model, names_organisation=bool(slash)), given).all()
        if len(found) == 1:
            return found[0][0], found[0].totp_roles or []
    return None, []


@cache
def _account(model: Any, *, names_organisation: bool) -> Any:
    """The statement of `_find`, built once (ADR 4)."""
    gone_at = model.archived_at if model is Candidate else model.deactivated_at
    query = select(model, Organisation.totp_roles).join(Organisation)
    query = query.where(model.login == bindparam("p_login"), gone_at.is_(None))
    return (query.where(Organisation.code == bindparam("p_code")) if names_organisation else query).limit(2)


def _actor(person: Candidate | User | None, address: str | None) -> Actor:
    if person is None:
        return Actor("unknown", "", address=address)
    kind = "candidate" if isinstance(person, Candidate) else "user"
    return Actor(kind, person.name, person.id, person.organisation_id, address=address)


def _with_code(user: User, code: str, source: Source | None, by: Actor, now: datetime) -> SignedIn:
    try:
        return _signed_in(user, by, now, code=code[:LONGEST_CODE])
    except WrongCode:
        again = db.session.get_one(User, by.id)
        tries.count_failure(again, again.login, source, by=by, now=now, action="code_failed")
        raise


def _signed_in(
    person: Any, by: Actor, now: datetime, *, must_set_up_totp: bool = False, code: str | None = None
) -> SignedIn:
    signed_in = SignedIn(
        kind="candidate" if isinstance(person, Candidate) else "user",
        id=person.id,
        name=person.name,
        organisation_id=person.organisation_id,
        epoch=person.session_epoch,
        login_no=secrets.randbits(48) | 1,
        language=getattr(person, "language", "en"),
        must_set_up_totp=must_set_up_totp,
    )
    model, failed = type(person), person.failed_sign_ins
    with transaction():
        if code is not None:
            second_factor.use(db.session.get_one(User, signed_in.id), code, now=now)
        if failed:
            db.session.execute(
                update(model).where(model.id == signed_in.id).values(failed_sign_ins=0, locked_until=None)
            )
        audit.record([Change(signed_in.kind, signed_in.id, "sign_in")], by=by, now=now)
    return signed_in
