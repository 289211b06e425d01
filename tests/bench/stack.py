"""The stack under load: the servers as `manage.py run` starts them, in a folder and on a port of their own."""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from flask import Flask

from tests.bench import usage
from tests.postgresql import Cluster, bin_folder
from tests.runtime.conftest import ROOT, eventually, free_port

HERE = Path(__file__).parent
READY_SECONDS, END_SECONDS = 60.0, 20.0
DURABLE = "-c max_connections=200 -c shared_buffers=128MB -c listen_addresses=''"


class CannotStart(Exception):
    """The stack cannot be started; the text is one line that says why."""


class DurablePostgres(Cluster):
    """A PostgreSQL that keeps what it commits, as in production; the tests' own is quicker and keeps nothing."""

    def __init__(self, programs: Path) -> None:
        super().__init__(programs)
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-m", "fast", "-w", "stop")
        options = f"-k {self.folder} {DURABLE}"
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-o", options, "-l", f"{self.folder}/log", "-w", "start")

    @property
    def pid(self) -> int:
        """The postmaster."""
        return int(Path(f"{self.folder}/data/postmaster.pid").read_text().split()[0])


class Server:
    """One `python -m` of ours, started in a folder whose `wsgi.py` it serves."""

    def __init__(self, module: str, folder: Path, environ: dict[str, str]) -> None:
        self.port = free_port()
        folder.mkdir(exist_ok=True)
        self._module, self._said = module, folder / "said"
        self._environ = environ | {"PORT": str(self.port), "KIOSK_INSTANCE_DIR": str(folder)}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, place: Path, path: str) -> None:
        """Start it and wait until it answers. Raises CannotStart."""
        with self._said.open("ab") as said:
            # the folder comes first on the path of modules, so its wsgi.py is the one that is found
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module],
                cwd=place,
                env=self._environ,
                stdout=said,
                stderr=said,
                start_new_session=True,  # Ctrl-C is for us, who end it in its order
            )
        if not eventually(lambda: self._answers(path), within_seconds=READY_SECONDS):
            raise CannotStart(f"{self._module} does not answer: {self._said.read_text()[-2000:]}")

    @property
    def pid(self) -> int:
        """The process that started all others."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """End it and everything that it started."""
        if self._process is not None:
            left = usage.family(self._process.pid)
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=END_SECONDS)
            for process in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()  # does nothing to one that has ended
            self._process.wait()
            self._process = None

    def _answers(self, path: str) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise CannotStart(f"{self._module} ended: {self._said.read_text()[-2000:]}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        finally:
            connection.close()


class Stack:
    """The product, the yardstick, and where the product's data are."""

    def __init__(self, database: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kiosk-bench-"))
        self.postgres: DurablePostgres | None = None
        url = f"sqlite:///{self.folder}/product/kiosk.db"
        if database == "postgresql":
            programs = bin_folder()
            if programs is None:
                shutil.rmtree(self.folder)
                raise CannotStart("there is no PostgreSQL on this machine; try --database embedded")
            self.postgres = DurablePostgres(programs)
            url = self.postgres.url("bench")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("KIOSK_")}
        self.environ = inherited | {
            "HOST": "127.0.0.1",
            "PYTHONPATH": str(ROOT),
            "KIOSK_ENV": "production",
            "KIOSK_DATABASE_URL": url,
            "KIOSK_SECRET_KEY": secrets.token_urlsafe(48),
        }
        self.server = Server("kiosk.run", self.folder / "product", self.environ)
        self.yardstick = Server("kiosk.runtime.server", self.folder / "yardstick", self.environ)

    def make_app(self) -> Flask:
        """An application on the stack's database and Redis, to load data and to look at what came of it."""
        from kiosk import create_app
        from kiosk.config import load_settings

        environ: dict[str, Any] = self.environ | {
            "KIOSK_INSTANCE_DIR": str(self.folder / "product"),
            "KIOSK_ENV": "demo",  # its sample papers are what candidates write
            "KIOSK_LOG_LEVEL": "error",
        }
        return create_app(load_settings(environ), background=False)

    def start(self) -> None:
        """Start the product and the yardstick."""
        self.server.start(HERE / "counted", "/readyz")
        self.yardstick.start(HERE / "bare", "/")
        time.sleep(1.0)  # the first round of the sweeper and the like belongs to nobody

    def cpu_ms(self) -> float:
        """CPU of all of the product's processes so far: supervisor, server, workers, sweeper, Redis, PostgreSQL."""
        return usage.cpu_ms(self._processes())

    def memory_mb(self) -> float:
        """Memory of all of them."""
        return usage.memory_mb(self._processes())

    def yardstick_cpu_ms(self) -> float:
        """CPU of the bare route's server so far."""
        return usage.cpu_ms(usage.family(self.yardstick.pid))

    def stop(self) -> None:
        """End everything and remove the folder."""
        for server in (self.yardstick, self.server):
            server.stop()
        if self.postgres is not None:
            self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _processes(self) -> list[Any]:
        found = usage.family(self.server.pid)
        return found + (usage.family(self.postgres.pid) if self.postgres else [])
