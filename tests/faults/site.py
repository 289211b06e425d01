"""A whole installation under fire: server, Redis, database, and a proxy on each line between them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.bots import AckLog, Bot
from tests.faults.checks import check_invariants, wrong_keys
from tests.faults.processes import Postgres, PrivateRedis, Server, soon
from tests.faults.proxy import Proxy

REDIS_BACK_SECONDS = 3.0
DATABASE_BACK_SECONDS = 10.0
KEYS_MENDED_SECONDS = 20.0  # a sweep compares every 5 s; more on a machine that has no time
# every third demo candidate is of a trade without a paper of its own
LOGINS = [f"TEST{number:06}" for number in range(1, 61) if number % 3]


class Site:
    """The laptop (SQLite) or, with a PostgreSQL, the country."""

    def __init__(self, folder: Path, postgres: Postgres | None = None) -> None:
        self.postgres = postgres
        self.redis = PrivateRedis(folder)
        self.redis_line = Proxy(("127.0.0.1", self.redis.port))
        self.database_line: Proxy | None = None
        self.database_url = f"sqlite:///{folder}/one/kiosk.db"
        server_url = self.database_url
        if postgres is not None:
            self.database_url = postgres.url("faults")
            self.database_line = Proxy(postgres.socket)
            server_url = (
                f"postgresql+psycopg://postgres@127.0.0.1:{self.database_line.port}/faults?sslmode=disable"
                "&gssencmode=disable"
            )
        self.server = Server(
            folder / "one", KIOSK_DATABASE_URL=server_url, KIOSK_REDIS_URL=f"redis://127.0.0.1:{self.redis_line.port}"
        )
        self.web_line = Proxy(("127.0.0.1", self.server.port))
        self.log = AckLog()
        self._logins = iter(LOGINS)
        self._writing: list[Bot] = []
        self.server.start()

    @property
    def lines(self) -> list[Proxy]:
        """Every proxy."""
        return [line for line in (self.redis_line, self.web_line, self.database_line) if line is not None]

    @property
    def sqlite_file(self) -> Path:
        """The database of the laptop."""
        return self.server.folder / "kiosk.db"

    def bot(self, *, through_web_line: bool = False) -> Bot:
        """A candidate whom nobody has used before, not signed in."""
        port = self.web_line.port if through_web_line else self.server.port
        return Bot(port, next(self._logins), self.log)

    def bots(self, count: int) -> list[Bot]:
        """Candidates who write already; some of them went through the faults of the tests before."""
        self._writing = [bot for bot in self._writing if not bot.is_done]
        while len(self._writing) < count:
            self._writing.append(self.bot().begin())
        for bot in self._writing[:count]:
            bot.port = self.server.port
        return self._writing[:count]

    def redis_state(self) -> str:
        """What the server thinks of Redis."""
        return self.server.ready()["redis"]

    def recovers_redis(self) -> float:
        """Wait until the server uses Redis again; return the seconds. Longer than 3 s is a failure."""
        return soon(lambda: self.redis_state() == "ok", within_seconds=REDIS_BACK_SECONDS)

    def recovers_database(self) -> float:
        """Wait until the server uses the database again; return the seconds. Longer than 10 s is a failure."""
        return soon(lambda: self.server.ready()["database"] == "ok", within_seconds=DATABASE_BACK_SECONDS)

    def kill_workers(self) -> None:
        """Kill whoever answers requests; somebody else will soon."""
        self.server.kill_workers()
        self.log.faults += 1

    @contextmanager
    def written_by_somebody_else(self) -> Iterator[sqlite3.Connection]:
        """Hold the one write lock of the laptop's database."""
        connection = sqlite3.connect(self.sqlite_file, isolation_level=None, timeout=5)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
        finally:
            connection.rollback()
            connection.close()

    @contextmanager
    def console(self) -> Iterator[psycopg.Connection[Any]]:
        """Somebody at the country's database itself."""
        assert self.postgres is not None
        with psycopg.connect(f"host={self.postgres.folder} user=postgres dbname=faults", autocommit=True) as connection:
            yield connection

    def put_right(self) -> None:
        """Undo every fault that a test left behind."""
        for line in self.lines:
            line.heal()
        if self.redis.process is None:
            self.redis.start()
        if self.postgres is not None and not self.postgres.is_running:
            self.postgres.start()
            self.recovers_database()
        if self.server.process is None:
            self.server.start()

    def judge(self) -> None:
        """Count the faults of this test and check the invariants."""
        self.log.faults += sum(line.faults for line in self.lines)
        for line in self.lines:
            line.faults = 0
        check_invariants(self.database_url, self.log)
        if self.server.process is not None:
            # a sweep mends what a fault left in Redis
            soon(lambda: not wrong_keys(self.database_url, self.redis.client), within_seconds=KEYS_MENDED_SECONDS)

    def close(self) -> None:
        """End everything."""
        self.server.stop()
        for line in self.lines:
            line.close()
        self.redis.kill()
        if self.postgres is not None:
            self.postgres.stop()
