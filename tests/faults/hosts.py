"""Two hosts of one installation over one PostgreSQL and one Redis Cluster, with a front door before them."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.faults.bots import AckLog, Bot
from tests.faults.processes import Postgres, Server
from tests.faults.proxy import Address, Proxy
from tests.faults.site import LOGINS
from tests.runtime.conftest import eventually
from tests.timers import shapes

LOOK_SECONDS, PATIENCE_SECONDS = 0.2, 1.0


class FrontDoor(Proxy):
    """Gives each new connection to the next host in turn; leaves one that does not answer, and cuts its lines."""

    def __init__(self, ports: Iterable[int]) -> None:
        self._ports = list(ports)
        self._turns = itertools.count()
        self._down: set[int] = set()
        self.given: Counter[int] = Counter()  # connections by port
        self._is_over = threading.Event()
        super().__init__(("127.0.0.1", self._ports[0]))
        threading.Thread(target=self._look, daemon=True).start()

    def close(self) -> None:
        """End it."""
        self._is_over.set()
        super().close()

    def _choose(self) -> Address:
        alive = [port for port in self._ports if port not in self._down] or self._ports
        port = alive[next(self._turns) % len(alive)]
        self.given[port] += 1
        return ("127.0.0.1", port)

    def _look(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            for port in self._ports:
                if _answers(port):
                    self._down.discard(port)
                elif port not in self._down:
                    self._down.add(port)
                    self._cut_lines_to(port)

    def _cut_lines_to(self, port: int) -> None:
        with self._guard:
            links = list(self._links)
        for link in links:
            with contextlib.suppress(OSError):
                if link.far.getpeername()[1] == port:
                    link.close(with_reset=True)


class Host:
    """One machine: a server with its workers and its sweeper, on an instance directory of its own."""

    def __init__(self, folder: Path, postgres: Postgres, redis_url: str) -> None:
        self._database_line = Proxy(postgres.socket)
        port = self._database_line.port
        url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/hosts?sslmode=disable&gssencmode=disable"
        self.server = Server(folder, KIOSK_DATABASE_URL=url, KIOSK_REDIS_URL=redis_url)
        self._faults = contextlib.ExitStack()

    def is_ready(self) -> bool:
        """Whether it may be given candidates."""
        return self.server.ready()["database"] == "ok"

    @property
    def is_known_to_the_database(self) -> bool:
        """Whether the database still has connections of it."""
        return self._database_line.is_open

    def lose_power(self) -> None:
        """Kill every process of it at once; the database hears nothing of that, not even that lines were closed."""
        assert self.server.process is not None
        head = psutil.Process(self.server.process.pid)
        family = [head, *head.children(recursive=True)]
        self._faults.enter_context(self._database_line.blackhole())
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=5)
        self.server.process.wait()
        self.server.process = None

    def close(self) -> None:
        """End it."""
        self.server.stop()
        self._faults.close()
        self._database_line.close()


class Installation:
    """The hosts, what they share, the front door, and what the candidates saw."""

    def __init__(self, folder: Path, postgres: Postgres) -> None:
        self._postgres = postgres
        self.database_url = postgres.url("hosts")
        self.redis = shapes.started("cluster")
        self.hosts = [Host(folder / f"host{number}", postgres, self.redis.url) for number in (1, 2)]
        self.door = FrontDoor(host.server.port for host in self.hosts)
        self.log = AckLog()
        self._logins = iter(LOGINS)

    def start(self) -> None:
        """Start both hosts at the same moment, on a database without a table; wait until both are ready."""
        for host in self.hosts:
            host.server.begin()
        self.redis.start()
        self.redis.client().flushall()
        for host in self.hosts:
            assert eventually(host.is_ready, within_seconds=30), host.server.output()

    def bot(self) -> Bot:
        """A candidate before the front door, not signed in."""
        return Bot(self.door.port, next(self._logins), self.log)

    def ask(self, query: str, *values: Any) -> list[Any]:
        """What the database itself says."""
        address = f"host={self._postgres.folder} user=postgres dbname=hosts"
        with psycopg.connect(address, autocommit=True) as console:
            return console.execute(query, values).fetchall()

    def close(self) -> None:
        """End everything; the Redis Cluster goes on for other tests."""
        self.door.close()
        for host in self.hosts:
            host.close()
        self._postgres.stop()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
