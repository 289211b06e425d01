"""Kiosks: enrolled with a code that works once, known by a token afterwards. Secrets are stored as hashes only.

What a request shows is looked at once in `RECOGNISED_FOR` and kept in memory: no save pays a statement for it. A start
asks the database itself (`entry.read`), so a kiosk that was revoked starts nothing more.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Uuid, insert, select, update
from sqlalchemy.exc import IntegrityError

from kiosk.errors import BadInput, KioskError, NotFound
from kiosk.extensions import db, execute, retried, transaction
from kiosk.ids import uuid7
from kiosk.listed import Listed
from kiosk.models import Centre, Kiosk
from kiosk.models.types import UtcDateTime
from kiosk.services import audit, tries
from kiosk.services.audit import SYSTEM, Actor, Change
from kiosk.services.system import settings
from kiosk.services.tries import Source

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that can be misread
CODE_LENGTH = 8
CODE_LASTS = timedelta(minutes=15)
ENROLMENT_LIMIT = 20  # wrong codes from one address within the window of `tries`
RECOGNISED_FOR = timedelta(seconds=15)
MOST_REMEMBERED = 10_000
LONGEST_NAME = 40

_HEARD = Listed(
    "UPDATE kiosks SET last_seen_at = listed.at FROM {rows} WHERE kiosks.id = listed.id",
    {"id": Uuid(), "at": UtcDateTime()},
)

_guard = threading.Lock()
_known: dict[tuple[UUID, str], tuple[datetime, bool]] = {}
_seen: dict[UUID, datetime] = {}


class WrongEnrolmentCode(KioskError):
    status, code = 422, "wrong_enrolment_code"
    message = _l("This code is not right, or it is no longer valid. Ask for a new one.")


class KioskNameTaken(KioskError):
    status, code = 409, "kiosk_name_taken"
    message = _l("The centre has a kiosk of this name, or one at this seat, already.")


@dataclass(frozen=True)
class Enrolled:
    """A machine that was just enrolled: what its cookie has to keep."""

    kiosk_id: UUID
    token: str
    name: str
    seat: str | None


@dataclass(frozen=True)
class Place:
    """Where an enrolled kiosk stands, as its sign-in page says it."""

    name: str
    seat: str | None
    centre_name: str
    centre_code: str
    time_zone: str


def add(centre_id: UUID, name: str, seat: str, *, by: Actor, now: datetime) -> UUID:
    """Add a kiosk, not yet enrolled; return its id. Raises BadInput, KioskNameTaken."""
    kiosk_id, values = uuid7(), _checked(name, seat)
    try:
        with transaction():
            _refuse_seat_taken(centre_id, values["seat"], kiosk_id)
            db.session.execute(insert(Kiosk), [values | {"id": kiosk_id, "centre_id": centre_id}])
            audit.record([Change("kiosk", kiosk_id, "add_kiosk", None, "new", details=values)], by=by, now=now)
    except IntegrityError:
        raise KioskNameTaken from None
    return kiosk_id


def rename(kiosk_id: UUID, name: str, seat: str, *, by: Actor, now: datetime) -> None:
    """Change name and seat. Raises NotFound, BadInput, KioskNameTaken."""
    values = _checked(name, seat)
    try:
        with transaction():
            kiosk = _locked(kiosk_id)
            _refuse_seat_taken(kiosk.centre_id, values["seat"], kiosk_id)
            details = values | {"from_name": kiosk.name, "from_seat": kiosk.seat}
            db.session.execute(update(Kiosk).where(Kiosk.id == kiosk_id).values(**values))
            audit.record([Change("kiosk", kiosk_id, "edit_kiosk", details=details)], by=by, now=now)
    except IntegrityError:
        raise KioskNameTaken from None


@retried
def new_code(kiosk_id: UUID, *, by: Actor, now: datetime) -> str:
    """Return a new one-time code for this kiosk; the one before is worth nothing. Raises NotFound."""
    code = "".join(secrets.choice(ALPHABET) for _place in range(CODE_LENGTH))
    with transaction():
        _locked(kiosk_id)
        values = {"enrolment_code_hash": _hash(code), "enrolment_ends_at": now + CODE_LASTS}
        db.session.execute(update(Kiosk).where(Kiosk.id == kiosk_id).values(**values))
        audit.record([Change("kiosk", kiosk_id, "offer_enrolment")], by=by, now=now)
    return code


def enrol(code: str, *, source: Source, address: str | None, now: datetime) -> Enrolled:
    """Enrol the machine that brings this code; whatever was enrolled under the kiosk before no longer is.

    Raises WrongEnrolmentCode, TooManyTries (wrong codes from this address).
    """
    own = Source(f"enrol:{source.name}"[:80], ENROLMENT_LIMIT)
    tries.demand_patience(own, now=now)
    done = _enrol(fold_code(code), address, now)
    if done is None:
        tries.count_try(own, now=now)
        raise WrongEnrolmentCode
    forget()
    return done


def recognise(kiosk_id: UUID, token: str, *, now: datetime) -> bool:
    """Whether this token is that of an enrolled kiosk, as of the last seconds; the kiosk was then seen."""
    key = (kiosk_id, _hash(token))
    with _guard:
        asked_at, is_right = _known.get(key, (None, False))
    if asked_at is None or not timedelta(0) <= now - asked_at <= RECOGNISED_FOR:
        stored = db.session.execute(
            select(Kiosk.token_hash).where(Kiosk.id == kiosk_id, Kiosk.archived_at.is_(None))
        ).scalar_one_or_none()
        is_right = stored is not None and hmac.compare_digest(stored, key[1])
        with _guard:
            if len(_known) >= MOST_REMEMBERED:
                _known.clear()
            _known[key] = (now, is_right)
    if is_right:
        with _guard:
            _seen[kiosk_id] = now
    return is_right


def place(kiosk_id: UUID) -> Place | None:
    """Return where an enrolled kiosk stands; None for one that is none any more."""
    row = db.session.execute(
        select(Kiosk.name, Kiosk.seat, Centre.name.label("centre"), Centre.code, Centre.time_zone)
        .join(Centre, Centre.id == Kiosk.centre_id)
        .where(Kiosk.id == kiosk_id, Kiosk.archived_at.is_(None), Kiosk.token_hash.is_not(None))
    ).one_or_none()
    return Place(*row) if row else None


@retried
def revoke(kiosk_id: UUID, *, reason: str | None = None, by: Actor, now: datetime) -> bool:
    """Take the enrolment back; return whether there was one, or a code for one. Raises NotFound."""
    with transaction():
        kiosk = _locked(kiosk_id)
        had = kiosk.token_hash is not None or kiosk.enrolment_code_hash is not None
        if had:
            db.session.execute(update(Kiosk).where(Kiosk.id == kiosk_id).values(**_NOT_ENROLLED))
            audit.record([Change("kiosk", kiosk_id, "revoke_kiosk", "enrolled", "new", reason)], by=by, now=now)
    forget()
    return had


@retried
def archive(kiosk_id: UUID, *, reason: str | None = None, by: Actor, now: datetime) -> None:
    """Take the kiosk out of use: its enrolment ends and its seat is free for another. Raises NotFound."""
    with transaction():
        kiosk = _locked(kiosk_id)
        was, told = "enrolled" if kiosk.token_hash else "new", {"name": kiosk.name, "seat": kiosk.seat}
        # its name is free again as well
        values = _NOT_ENROLLED | {"archived_at": now, "name": f"{kiosk.name[:28]} #{kiosk_id.hex[-6:]}"}
        db.session.execute(update(Kiosk).where(Kiosk.id == kiosk_id).values(**values))
        audit.record([Change("kiosk", kiosk_id, "archive_kiosk", was, "archived", reason, told)], by=by, now=now)
    forget()


@retried
def flush() -> int:
    """Write when each kiosk was last seen since the last call; return how many were."""
    global _seen
    with _guard:
        heard, _seen = _seen, {}
    if heard:
        with transaction(is_one_statement=True):
            execute(_HEARD, {"rows": sorted(heard.items())})
    return len(heard)


def forget() -> None:
    """Ask the database again about every kiosk: one was enrolled or taken out."""
    with _guard:
        _known.clear()


def fold_code(text: str) -> str:
    """Return a code as it was made, however it was typed."""
    return "".join(char for char in text.upper() if char in ALPHABET)


_NOT_ENROLLED: dict[str, Any] = {
    "token_hash": None,
    "enrolled_at": None,
    "enrolment_code_hash": None,
    "enrolment_ends_at": None,
}


@retried
def _enrol(code: str, address: str | None, now: datetime) -> Enrolled | None:
    token = secrets.token_urlsafe(32)
    with transaction():
        row = db.session.execute(
            # compare-and-set: the code is worth one machine, however many bring it at once
            update(Kiosk)
            .where(
                Kiosk.enrolment_code_hash == _hash(code),
                Kiosk.enrolment_ends_at > now,
                Kiosk.archived_at.is_(None),
            )
            .values(**(_NOT_ENROLLED | {"token_hash": _hash(token), "enrolled_at": now, "last_seen_at": now}))
            .returning(Kiosk.id, Kiosk.name, Kiosk.seat, Kiosk.centre_id)
            .execution_options(synchronize_session=False)
        ).one_or_none()
        if row is None:
            return None
        organisation_id = db.session.execute(
            select(Centre.organisation_id).where(Centre.id == row.centre_id)
        ).scalar_one()
        by = Actor(SYSTEM.kind, row.name, organisation_id=organisation_id, address=address)
        audit.record([Change("kiosk", row.id, "enrol_kiosk", "new", "enrolled")], by=by, now=now)
    return Enrolled(row.id, token, row.name, row.seat)


def _hash(secret: str) -> str:
    return hmac.new(settings().secret_key.encode(), b"kiosk:" + secret.encode(), hashlib.sha256).hexdigest()


def _locked(kiosk_id: UUID) -> Kiosk:
    kiosk = db.session.execute(
        select(Kiosk)
        .where(Kiosk.id == kiosk_id, Kiosk.archived_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if kiosk is None:
        raise NotFound
    return kiosk


def _refuse_seat_taken(centre_id: UUID, seat: str | None, kiosk_id: UUID) -> None:
    query = select(Kiosk.id).where(
        Kiosk.centre_id == centre_id, Kiosk.seat == seat, Kiosk.archived_at.is_(None), Kiosk.id != kiosk_id
    )
    if seat is not None and db.session.execute(query).first():
        raise KioskNameTaken


def _checked(name: str, seat: str) -> dict[str, str | None]:
    name, seat = " ".join(name.split()), seat.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadInput(problem=_("Give the kiosk a name (at most %(most)s characters).", most=LONGEST_NAME))
    if len(seat) > 12 or not seat.isprintable():
        raise BadInput(problem=_("A seat has at most 12 characters."))
    return {"name": name, "seat": seat or None}
