"""One server per instance directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self

from kiosk.runtime import StartRefused


class AlreadyRunning(StartRefused):
    """A server runs on this instance directory; the text names its process."""


class ServerLock:
    """Holds `server.lock`, with our process id in it, until the process ends or `release` is called."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, instance_dir: Path) -> Self:
        """Take the lock or raise AlreadyRunning. The kernel releases it whatever ends us."""
        descriptor = os.open(instance_dir / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            os.close(descriptor)
            raise AlreadyRunning(f"a server runs on {instance_dir} already (process {holder or 'unknown'})") from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        return cls(descriptor)

    def release(self) -> None:
        """Let the next server in."""
        os.close(self._descriptor)
