"""A process of ours: started through the guard, ended gracefully, started again when it dies by itself."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from . import guard

log = logging.getLogger("kiosk.run")

LONGEST_BACKOFF_SECONDS = 30.0
SETTLED_AFTER_SECONDS = 60.0


def spawn(
    command: Sequence[str], *, env: dict[str, str] | None = None, keep_open: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a command that the kernel kills when this process ends. Call it on the main thread.

    The death signal belongs to the thread that forked, and the own session keeps Ctrl-C from reaching the child
    before we have told the others in their order.
    """
    guarded = [sys.executable, "-I", "-S", str(Path(guard.__file__)), str(os.getpid()), *command]
    return subprocess.Popen(
        guarded, env=env, pass_fds=tuple(keep_open), start_new_session=True, stdin=subprocess.DEVNULL
    )


def end(process: subprocess.Popen[bytes], *, patience_seconds: float) -> None:
    """Ask a process to end, and kill its whole session when it does not."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(patience_seconds)
    except subprocess.TimeoutExpired:
        # before it is reaped: afterwards the number may belong to a stranger
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Child:
    """Keeps one process alive. `start` returns the running process; it is called again after each death."""

    def __init__(
        self, name: str, start: Callable[[], subprocess.Popen[bytes]], *, patience_seconds: float = 4.0
    ) -> None:
        self.name = name
        self._start = start
        self._patience_seconds = patience_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._again_at: float | None = None
        self._backoff_seconds = 0.0

    @property
    def is_running(self) -> bool:
        """Whether the process lives at this moment."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How the last process ended; None while it runs or before it ran."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start the process."""
        self._started_at = time.monotonic()
        self._again_at = None
        self._process = self._start()

    def tend(self) -> None:
        """Start the process again when it has died, later each time that it dies young."""
        if self.is_running:
            return
        now = time.monotonic()
        if self._again_at is None:
            self._again_at = now + self._next_backoff(now)
            log.error("%s ended by itself (exit code %s); starting it again", self.name, self.exit_code)
        elif now >= self._again_at:
            self._try_again()

    def stop(self) -> None:
        """End the process and whatever it started."""
        if self._process is not None:
            end(self._process, patience_seconds=self._patience_seconds)

    def _next_backoff(self, now: float) -> float:
        if now - self._started_at > SETTLED_AFTER_SECONDS:
            self._backoff_seconds = 0.0
        wait = self._backoff_seconds
        self._backoff_seconds = min(LONGEST_BACKOFF_SECONDS, max(0.5, wait * 2))
        return wait

    def _try_again(self) -> None:
        try:
            self.start()
        except (OSError, RuntimeError) as error:
            self._again_at = time.monotonic() + self._next_backoff(time.monotonic())
            log.error("%s cannot be started: %s", self.name, error)
