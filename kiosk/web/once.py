"""A form that adds something has its effect once, however often it is sent: a double click gives nobody double time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from uuid import uuid4

from flask import request
from flask_login import current_user

from kiosk.services import idempotency
from kiosk.services.idempotency import Repeatable
from kiosk.web.request_time import arrived_at

FIELD = "once"
LONGEST = 40


def number() -> str:
    """Return a number for a form that is being drawn; it stands in the hidden field `once`."""
    return uuid4().hex


def once(work: Callable[[], None]) -> bool:
    """Do `work` unless this form, with what it says now, was sent before; return whether it was done now.

    A form without a number is done each time. Raises InProgress while the first one is still worked on.
    """
    given = request.form.get(FIELD, "")[:LONGEST]
    if not given:
        work()
        return True
    done: list[bool] = []

    def note() -> None:
        work()
        done.append(True)

    said = hashlib.sha256(repr(sorted(request.form.items(multi=True))).encode()).hexdigest()
    called = Repeatable(current_user.id, f"{given}:{said}", request.path, {})
    idempotency.once(called, note, lambda _is_inside: ({}, 200), now=arrived_at())
    return bool(done)
