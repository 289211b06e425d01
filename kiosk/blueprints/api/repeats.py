"""`Idempotency-Key`: a call that a program may send again without a second effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from kiosk.blueprints.api import caller
from kiosk.blueprints.api.calls import sent
from kiosk.services import idempotency
from kiosk.services.idempotency import Repeatable
from kiosk.web.request_time import arrived_at

HEADER = "Idempotency-Key"


def once(
    work: Callable[[], object], answer: Callable[[bool], tuple[dict[str, Any], int]]
) -> tuple[dict[str, Any], int]:
    """Do `work` and return its `answer`; with a key that was used for the same call before, the first answer.

    `answer` is told whether there was something to do.
    """
    key = request.headers.get(HEADER)
    if not key:
        return answer(work() is not False)
    # ids in the body are compared as text: they come here as UUIDs
    body = {name: str(value) for name, value in sent().items()}
    called = Repeatable(caller.current().id, key, f"{request.method} {request.path.rstrip('/')}", body)
    return idempotency.once(called, work, answer, now=arrived_at())
