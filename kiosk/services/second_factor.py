"""The second factor: six digits of an authenticator app (RFC 6238, 30 s, SHA-1), each code good for one sign-in.

The arithmetic is eight lines of the standard library, fewer than the care that a dependency takes. The secret is stored
encrypted under the server's key: a copy of the database alone makes no codes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote, urlencode
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import or_, update

from kiosk.capabilities import Role
from kiosk.errors import BadInput, NotFound, TransitionRefused
from kiosk.extensions import db, retried, transaction
from kiosk.models import Organisation, User
from kiosk.services import audit
from kiosk.services.audit import Actor, Change
from kiosk.services.system import settings
from kiosk.sign_in_errors import SecondFactorDemanded, WrongCode

STEP_SECONDS = 30
DIGITS = 6
DRIFT_STEPS = 1
SECRET_BYTES = 20
NONCE_BYTES = 12
ISSUER = "Exam Kiosk"


def code_at(secret: bytes, step: int) -> str:
    """Return the code of a time step (RFC 4226 with the step as counter)."""
    digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    start = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_at(now: datetime) -> int:
    """Return the number of the time step in which `now` lies."""
    return int(now.timestamp()) // STEP_SECONDS


def is_demanded(organisation_id: UUID, role: str) -> bool:
    """Return whether the organisation demands a second factor of this role."""
    return role in (db.session.get_one(Organisation, organisation_id).totp_roles or [])


@retried
def begin(user_id: UUID, *, by: Actor, now: datetime) -> None:
    """Make a new secret; it counts for nothing until `confirm`. Raises TransitionRefused where one is in use."""
    sealed = _seal(secrets.token_bytes(SECRET_BYTES), user_id)
    with transaction():
        done = db.session.execute(
            update(User)
            .where(User.id == user_id, User.totp_on_at.is_(None))
            .values(totp_secret=sealed, totp_last_step=None)
        )
        if done.rowcount == 0:  # type: ignore[attr-defined]
            raise TransitionRefused(found="on")
        audit.record([Change("user", user_id, "begin_totp")], by=by, now=now)


def secret_to_show(user: User) -> str | None:
    """Return the secret as an app takes it, while it waits for its first code; later it is never shown again."""
    if user.totp_secret is None or user.totp_on_at is not None:
        return None
    return base64.b32encode(_open(user)).decode()


def address_for_app(user: User, secret: str) -> str:
    """Return the otpauth:// address that goes into the QR code."""
    label = quote(f"{ISSUER}:{user.login}")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': ISSUER}, quote_via=quote)}"


@retried
def confirm(user_id: UUID, code: str, *, by: Actor, now: datetime) -> int:
    """Switch the second factor on with its first code, end every other sign-in, and return the epoch from now on.

    Raises WrongCode, TransitionRefused (nothing to confirm), NotFound.
    """
    with transaction():
        user = _locked(user_id)
        if user.totp_secret is None or user.totp_on_at is not None:
            raise TransitionRefused(found="off" if user.totp_secret is None else "on")
        step = _step_of(user, code, now)
        user.totp_on_at, user.totp_last_step = now, step
        user.session_epoch += 1
        audit.record([Change("user", user_id, "switch_totp_on", "off", "on")], by=by, now=now)
        return user.session_epoch


def use(user: User, code: str, *, now: datetime) -> None:
    """Use a code up, inside the caller's transaction: two sign-ins with one code can't both win. Raises WrongCode."""
    step = _step_of(user, code, now)
    done = db.session.execute(
        update(User)
        .where(User.id == user.id, or_(User.totp_last_step.is_(None), User.totp_last_step < step))
        .values(totp_last_step=step)
    )
    if done.rowcount == 0:  # type: ignore[attr-defined]
        raise WrongCode


@retried
def switch_off(user_id: UUID, *, by: Actor, now: datetime, forced: bool = False) -> bool:
    """Switch the second factor off; return whether it was on. Somebody at the command line may always (`forced`).

    Raises SecondFactorDemanded where the role must have one, NotFound.
    """
    with transaction():
        user = _locked(user_id)
        if not forced and is_demanded(user.organisation_id, user.role):
            raise SecondFactorDemanded
        was_on = user.totp_on_at is not None
        user.totp_secret = user.totp_on_at = user.totp_last_step = None
        if was_on:
            audit.record([Change("user", user_id, "switch_totp_off", "on", "off")], by=by, now=now)
        return was_on


@retried
def demand_of(organisation_id: UUID, roles: Iterable[str], *, by: Actor, now: datetime) -> None:
    """Demand a second factor of these roles and no others, from the next sign-in on. Raises BadInput, NotFound."""
    wanted = sorted(set(roles))
    unknown = [role for role in wanted if role not in list(Role)]
    if unknown:
        raise BadInput(problem=f"There is no role {unknown[0]!r}; the roles are {', '.join(Role)}.")
    with transaction():
        organisation = db.session.get(Organisation, organisation_id)
        if organisation is None:
            raise NotFound
        before, organisation.totp_roles = organisation.totp_roles or [], wanted
        details = {"before": before, "after": wanted}
        audit.record([Change("organisation", organisation_id, "demand_totp", details=details)], by=by, now=now)


def _locked(user_id: UUID) -> User:
    user = db.session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise NotFound
    return user


def _step_of(user: User, code: str, now: datetime) -> int:
    """The step whose code this is: now, one before or one after. Raises WrongCode."""
    digits, secret, current = "".join(code.split()), _open(user), step_at(now)
    found = None
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), digits.encode("utf-8", "replace")):
            found = step
    if found is None:
        raise WrongCode
    return found


def _seal(secret: bytes, user_id: UUID) -> str:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return base64.b64encode(nonce + AESGCM(_key()).encrypt(nonce, secret, user_id.bytes)).decode()


def _open(user: User) -> bytes:
    """The secret. Raises WrongCode where it was sealed under another key: then an admin switches it off."""
    sealed = base64.b64decode(user.totp_secret or "")
    try:
        return AESGCM(_key()).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], user.id.bytes)
    except (InvalidTag, ValueError) as error:
        raise WrongCode from error


def _key() -> bytes:
    return hmac.new(settings().secret_key.encode(), b"second factor", hashlib.sha256).digest()
