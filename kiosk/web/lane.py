"""On SQLite one candidate's request runs at a time: there is one process, and its threads only got in each other's way.

At each wait, and a save has a dozen, a thread gives the interpreter away and has to get it back: that cost a quarter of
a request (ADR 6). Signing in, which computes for long beside the interpreter, and all that staff do take no turn.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from flask import Flask

from kiosk.config import Settings

PATHS = ("/candidate/", "/api/exam/", "/api/test-attempts/")
PATIENCE_SECONDS = 0.5  # turns save work and guard nothing: whoever hangs, on a locked file or Redis, holds nobody up
WAITED = "kiosk.waited_seconds"


def init_app(app: Flask, settings: Settings) -> None:
    """Put the turns around the application where they serve."""
    if settings.is_sqlite:
        app.wsgi_app = Lane(app.wsgi_app)  # type: ignore[method-assign]


class Lane:
    """Around the application: a candidate's request waits for its turn, and is told for how long it did."""

    def __init__(self, application: Any) -> None:
        """`application` answers the requests."""
        self._application, self._turn = application, threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer, as WSGI has it."""
        if not environ["PATH_INFO"].startswith(PATHS):
            return self._application(environ, start_response)
        has_turn = self._turn.acquire(blocking=False)
        if not has_turn:
            came_at = time.monotonic()
            has_turn = self._turn.acquire(timeout=PATIENCE_SECONDS)
            environ[WAITED] = time.monotonic() - came_at
        try:
            return self._application(environ, start_response)
        finally:
            if has_turn:
                self._turn.release()
