"""A real server with demo data, and kiosks: real Chromium windows in front of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect
from sqlalchemy import select

from kiosk import clock, create_app
from kiosk.config import load_settings
from kiosk.extensions import db, transaction
from kiosk.ids import uuid7
from kiosk.models import Candidate
from kiosk.services import slots
from kiosk.services.audit import Actor
from tests.browser.kiosk import Kiosk

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--disable-dev-shm-usage",
]
# place % 3 in the demo data says the trade; only the first 40 sit in the centre whose admin is `centre`
PLACES = {"TTC": range(1, 41, 3), "OCC": range(2, 41, 3), "MUSICIAN": range(3, 41, 3)}
MORE = 60  # candidates of TTC beside the demo data's, so that each test has one of its own

expect.set_options(timeout=10_000)  # a machine that runs other tests beside these is slow


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs Chromium."""
    for item in items:
        if "tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """The Chromium of this machine."""
    path = os.environ.get("KIOSK_TEST_CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.skip("no Chromium here")
    return {"executable_path": path, "args": CHROMIUM_FLAGS}


class Server:
    """`python -m kiosk.run` on an instance directory and a port of its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kiosk-browser-", dir="/tmp"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        numbers = {trade: list(places) for trade, places in PLACES.items()}
        numbers["TTC"] += range(1001, 1001 + MORE)
        self._places = {trade: iter(places) for trade, places in numbers.items()}

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("KIOSK_")}
        settings = {"KIOSK_INSTANCE_DIR": str(self.folder), "PORT": str(self.port), "KIOSK_LOG_LEVEL": "error"}
        self.log = open(self.folder / "server.log", "w+")  # noqa: SIM115  as long as the server
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kiosk.run"],
            cwd=ROOT,
            env=inherited | settings,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "Ctrl-C" in line:
                self._add_candidates()
                return
        self.log.seek(0)
        raise AssertionError(f"the server did not start:\n{self.log.read()}")

    def _add_candidates(self) -> None:
        """More of the first candidate's kind, each with a slot."""
        environ = {"KIOSK_INSTANCE_DIR": str(self.folder), "PORT": str(self.port), "KIOSK_LOG_LEVEL": "error"}
        self.app = app = create_app(load_settings(environ), background=False)
        with app.app_context(), transaction():
            first = db.session.execute(select(Candidate).where(Candidate.login == "test000001")).scalar_one()
            kept = {column.key: getattr(first, column.key) for column in Candidate.__table__.columns}
            ids = []
            for number in range(1001, 1001 + MORE):
                service_no = f"TEST{number:06}"
                own = {"id": uuid7(), "service_no": service_no, "login": service_no.lower(), "seat": None}
                db.session.add(Candidate(**(kept | own)))
                ids.append(own["id"])
        with app.app_context():
            slots.assign(ids, by=Actor("system", "tests", organisation_id=kept["organisation_id"]), now=clock.now())

    def stop(self) -> None:
        """End it, and throw its data away."""
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        self.process.kill()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def somebody(self, trade: str = "TTC") -> str:
        """The service number of a candidate whom no other test has."""
        return f"TEST{next(self._places[trade]):06}"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all browser tests; each test takes candidates of its own (`server.somebody()`)."""
    running = Server()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def open_kiosk(server: Server, new_context: Callable[..., BrowserContext]) -> Iterator[Callable[..., Kiosk]]:
    """Open windows at the server; at the end none of them may have met a script error or a breach of the CSP."""
    opened: list[Kiosk] = []

    def open_one(**wishes: Any) -> Kiosk:
        context = new_context(**{"viewport": {"width": 1366, "height": 768}} | wishes)
        kiosk = Kiosk(context, server.url)
        opened.append(kiosk)
        return kiosk

    yield open_one
    troubles = [trouble for kiosk in opened for trouble in kiosk.troubles]
    assert not troubles, troubles


@pytest.fixture
def kiosk(open_kiosk: Callable[..., Kiosk]) -> Kiosk:
    """One window."""
    return open_kiosk()
