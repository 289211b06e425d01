"""Passwords that people choose: what is asked of them, and changing one's own."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _

from kiosk.errors import BadInput
from kiosk.extensions import db, transaction
from kiosk.models import User
from kiosk.services import accounts, admission, audit
from kiosk.services.audit import Actor, Change
from kiosk.services.tries import Source

SHORTEST = 8
# what everybody tries first, folded; a list of thousands would not stop a person who stands at the kiosk
_FIRST_TRIES = (
    "password passw0rd password1 password123 12345678 123456789 1234567890 11111111 00000000 87654321 qwertyui "
    "qwerty123 qwertyuiop iloveyou sunshine football welcome1 welcome123 admin123 admin1234 administrator "
    "letmein1 changeme abcdefgh abcd1234 asdfghjk india123 bharat123 jaihind1 jaihind123 examkiosk kiosk123 trustno1"
)
OBVIOUS = frozenset(_FIRST_TRIES.split())


def change_own(
    user_id: UUID, current: str, new: str, repeated: str, *, by: Actor, now: datetime, source: Source | None = None
) -> int:
    """Set a new password and end every other sign-in; return the epoch of the sign-ins that hold from now on.

    Raises BadInput (new), and for the current one what `accounts.confirm_password` raises.
    """
    accounts.confirm_password(user_id, current, by=by, now=now, source=source)
    _check(new, repeated, current, db.session.get_one(User, user_id).login)
    with admission.hashing.turn(wait_seconds=admission.PATIENCE_SECONDS):
        hashed = accounts.hash_password(new)
    with transaction():
        user = db.session.get_one(User, user_id)
        user.password_hash, user.must_change_password = hashed, False
        user.session_epoch += 1
        audit.record([Change("user", user_id, "change_password")], by=by, now=now)
        epoch = user.session_epoch
    return epoch


def _check(new: str, repeated: str, current: str, login: str) -> None:
    if len(new) < SHORTEST:
        raise BadInput(problem=_("Use at least %(least)s characters; 15 are better.", least=SHORTEST))
    if len(new) > accounts.LONGEST_PASSWORD or "\0" in new:
        raise BadInput(problem=_("Use at most %(most)s characters.", most=accounts.LONGEST_PASSWORD))
    if new != repeated:
        raise BadInput(problem=_("The two new passwords differ."))
    if new == current:
        raise BadInput(problem=_("The new password is the old one."))
    if new.casefold() in OBVIOUS or accounts.fold_login(new) == login:
        raise BadInput(problem=_("This password is among the first that anybody tries. Choose another one."))
