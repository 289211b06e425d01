"""The worker: does one job after the other. Any number may run; a job whose worker died is taken up again."""

from __future__ import annotations

import logging
import threading
import time

from flask import Flask

from kiosk import clock
from kiosk.services import candidate_staging, jobs, stored_files, working

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
TIDY_SECONDS = 600.0


def begin(app: Flask) -> None:
    """Start working in threads of this process: one takes everything, one only what does not last.

    Hashing the passwords of a large file takes half an hour; nobody who resets slots shall wait for that.
    """
    for name, but in (("jobs", ()), ("quick jobs", jobs.IMPORT_KINDS)):
        threading.Thread(target=run, args=(app, but), name=name, daemon=True).start()


def run(app: Flask, but: tuple[str, ...] = ()) -> None:
    """Work for ever, on jobs of any kind but these."""
    tidied_at = 0.0
    while True:
        did_one = False
        try:
            with app.app_context():
                did_one = run_once(but)
                if time.monotonic() - tidied_at > TIDY_SECONDS:
                    tidy()
                    tidied_at = time.monotonic()
        except Exception as error:
            log.warning("the worker stumbled: %s", error, exc_info=error)
        if not did_one:
            time.sleep(LOOK_SECONDS)


def run_once(but: tuple[str, ...] = ()) -> bool:
    """Do the next job, if there is one; return whether there was."""
    work = jobs.claim(but=but)
    if work is not None:
        log.info("job begins kind=%s id=%s", work.kind, work.id)
        working.do(work)
    return work is not None


def tidy() -> None:
    """Delete what jobs may not keep, and what those left that died on the way."""
    jobs.forget_files(now=clock.now())
    stored_files.forget_unclaimed(now=clock.now())
    candidate_staging.clear_left()
