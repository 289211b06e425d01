"""Password hashes: argon2id for what people choose, an HMAC for what we made up ourselves."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kiosk.services import admission
from kiosk.services.system import settings

LONGEST_PASSWORD = 256
GENERATED = "hmac-sha256$"

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_nobody: str | None = None


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password that a person chose."""
    return _hasher.hash(_normal(password))


def hash_generated(password: str) -> str:
    """Return the HMAC of a random password of ours: fast is right for secrets that nobody can guess."""
    digest = hmac.new(settings().secret_key.encode(), password.encode(), hashlib.sha256).hexdigest()
    return f"{GENERATED}{digest}"


def matches(password_hash: str, password: str) -> bool:
    """Return whether `password` is the one behind `password_hash`."""
    if password_hash.startswith(GENERATED):
        return hmac.compare_digest(password_hash, hash_generated(password))
    try:
        return _hasher.verify(password_hash, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def check(password_hash: str | None, password: str, *, wait_seconds: float) -> bool:
    """Return whether the password is right; None stands for an account that there is not.

    A right generated password is known at once. Every wrong one costs the same, whatever is stored and whether anything
    is: one argon2 hash, for which the worker admits one request at a time. Raises SignInBusy.
    """
    is_generated = password_hash is not None and password_hash.startswith(GENERATED)
    if is_generated and password_hash and matches(password_hash, password):
        return True
    with admission.hashing.turn(wait_seconds=wait_seconds):
        if password_hash is None or is_generated:
            matches(_hash_of_nobody(), password)
            return False
        return matches(password_hash, password)


def new_password() -> str:
    """Return a random password of 12 characters that can be read aloud and typed."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "".join(secrets.choice(alphabet) for _ in range(12))


def _hash_of_nobody() -> str:
    """A hash to try in vain, so that an unknown name costs the same time."""
    global _nobody
    _nobody = _nobody or hash_password(secrets.token_hex(8))
    return _nobody


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)
