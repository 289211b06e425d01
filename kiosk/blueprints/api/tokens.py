"""Access tokens: signed JWTs that say who signed in. Revocation is a question to the database, see `caller`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import jwt

from kiosk.errors import SignedOut
from kiosk.services.accounts import SignedIn
from kiosk.services.system import settings

ALGORITHM = "HS256"
LASTS = {"candidate": timedelta(hours=12), "user": timedelta(hours=1)}  # a candidate's outlasts any sitting
LONGEST = 2000
TOKENS_KEPT = 10_000
CLAIMS = ("kind", "id", "organisation", "epoch", "login_no", "name", "exp")


@dataclass(frozen=True)
class Caller:
    """Who a token speaks for. `login_no` is the lease of the attempt that this sign-in may write."""

    kind: str
    id: UUID
    organisation_id: UUID
    epoch: int
    login_no: int
    name: str


def issue(signed_in: SignedIn, *, now: datetime) -> tuple[str, int]:
    """Return a token for this sign-in and how many seconds it lasts."""
    lasts = LASTS[signed_in.kind]
    claims = {
        "kind": signed_in.kind,
        "id": str(signed_in.id),
        "organisation": str(signed_in.organisation_id),
        "epoch": signed_in.epoch,
        "login_no": signed_in.login_no,
        "name": signed_in.name,
        "exp": int((now + lasts).timestamp()),
    }
    return jwt.encode(claims, settings().secret_key, ALGORITHM), int(lasts.total_seconds())


def read(token: str, *, now: datetime) -> Caller:
    """Return who a token speaks for. Raises SignedOut for a forged, malformed or expired one."""
    if len(token) > LONGEST:
        raise SignedOut
    try:
        caller, ends_at = _genuine(token, settings().secret_key)
    except (jwt.PyJWTError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise SignedOut from error
    if ends_at <= now.timestamp():
        raise SignedOut
    return caller


@lru_cache(TOKENS_KEPT)
def _genuine(token: str, key: str) -> tuple[Caller, float]:
    """Verified once: a program shows the same token every few seconds (ADR 5). When it ends is asked each time."""
    # the expiry is judged by our own clock, the database's
    options: Any = {"require": list(CLAIMS), "verify_exp": False}
    claims = jwt.decode(token, key, algorithms=[ALGORITHM], options=options)
    if claims["kind"] not in LASTS:
        raise ValueError("no such kind")
    caller = Caller(
        kind=claims["kind"],
        id=UUID(str(claims["id"])),
        organisation_id=UUID(str(claims["organisation"])),
        epoch=int(claims["epoch"]),
        login_no=int(claims["login_no"]),
        name=str(claims["name"]),
    )
    return caller, float(claims["exp"])
