"""What is done to accounts and their sign-ins: unlocking after wrong tries, ending sign-ins."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import update

from kiosk.errors import NotFound
from kiosk.extensions import db, retried, transaction
from kiosk.models import Candidate, User
from kiosk.services import audit
from kiosk.services.audit import Actor, Change

Person = type[Candidate] | type[User]
KIND: dict[Person, str] = {Candidate: "candidate", User: "user"}


@retried
def unlock(model: Person, person_id: UUID, *, by: Actor, now: datetime) -> bool:
    """Let somebody try again at once after wrong tries; return whether the account was locked."""
    with transaction():
        done = db.session.execute(
            update(model)
            .where(model.id == person_id, model.locked_until > now)
            .values(failed_sign_ins=0, locked_until=None)
        )
        was_locked = done.rowcount == 1  # type: ignore[attr-defined]
        if was_locked:
            audit.record([Change(KIND[model], person_id, "unlock", "locked", "open")], by=by, now=now)
    return was_locked


@retried
def end_all(model: Person, person_id: UUID, *, by: Actor, now: datetime) -> int:
    """End every sign-in of somebody; return the epoch of those that begin from now on. Raises NotFound."""
    with transaction():
        epoch = db.session.execute(
            update(model)
            .where(model.id == person_id)
            .values(session_epoch=model.session_epoch + 1)
            .returning(model.session_epoch)
        ).scalar_one_or_none()
        if epoch is None:
            raise NotFound
        audit.record([Change(KIND[model], person_id, "end_sign_ins")], by=by, now=now)
    return epoch
