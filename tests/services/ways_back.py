"""The two ways back, restore and reopen: what their tests share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from kiosk.errors import KioskError
from kiosk.extensions import db
from kiosk.models import Attempt
from kiosk.services import invariants, pauses, slots
from tests.cast import Hall
from tests.player import Player

WHY = "the wrong one was stopped"


def writer(hall: Hall) -> Player:
    """Somebody who has begun to write."""
    found = hall.player()
    found.start()
    found.save(1, "A")
    return found


def unpause(hall: Hall, player: Player, *, at: datetime) -> None:
    assert pauses.unpause([player.attempt.id], by=hall.admin, now=at) == 1


def reset(hall: Hall, one: Player) -> None:
    slots.reset([one.id], reason=WHY, by=hall.admin, now=hall.after(minutes=30))


def reassign(hall: Hall, one: Player) -> None:
    slots.reassign([one.id], reason=WHY, by=hall.admin, now=hall.after(minutes=30))


def nothing_is_broken(at: datetime) -> bool:
    db.session.rollback()
    return all(one.holds for one in invariants.check(now=at))


def refusal_of(call: Callable[[], Any]) -> str:
    """The code with which a call is refused; a refused call leaves nothing behind."""
    before = db.session.execute(select(Attempt.version, Attempt.status).order_by(Attempt.id)).all()
    with pytest.raises(KioskError) as met:
        call()
    db.session.rollback()
    assert db.session.execute(select(Attempt.version, Attempt.status).order_by(Attempt.id)).all() == before
    return met.value.code
