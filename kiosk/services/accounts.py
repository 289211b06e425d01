"""Accounts: signing in candidates and staff, passwords, and who the signed-in person is now."""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, update

from kiosk.capabilities import Role
from kiosk.errors import BadInput, LockedOut, MissingCredentials, WrongCredentials
from kiosk.extensions import db, transaction
from kiosk.models import Candidate, Organisation, User
from kiosk.services import audit
from kiosk.services.audit import Actor, Change
from kiosk.services.system import settings

LONGEST_PASSWORD = 256
LONGEST_LOGIN = 80
TRIES = 5
LOCKED = timedelta(minutes=5)
INVISIBLE = ("Cf", "Cc", "Zs", "Zl", "Zp")

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_nobody: str | None = None


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


def fold_login(text: str) -> str:
    """Return the form in which logins are compared: NFKC, case folded, no white space, nothing invisible."""
    normal = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in normal if unicodedata.category(char) not in INVISIBLE)


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password that a person chose."""
    return _hasher.hash(_normal(password))


def hash_generated(password: str) -> str:
    """Return the HMAC of a random password of ours: fast is right for secrets that nobody can guess."""
    digest = hmac.new(settings().secret_key.encode(), password.encode(), hashlib.sha256).hexdigest()
    return f"hmac-sha256${digest}"


def matches(password_hash: str, password: str) -> bool:
    """Return whether `password` is the one behind `password_hash`."""
    if password_hash.startswith("hmac-sha256$"):
        return hmac.compare_digest(password_hash, hash_generated(password))
    try:
        return _hasher.verify(password_hash, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def new_password() -> str:
    """Return a random password of 12 characters that can be read aloud and typed."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "".join(secrets.choice(alphabet) for _ in range(12))


def sign_in(login: str, password: str, *, now: datetime, address: str | None = None) -> SignedIn:
    """Return who this is. Unknown names and wrong passwords can't be told apart.

    Raises MissingCredentials, BadInput, WrongCredentials, LockedOut.
    """
    if not login.strip() or not password:
        raise MissingCredentials
    if "\0" in login + password or len(login) > LONGEST_LOGIN or len(password) > LONGEST_PASSWORD:
        raise BadInput(
            problem=f"The service number or the password is too long (at most {LONGEST_PASSWORD} characters)."
        )
    person = _find(login)
    if person is None:
        matches(_hash_of_nobody(), password)
        raise WrongCredentials
    if person.locked_until and person.locked_until > now:
        raise LockedOut(minutes=math.ceil((person.locked_until - now).total_seconds() / 60))
    right = matches(person.password_hash, password)
    kind: Literal["candidate", "user"] = "candidate" if isinstance(person, Candidate) else "user"
    actor = Actor(kind, person.name, person.id, person.organisation_id, address=address)
    if not right:
        _count_failure(person, kind, actor, now)
        raise WrongCredentials
    return _signed_in(person, kind, actor, now)


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


def _find(login: str) -> Candidate | User | None:
    """The one account with this login; `CODE/number` names the organisation where there are several."""
    code, slash, rest = login.partition("/")
    folded = fold_login(rest if slash else login)
    for model in (Candidate, User):
        query: Any = select(model).where(model.login == folded)
        if slash:
            query = query.join(Organisation).where(Organisation.code == code.strip())
        query = query.where(model.archived_at.is_(None) if model is Candidate else model.deactivated_at.is_(None))  # type: ignore[union-attr]
        found = db.session.execute(query.limit(2)).scalars().all()
        if len(found) == 1:
            return found[0]
    return None


def _signed_in(person: Any, kind: Literal["candidate", "user"], actor: Actor, now: datetime) -> SignedIn:
    model = type(person)
    signed_in = SignedIn(
        kind=kind,
        id=person.id,
        name=person.name,
        organisation_id=person.organisation_id,
        epoch=person.session_epoch,
        login_no=secrets.randbits(48) | 1,
        language=getattr(person, "language", "en"),
    )
    failed = person.failed_sign_ins
    with transaction():
        if failed:
            db.session.execute(
                update(model).where(model.id == signed_in.id).values(failed_sign_ins=0, locked_until=None)
            )
        audit.record([Change(kind, signed_in.id, "sign_in")], by=actor, now=now)
    return signed_in


def _count_failure(person: Any, kind: str, actor: Actor, now: datetime) -> None:
    model, person_id, failed = type(person), person.id, person.failed_sign_ins + 1
    with transaction():
        db.session.execute(
            update(model)
            .where(model.id == person_id)
            .values(
                failed_sign_ins=model.failed_sign_ins + 1, locked_until=now + LOCKED if failed % TRIES == 0 else None
            )
        )
        audit.record([Change(kind, person_id, "sign_in_failed")], by=actor, now=now)


def _hash_of_nobody() -> str:
    """A hash to try in vain, so that an unknown name costs the same time."""
    global _nobody
    _nobody = _nobody or hash_password(secrets.token_hex(8))
    return _nobody


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)
