"""Work that needs the whole application, done by a process that ends with it: who tends the others stays small."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from kiosk.runtime import StartRefused, guard

BEAT_SECONDS = 0.05


def call(work: Callable[[], Any], *, is_wanted: Callable[[], bool]) -> Any:
    """Return what `work` returns; None if it is not wanted any more. Raises its StartRefused."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    # forked, not started anew: nothing of ours is running but the main thread, and it saves an interpreter's start
    process = multiprocessing.get_context("fork").Process(target=_do, args=(work, theirs, os.getpid()))
    process.start()
    theirs.close()
    try:
        while not ours.poll(BEAT_SECONDS):
            if not is_wanted():
                return None
        succeeded, outcome = ours.recv()
    except EOFError:
        raise StartRefused("the database could not be made ready; see above") from None
    finally:
        process.terminate()
        process.join()
    if not succeeded:
        raise StartRefused(outcome)
    return outcome


def _do(work: Callable[[], Any], answer: Connection, parent_id: int) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if not guard.die_with_parent(parent_id):
        guard.watch_parent(parent_id)
    try:
        answer.send((True, work()))
    except StartRefused as refusal:
        answer.send((False, str(refusal)))
