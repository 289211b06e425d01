"""The processes that are killed and started again: Redis, PostgreSQL, the server; and a Redis that only pretends."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import redis

from kiosk.embedded import find_server
from tests.postgresql import Cluster
from tests.runtime.conftest import ROOT, SECRET, eventually, free_port

POSTGRESQL_OPTIONS = "-c fsync=off -c max_connections=100 -c shared_buffers=32MB -c listen_addresses=''"


class PrivateRedis:
    """A redis-server on a port of its own that comes back empty at the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.port = folder, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def client(self) -> Any:
        """A client of its own, to look and to harm."""
        return redis.Redis(port=self.port, decode_responses=True)

    def start(self) -> None:
        """Start it, empty."""
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder))
        self.process = subprocess.Popen([find_server(), *options], stdout=subprocess.DEVNULL)
        assert eventually(lambda: _answers(self.port)), "Redis does not start"

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def timers(self) -> dict[str, str]:
        """What the timer keys hold, by attempt; those of a wrong type left out."""
        keys = [key for key in self.client.keys("exam:timer:*") if self.client.type(key) == "string"]
        return {key.rpartition(":")[2]: self.client.get(key) for key in keys}


class FakeRedis:
    """Answers every command with the same bytes."""

    def __init__(self) -> None:
        self.answer = b"+OK\r\n"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End it."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection, connection.makefile("rb") as asked:
            while head := asked.readline():
                for _ in range(int(head[1:])):
                    asked.read(int(asked.readline()[1:]) + 2)
                connection.sendall(self.answer)


class Postgres(Cluster):
    """A PostgreSQL whose commits are in the log before they are answered, and which can be killed."""

    def __init__(self, programs: Path, folder: Path | None = None) -> None:
        super().__init__(programs, folder)
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "-w", "stop")
        self.start()

    @property
    def socket(self) -> str:
        """The unix socket."""
        return f"{self.folder}/.s.PGSQL.5432"

    def start(self) -> None:
        """Start it on its data."""
        self.is_running = True
        options = f"-k {self.folder} {POSTGRESQL_OPTIONS}"
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-o", options, "-l", f"{self.folder}/log", "-w", "start")

    def family(self) -> list[psutil.Process]:
        """The postmaster and its backends."""
        pid = int(Path(f"{self.folder}/data/postmaster.pid").read_text().split()[0])
        postmaster = psutil.Process(pid)
        return [postmaster, *postmaster.children(recursive=True)]

    def kill(self) -> None:
        """Kill the postmaster with -9, wait until its backends are gone too."""
        family = self.family()
        family[0].kill()
        self.is_running = False
        psutil.wait_procs(family, timeout=5)


class Server:
    """One server of ours on an instance directory and a port of its own."""

    def __init__(self, folder: Path, *, module: str = "kiosk.run", **settings: str) -> None:
        self.folder, self.port, self._module = folder, free_port(), module
        self.settings = {"KIOSK_SECRET_KEY": SECRET, "KIOSK_LOG_LEVEL": "warning", **settings}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.begin()
        assert eventually(lambda: self._said()["database"] == "ok", within_seconds=30), self.output()

    def begin(self) -> subprocess.Popen[bytes]:
        """Start it without waiting."""
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "said").open("ab") as said:
            self.process = subprocess.Popen(self.command, cwd=ROOT, env=self.environment(), stdout=said, stderr=said)
        return self.process

    @property
    def command(self) -> list[str]:
        """What starts it."""
        return [sys.executable, "-m", self._module]

    def environment(self) -> dict[str, str]:
        """What it is told."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("KIOSK_")}
        return inherited | {"KIOSK_INSTANCE_DIR": str(self.folder), "PORT": str(self.port)} | self.settings

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal and wait for the end of everything that belongs to it."""
        if self.process is None:
            return
        family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        self.process.send_signal(number)
        self.process.wait(timeout=15)
        psutil.wait_procs(family, timeout=5)
        self.process = None

    def kill_workers(self) -> None:
        """Kill the processes that answer requests; others take their place."""
        for worker in self.workers():
            worker.kill()

    def workers(self) -> list[psutil.Process]:
        """The processes that answer requests."""
        assert self.process is not None
        below = psutil.Process(self.process.pid).children()
        return next(p for p in below if "kiosk.runtime.server" in p.cmdline()).children()

    def ready(self) -> dict[str, Any]:
        """What /readyz says, whatever its status."""
        return self._said()

    def is_alive(self) -> bool:
        """Whether /healthz answers."""
        return self._ask("/healthz")[0] == 200

    def output(self) -> str:
        """What the processes have said."""
        return (self.folder / "said").read_text()

    def _said(self) -> dict[str, Any]:
        return json.loads(self._ask("/readyz")[1])

    def _ask(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def soon(claim: Callable[[], object], *, within_seconds: float) -> float:
    """Wait until a claim is true; return how many seconds that took."""
    begun_at = time.monotonic()
    assert eventually(claim, within_seconds=within_seconds), f"not within {within_seconds} s"
    return time.monotonic() - begun_at


def _answers(port: int) -> bool:
    try:
        return bool(redis.Redis(port=port).ping())
    except redis.RedisError:
        return False
