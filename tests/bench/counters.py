"""Counts statements and round trips inside the server, for requests that ask for it; the answer tells in a header.

Hooked in by `counted/wsgi.py` alone: the product has nothing of it, and a request that does not ask pays a look-up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from redis.connection import AbstractConnection
from sqlalchemy import Engine, event

ASKED = "X-Bench-Count"
TOLD = "X-Bench-Counted"
_IN_ENVIRON = "HTTP_" + ASKED.upper().replace("-", "_")
_NOT_COUNTED = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")
_here = threading.local()


def install(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Return the WSGI application with counting around it. A request is served by one thread from first to last."""
    _hook()

    def counted(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if _IN_ENVIRON not in environ:
            return application(environ, start_response)
        _here.counts = counts = {"sql": 0, "redis": 0}

        def tell(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            told = (TOLD, f"{counts['sql']} {counts['redis']}")
            return start_response(status, [*headers, told], exc_info)

        try:
            return application(environ, tell)
        finally:
            _here.counts = None

    return counted


def _hook() -> None:
    @event.listens_for(Engine, "before_cursor_execute")
    def on_execute(_c: Any, _cursor: Any, statement: str, _p: Any, _context: Any, _many: bool) -> None:
        counts = getattr(_here, "counts", None)
        if counts is not None and not statement.startswith(_NOT_COUNTED):
            counts["sql"] += 1

    send = AbstractConnection.send_packed_command

    def send_counted(self: Any, *args: Any, **how: Any) -> Any:
        counts = getattr(_here, "counts", None)
        if counts is not None:
            counts["redis"] += 1
        return send(self, *args, **how)

    AbstractConnection.send_packed_command = send_counted  # type: ignore[method-assign]
