"""The server of the product with workers that die where a request says, or whose wall clock is wrong.

`python -m tests.faults.harmed`. A request names its points of death in `X-Test-Die`: before or after its nth commit or
its nth call of Redis, or before its reply. `TEST_WALL_SECONDS` says how far the wall clock is off. The product has no
such points itself: they are put around the engine's commit, the one call of Redis, and the application.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NoReturn

from kiosk.runtime import server

HEADER = "X-Test-Die"
WALL_SECONDS = "TEST_WALL_SECONDS"
_request = threading.local()


def points(commits: int, redis_calls: int) -> list[str]:
    """Every point of a request that commits and calls Redis so often."""
    pairs = [("commit", n) for n in range(1, commits + 1)] + [("redis", n) for n in range(1, redis_calls + 1)]
    return [f"{when} {what} {n}" for what, n in pairs for when in ("before", "after")] + ["before reply 1"]


def passing(what: str, work: Callable[[], Any]) -> Any:
    """Do the work; die before or after it where the request of this thread says so."""
    wanted, seen = getattr(_request, "wanted", ()), getattr(_request, "seen", Counter[str]())
    seen[what] += 1
    here = f"{what} {seen[what]}"
    if f"before {here}" in wanted:
        die(f"before {here}")
    result = work()
    if f"after {here}" in wanted:
        die(f"after {here}")
    return result


def die(point: str) -> NoReturn:
    """End the process at once, without any tidying up."""
    os.write(2, f"dies {point}\n".encode())
    os._exit(9)


def arm(app: Any) -> Any:
    """Put the points around what an application does."""
    from kiosk.extensions import db

    with app.app_context():
        dialect, store = db.engine.dialect, app.extensions["timers"]
    commit, call, answer = dialect.do_commit, store.call, app.wsgi_app
    dialect.do_commit = lambda connection: passing("commit", lambda: commit(connection))
    store.call = lambda use: passing("redis", lambda: call(use))

    def answer_or_die(environ: dict[str, Any], start_response: Any) -> Any:
        _request.wanted, _request.seen = environ.get("HTTP_X_TEST_DIE", "").split(", "), Counter[str]()
        reply = answer(environ, start_response)
        passing("reply", lambda: None)
        _request.wanted = ()
        return reply

    app.wsgi_app = answer_or_die
    return app


def load_app(master_pid: int, target: str) -> Any:
    """As the product's, harmed."""
    wrong_seconds = float(os.environ.get(WALL_SECONDS, "0"))
    if wrong_seconds:
        right = time.time
        time.time = lambda: right() + wrong_seconds
    app = _load_app(master_pid, target)
    app.test_client().get("/healthz")  # what a worker does once, in its first request, is no part of those that follow
    return arm(app)


_load_app = server.load_app

if __name__ == "__main__":
    server.load_app = load_app
    server.main(sys.argv[1:])
