"""The web server process: granian, with workers that end with it. `python -m kiosk.runtime.server [CERT KEY]`."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels

from kiosk.config import load_settings
from kiosk.runtime import guard

# Measured: with granian's own defaults two workers took a thousand kept-alive connections and then hung.
BACKLOG = 4096
BACKPRESSURE = 20_000
HEADER_READ_MILLISECONDS = 60_000


def load_app(master_pid: int, _target: str) -> Callable[..., Any]:
    """Return the WSGI application inside a worker, once the worker is bound to its master's life."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # the master's handlers came along with the fork and would swallow a signal until granian sets its own
        signal.signal(number, signal.SIG_DFL)
    if not guard.die_with_parent(master_pid):
        guard.watch_parent(master_pid)
    from wsgi import app

    # what the program itself consists of stays: to look through it again and again held up everybody for 250 ms
    gc.collect()
    gc.freeze()
    return app


def main(arguments: list[str]) -> None:
    """Serve until told to end."""
    settings = load_settings()
    certificate, key = (Path(arguments[0]), Path(arguments[1])) if arguments else (None, None)
    one_process = settings.is_sqlite
    server = Granian(
        "wsgi:app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        # one process writes an SQLite file; several starve each other for seconds
        workers=1 if one_process else os.cpu_count() or 1,
        blocking_threads=3 if one_process else 4,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_READ_MILLISECONDS),
        log_level=LogLevels.warning,
        ssl_cert=certificate,
        ssl_key=key,
        ssl_protocol_min=SSLProtocols.tls12,
        respawn_failed_workers=True,
        respawn_interval=0.5,
    )
    server.serve(target_loader=partial(load_app, os.getpid()))


if __name__ == "__main__":
    main(sys.argv[1:])
