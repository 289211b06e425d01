"""When and as what a request arrived: its instant and its id."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from flask import Flask, g, has_request_context, request

from kiosk import clock

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
    g.arrived_at = clock.now()
    given = request.headers.get("X-Request-Id", "")
    usable = given.isascii() and given.replace("-", "").isalnum() and len(given) <= LONGEST_ID
    g.request_id = given if usable else uuid4().hex[:16]
