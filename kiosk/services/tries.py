"""Wrong tries: few lock an account for minutes, many stop a source. The database counts, so it works without Redis.

A whole hall may stand behind one address, and everybody mistypes: an address takes hundreds of wrong tries, an enrolled
kiosk twenty. A right password never counts, and a known and an unknown name lock alike.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, literal, update
from sqlalchemy.dialects import postgresql, sqlite

from kiosk.extensions import db, transaction
from kiosk.models import Candidate, SignInTries, User
from kiosk.models.types import UtcDateTime
from kiosk.services import audit
from kiosk.services.audit import Actor, Change
from kiosk.services.system import settings
from kiosk.sign_in_errors import LockedOut, TooManyTries

TRIES = 5
LOCKED = timedelta(minutes=5)
WINDOW = timedelta(minutes=10)
KIOSK_LIMIT = 20
START_CODE_LIMIT = 10
ADDRESS_LIMIT = 600  # 250 candidates who mistype twice each within the window, and some more
FORGOTTEN = timedelta(days=1)

log = logging.getLogger("kiosk.security")


@dataclass(frozen=True)
class Source:
    """Where tries come from, and how many wrong ones it may send within the window."""

    name: str
    limit: int


def kiosk_source(kiosk_id: object) -> Source:
    """Return the source of an enrolled kiosk: one person at a time sits there."""
    return Source(f"kiosk:{kiosk_id}", KIOSK_LIMIT)


def start_code_source(candidate_id: object) -> Source:
    """Return the source of a candidate's start codes: six digits must not be found by trying."""
    return Source(f"start:{candidate_id}", START_CODE_LIMIT)


def address_source(address: str) -> Source:
    """Return the source of a bare address; a whole hall may stand behind it."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return Source("address:unknown", ADDRESS_LIMIT)
    if known.version == 6 and known.ipv4_mapped is None:
        # one machine owns 2^64 of them
        return Source(f"address:{ipaddress.ip_network((known, 64), strict=False)}", ADDRESS_LIMIT)
    return Source(f"address:{known}", ADDRESS_LIMIT)


def demand_patience(source: Source | None, *, now: datetime) -> None:
    """Raise TooManyTries while the source has used up its wrong tries."""
    if source is None:
        return
    row = db.session.get(SignInTries, source.name)
    if row is not None and is_stopped(row, source, now=now):
        log.warning("sign_in_stopped source=%s failures=%s", source.name, row.failures)
        raise TooManyTries(seconds=(row.since_at + WINDOW - now).total_seconds())


def demand_unlocked(person: Candidate | User | None, name: str, *, now: datetime) -> None:
    """Raise LockedOut while the account waits; a name without an account waits the same way."""
    until = person.locked_until if person else _unknown_locked_until(name)
    if until and until > now:
        log.warning("sign_in_locked account=%s", person.id if person else "unknown")
        raise LockedOut(seconds=(until - now).total_seconds())


def count_try(source: Source, *, now: datetime) -> None:
    """Count one wrong try of a source that is nobody's password: a code that was mistyped, or guessed."""
    with transaction():
        _count(source.name, now, window=WINDOW)
    log.warning("wrong_code source=%s", source.name)


def is_stopped(row: SignInTries | None, source: Source, *, now: datetime) -> bool:
    """Whether a source's row says that it has used up its wrong tries."""
    return row is not None and row.since_at > now - WINDOW and row.failures >= source.limit


def count_failure(
    person: Candidate | User | None, name: str, source: Source | None, *, by: Actor, now: datetime, action: str
) -> None:
    """Count a wrong try, lock the account at every fifth, and record it. One transaction."""
    person_id, model = (person.id, type(person)) if person else (None, None)
    with transaction():
        if source:
            _count(source.name, now, window=WINDOW)
        if model is None:
            _count(_name_key(name), now)
        else:
            db.session.execute(_one_more_failure(model, now).where(model.id == person_id))
            audit.record([Change(by.kind, person_id, action)], by=by, now=now)  # type: ignore[arg-type]
    log.warning("%s account=%s source=%s", action, person_id or "unknown", source.name if source else "-")


def _one_more_failure(model: type[Candidate] | type[User], now: datetime) -> Any:
    # judged by the database: tries that come together can't step over the one that locks
    is_last = (model.failed_sign_ins + 1) % TRIES == 0
    return update(model).values(
        failed_sign_ins=model.failed_sign_ins + 1,
        locked_until=case((is_last, literal(now + LOCKED, UtcDateTime)), else_=model.locked_until),
    )


def _unknown_locked_until(name: str) -> datetime | None:
    row = db.session.get(SignInTries, _name_key(name))
    return row.since_at + LOCKED if row and row.failures % TRIES == 0 else None


def _name_key(name: str) -> str:
    """A key for a name that somebody typed: it may be anything, a password by mistake included."""
    return f"name:{hmac.new(settings().secret_key.encode(), name.encode(), hashlib.sha256).hexdigest()}"


def _count(key: str, now: datetime, *, window: timedelta | None = None) -> None:
    """One failure more; with a window the count begins anew after it, without one `since_at` is the latest failure."""
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    is_over = SignInTries.since_at <= now - window if window else None
    values: dict[str, Any] = {"failures": SignInTries.failures + 1, "since_at": now}
    if is_over is not None:
        values = {
            "failures": case((is_over, 1), else_=SignInTries.failures + 1),
            "since_at": case((is_over, literal(now, UtcDateTime)), else_=SignInTries.since_at),
        }
    statement = insert(SignInTries).values(source=key, failures=1, since_at=now)
    upsert = statement.on_conflict_do_update(index_elements=["source"], set_=values)
    failures = db.session.execute(upsert.returning(SignInTries.failures)).scalar_one()
    if failures == 1:  # now and then is often enough
        db.session.execute(delete(SignInTries).where(SignInTries.since_at < now - FORGOTTEN))
