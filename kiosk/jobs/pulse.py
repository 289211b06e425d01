"""The pulse of a serving process: clock, sign of life, and on SQLite the sweeper; started by the first request."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from kiosk import clock
from kiosk.jobs import sweeper
from kiosk.services import kiosks, outages, presence, schema, system

log = logging.getLogger(__name__)

STAMP_SECONDS = 5
MEASURE_SECONDS = 30


def init_app(app: Flask) -> None:
    """Start the pulse with the first request: a thread begun earlier would not survive the server's fork."""
    guard = threading.Lock()
    started = threading.Event()

    @app.before_request
    def start_once() -> None:
        if started.is_set():
            return
        with guard:
            if not started.is_set() and begin(app):
                started.set()


def begin(app: Flask) -> bool:
    """Measure the clock, pause who was cut off by an outage, leave the first stamp, start the threads.

    Returns False, to be tried again, while the database is away or not migrated.
    """
    try:
        with app.app_context():
            if schema.pending_migrations():
                return False
            system.measure_clock()
            outages.recover(now=clock.now())
            sweeper.delete_strays()
            system.stamp("server", now=clock.now())
            is_sqlite = system.settings().is_sqlite
    except SQLAlchemyError as error:
        log.warning("no database yet: %s", type(error).__name__)
        return False
    _every(app, STAMP_SECONDS, "stamp", _stamp)
    _every(app, STAMP_SECONDS, "presence", presence.flush)
    _every(app, STAMP_SECONDS, "kiosks seen", kiosks.flush)
    _every(app, MEASURE_SECONDS, "measure", lambda: system.measure_clock())
    if is_sqlite:
        # several processes writing one SQLite file starve each other, so the sweeper lives in this one
        threading.Thread(target=sweeper.run, args=(app,), name="sweeper", daemon=True).start()
    return True


def _stamp() -> None:
    """Leave a sign of life; after a long silence (a sleeping laptop, a database that was away) pause first."""
    outages.recover(now=clock.now())
    system.stamp("server", now=clock.now())


def _every(app: Flask, seconds: int, name: str, work: Callable[[], object]) -> None:
    def loop() -> None:
        while True:
            time.sleep(seconds)
            try:
                with app.app_context():
                    work()
            except Exception as error:
                log.warning("%s failed: %s", name, error)

    threading.Thread(target=loop, name=name, daemon=True).start()
