"""Real servers in real processes, each on its own instance directory and port."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.postgresql import Cluster

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a secret key for tests that is long enough"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Instance:
    """One instance directory, and the server that runs on it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.settings = {"KIOSK_ENV": "production", "KIOSK_SECRET_KEY": SECRET, **settings}
        self.process: subprocess.Popen[str] | None = None
        self.output = ""

    def begin(self, **settings: str) -> subprocess.Popen[str]:
        """Start `kiosk.run` without waiting for it."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("KIOSK_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kiosk.run"],
            cwd=ROOT,
            env={
                **inherited,
                "KIOSK_INSTANCE_DIR": str(self.folder),
                "PORT": str(self.port),
                **self.settings,
                **settings,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self.process

    def start(self, **settings: str) -> float:
        """Start the server and return how many seconds it took until it said that it is ready."""
        begun_at = time.monotonic()
        process = self.begin(**settings)
        assert process.stdout is not None
        self.output = ""
        for line in process.stdout:
            self.output += line
            if "Ctrl-C" in line:
                return time.monotonic() - begun_at
        raise AssertionError(f"the server did not start:\n{self.output}")

    def refusal(self, **settings: str) -> tuple[int, str]:
        """Start a server that should refuse; return its exit code and what it said."""
        process = self.begin(**settings)
        said, _ = process.communicate(timeout=30)
        return process.returncode, said.strip()

    def get(self, path: str) -> tuple[int, str]:
        """Ask the server; return status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def ready(self) -> dict[str, Any]:
        """What /readyz says."""
        return json.loads(self.get("/readyz")[1])

    def redis(self) -> dict[str, Any]:
        """Where the embedded Redis is."""
        return json.loads((self.folder / "redis.json").read_text())

    def processes(self) -> dict[int, str]:
        """Every living process of this instance. Redis hides its environment but works in our folder."""
        found = {}
        for process in psutil.process_iter():
            try:
                is_ours = process.environ().get("KIOSK_INSTANCE_DIR") == str(self.folder)
                is_ours = is_ours or process.cwd().startswith(str(self.folder))
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    found[process.pid] = " ".join(process.cmdline())
            except (psutil.Error, OSError):
                continue
        return found

    def end(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Send a signal, wait for the supervisor's end, and return how many seconds it took."""
        assert self.process is not None
        begun_at = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=15)
        return time.monotonic() - begun_at


def eventually(claim: Callable[[], object], *, within_seconds: float = 10) -> bool:
    """Whether a claim becomes true in time. A server that is just coming back makes it false, not wrong."""
    give_up_at = time.monotonic() + within_seconds
    while time.monotonic() < give_up_at:
        try:
            if claim():
                return True
        except (OSError, http.client.HTTPException, ValueError):
            pass
        time.sleep(0.05)
    return False


@pytest.fixture
def make_instance(tmp_path: Path) -> Iterator[Callable[..., Instance]]:
    """Makes instances whose servers end with the test."""
    made: list[Instance] = []

    def make(name: str = "one", **settings: str) -> Instance:
        made.append(Instance(tmp_path / name, **settings))
        return made[-1]

    yield make
    for instance in made:
        if instance.process is not None and instance.process.poll() is None:
            instance.end()
        if instance.process is not None and instance.process.stdout is not None:
            instance.process.stdout.close()
        # after a kill it waits for the next start, which a test may not want
        with contextlib.suppress(OSError, ValueError):
            shutil.rmtree(Path(instance.redis()["socket"]).parent, ignore_errors=True)


@pytest.fixture
def instance(make_instance: Callable[..., Instance]) -> Instance:
    """One instance, not started."""
    return make_instance()


@pytest.fixture
def postgresql_url(postgresql: Cluster, request: pytest.FixtureRequest) -> str:
    """An empty PostgreSQL database."""
    return postgresql.url(f"runtime_{abs(hash(request.node.nodeid))}")
