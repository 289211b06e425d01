"""Errands beside the sweeper, in a thread of their own: they never hold up the end of a test. Any number may run."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask

from kiosk import clock
from kiosk.extensions import db
from kiosk.jobs import mailing, news
from kiosk.services import seals

log = logging.getLogger(__name__)

ROUND_SECONDS = 5


@dataclass(frozen=True)
class Errand:
    """Something to be done again and again, every so many rounds."""

    name: str
    every: int
    work: Callable[[], object]


ERRANDS = (
    Errand("seals", 12, lambda: seals.seal(now=clock.now())),
    Errand("news", 6, lambda: news.gather(now=clock.now())),
    Errand("mail", 1, lambda: mailing.send_due(now=clock.now())),
)


def begin(app: Flask) -> None:
    """Run the errands for ever, beside whatever this process does."""
    threading.Thread(target=_run, args=(app,), name="errands", daemon=True).start()


def do(app: Flask, rounds: int = 0) -> None:
    """Do what is due in this round; what fails is logged and waits for its next turn."""
    for errand in ERRANDS:
        if rounds % errand.every:
            continue
        try:
            with app.app_context():
                errand.work()
                db.session.remove()
        except Exception as error:
            log.warning("%s failed: %s", errand.name, error)


def _run(app: Flask) -> None:
    rounds = 0
    while True:
        do(app, rounds)
        rounds += 1
        time.sleep(ROUND_SECONDS)
