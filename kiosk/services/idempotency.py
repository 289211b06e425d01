"""Calls that a program may repeat under a key: the effect happens once, and every repetition gets the first answer.

The claim on the key is committed first, so that a second call meets it while the first one works. The answer is
written in the transaction of the effect itself: neither is ever there without the other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from kiosk.errors import KioskError
from kiosk.extensions import db, last_of_all, retried, transaction
from kiosk.models import IdempotencyKey

LONGEST_KEY = 200
KEPT = timedelta(hours=24)
ABANDONED = timedelta(minutes=1)  # longer than any request may take: its process is gone

Answer = tuple[dict[str, Any], int]


class KeyTooLong(KioskError):
    status, code = 422, "key_too_long"
    message = _l("The Idempotency-Key is too long (at most %(most)s characters).")


class KeyReused(KioskError):
    status, code = 422, "key_reused"
    message = _l("This Idempotency-Key was used with another body.")


class InProgress(KioskError):
    status, code = 409, "in_progress"
    message = _l("The same call is still being worked on. Try again in a moment.")


@dataclass(frozen=True)
class Repeatable:
    """One call as it may be repeated: by whom, under which key, which call, with which body."""

    user_id: UUID
    key: str
    call: str
    body: dict[str, Any]

    @property
    def body_hash(self) -> str:
        """A digest by which another body is noticed."""
        return hashlib.sha256(json.dumps(self.body, sort_keys=True).encode()).hexdigest()


def once(called: Repeatable, work: Callable[[], object], answer: Callable[[bool], Answer], *, now: datetime) -> Answer:
    """Do `work`, a service of one transaction, unless it was done; return its answer, now and each time after.

    `answer` is asked inside that transaction (True), or afterwards where there was nothing to change (False).
    A refusal is not kept. Raises KeyTooLong, KeyReused, InProgress.
    """
    if len(called.key) > LONGEST_KEY:
        raise KeyTooLong(most=LONGEST_KEY)
    known = _claim(called, now)
    if known is not None:
        return known
    kept: list[Answer] = []

    def keep_at_commit() -> None:
        kept[:] = [answer(True)]
        _complete(called, kept[0], now)

    try:
        with last_of_all(keep_at_commit):
            work()
    except KioskError:
        _release(called, now)
        raise
    if not kept:
        kept.append(answer(False))
        with transaction():
            _complete(called, kept[0], now)
    return kept[0]


@retried
def _claim(called: Repeatable, now: datetime) -> Answer | None:
    """Take the key for this call; or return the answer that it was given. Raises KeyReused, InProgress."""
    try:
        with transaction():
            db.session.execute(delete(IdempotencyKey).where(IdempotencyKey.made_at <= now - KEPT))
            db.session.execute(
                delete(IdempotencyKey).where(
                    *_is(called), IdempotencyKey.status.is_(None), IdempotencyKey.made_at <= now - ABANDONED
                )
            )
            db.session.execute(
                insert(IdempotencyKey).values(
                    user_id=called.user_id,
                    key=called.key,
                    call=called.call,
                    body_hash=called.body_hash,
                    made_at=now,
                )
            )
    except IntegrityError:
        return _known(called)
    return None


def _known(called: Repeatable) -> Answer:
    row = db.session.execute(
        select(IdempotencyKey.body_hash, IdempotencyKey.status, IdempotencyKey.body).where(*_is(called))
    ).one_or_none()
    if row is None:  # the first call was refused this very moment
        raise InProgress
    if row.body_hash != called.body_hash:
        raise KeyReused
    if row.status is None:
        raise InProgress
    return row.body, row.status


def _complete(called: Repeatable, answer: Answer, now: datetime) -> None:
    """Write the answer to the claim. Raises InProgress if the claim was given to another: then nothing happened."""
    body, status = answer
    done = db.session.execute(
        update(IdempotencyKey)
        .where(*_is(called), IdempotencyKey.made_at == now, IdempotencyKey.status.is_(None))
        .values(status=status, body=body)
        .execution_options(synchronize_session=False)
        .returning(IdempotencyKey.key)
    ).one_or_none()
    if done is None:
        raise InProgress


def _release(called: Repeatable, now: datetime) -> None:
    with transaction():
        db.session.execute(delete(IdempotencyKey).where(*_is(called), IdempotencyKey.made_at == now))


def _is(called: Repeatable) -> tuple[Any, ...]:
    return (
        IdempotencyKey.user_id == called.user_id,
        IdempotencyKey.key == called.key,
        IdempotencyKey.call == called.call,
    )
