"""What every test may ask for: real applications over real SQLite, PostgreSQL and Redis."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from kiosk import clock, create_app
from kiosk.config import load_settings
from tests.cast import Hall
from tests.figures import pytest_terminal_summary  # noqa: F401  a hook
from tests.postgresql import Cluster, bin_folder
from tests.snapshot import Snapshot

_databases = count(1)
SECRET = "a secret that only the tests know, long enough"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL server of this test process."""
    programs = bin_folder()
    if programs is None:
        pytest.skip("no PostgreSQL here")
    cluster = Cluster(programs)
    yield cluster
    cluster.stop()


class RedisServer:
    """A real Redis of this test process that can be stopped and started."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kiosk-redis-", dir="/tmp"))
        self.socket = self.folder / "s"
        self.url = f"unix://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, empty."""
        from kiosk.embedded import find_server

        command = [
            find_server(),
            "--port",
            "0",
            "--unixsocket",
            str(self.socket),
            "--save",
            "",
            "--dir",
            str(self.folder),
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                self.client().ping()
                return
            except (redis.RedisError, OSError):
                time.sleep(0.02)
        raise RuntimeError("Redis does not start")

    def stop(self) -> None:
        """Kill it as a power cut would."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def client(self) -> redis.Redis:
        """A client of its own, to look and to harm."""
        return redis.Redis.from_url(self.url, decode_responses=True)

    def close(self) -> None:
        """End it for good."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_process() -> Iterator[RedisServer]:
    """The Redis of this test process."""
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
def redis_server(redis_process: RedisServer) -> Iterator[RedisServer]:
    """A running, empty Redis; started again if the test before stopped it."""
    if redis_process.process is None:
        redis_process.start()
    redis_process.client().flushall()
    return redis_process


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('database')}/kiosk.db"
    cluster = request.getfixturevalue("postgresql")
    # pytest may set this up more than once for a process
    return cluster.url(f"kiosk_{os.getpid()}_{next(_databases)}")


@pytest.fixture(scope="session")
def bare_app(database_url: str, redis_process: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application on a migrated, empty database; each test leaves it as it found it (see `app`)."""
    import flask_migrate

    environ = {
        "KIOSK_INSTANCE_DIR": str(tmp_path_factory.mktemp("instance")),
        "KIOSK_DATABASE_URL": database_url,
        "KIOSK_REDIS_URL": redis_process.url,
        "KIOSK_SECRET_KEY": SECRET,
        "KIOSK_LOG_LEVEL": "error",
    }
    app = create_app(load_settings(environ), background=False)
    app.testing = True
    with app.app_context():
        flask_migrate.upgrade(directory=app.config["MIGRATIONS_DIR"])
    return app


@pytest.fixture(scope="session")
def snapshot(bare_app: Flask) -> Snapshot:
    """The small organisation of the tests (see `Hall`), built once and put back before each test."""
    clock.freeze(Hall.MORNING)
    with bare_app.app_context():
        bare_app.extensions["hall"] = Hall(bare_app)
        return Snapshot()


@pytest.fixture
def app(bare_app: Flask, snapshot: Snapshot, redis_server: RedisServer) -> Iterator[Flask]:
    """The application with `hall` in it and nothing else; time stands still at a fixed morning."""
    from kiosk.extensions import db

    clock.freeze(Hall.MORNING)
    with bare_app.app_context():
        snapshot.restore()
    bare_app.extensions["hall"].forget()
    bare_app.extensions["timers"].forgive()
    yield bare_app
    with bare_app.app_context():
        db.session.remove()
    clock.freeze(None)


@pytest.fixture
def hall(app: Flask, request: pytest.FixtureRequest) -> Iterator[Hall]:
    """The people and papers of the tests, inside an application context. After each test the invariants hold."""
    from kiosk.extensions import db
    from kiosk.services import invariants

    with app.app_context():
        yield app.extensions["hall"]
        db.session.rollback()
        if not request.node.get_closest_marker("harms_the_database"):
            broken = [finding for finding in invariants.check(now=Hall.MORNING) if not finding.holds]
            assert not broken
        db.session.remove()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a sign-in; `hall.sign_in(client, login)` signs in."""
    return app.test_client()
