"""Starts a command that ends with its parent, however the parent ends: `guard.py PARENT_PID COMMAND …`.

Run as a file, with the standard library alone, so that it costs milliseconds and works for any program.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> bool:
    """Ask the kernel to kill this process when its parent ends; False where the kernel cannot (macOS).

    Exits at once when the parent is gone already: it may have died between our start and the request.
    """
    if not sys.platform.startswith("linux"):
        return False
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(0)
    return True


def watch_parent(parent_pid: int) -> None:
    """End this process soon after its parent, for kernels that don't do it themselves."""

    def watch() -> None:
        while os.getppid() == parent_pid:
            time.sleep(0.5)
        os._exit(0)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def run_beside(parent_pid: int, command: list[str]) -> int:
    """Run a command as a child, kill it when our parent is gone, and return its exit code."""
    child = subprocess.Popen(command, close_fds=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: child.send_signal(number))
    while True:
        try:
            return child.wait(timeout=0.3)
        except subprocess.TimeoutExpired:
            if os.getppid() != parent_pid:
                child.kill()
                return child.wait()


def main(arguments: list[str]) -> int:
    """Become the given command, or stay beside it where only watching helps."""
    parent_pid, command = int(arguments[0]), arguments[1:]
    if die_with_parent(parent_pid):
        os.execvp(command[0], command)  # noqa: S606 - the death signal survives exec
    return run_beside(parent_pid, command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
