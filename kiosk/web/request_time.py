"""When and as what a request arrived: its instant and its id."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from flask import Flask, g, has_request_context, request

from kiosk import clock
from kiosk.web.lane import WAITED

LONGEST_ID = 40


def arrived_at() -> datetime:
    """Return the instant of the first line of this request: a slow server never makes an answer late."""
    return g.arrived_at


def request_id() -> str | None:
    """Return the id that stands in every log line, error page and problem of this request."""
    return g.get("request_id") if has_request_context() else None


def init_app(app: Flask) -> None:
    """Stamp each request before anything else looks at it."""
    app.before_request(_stamp)


def _stamp() -> None:
    kept = g._get_current_object()
    # a turn that it had to wait for (lane) does not make it late
    kept.arrived_at = clock.now() - timedelta(seconds=request.environ.get(WAITED, 0.0))
    given = request.environ.get("HTTP_X_REQUEST_ID", "")
    usable = given and given.isascii() and given.replace("-", "").isalnum() and len(given) <= LONGEST_ID
    # no secret, so not asked of the system: that would hand the interpreter to another thread
    kept.request_id = given if usable else f"{random.getrandbits(64):016x}"
