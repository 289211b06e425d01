"""A private PgBouncer in transaction mode, in front of the tests' PostgreSQL."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from tests.postgresql import Cluster
from tests.runtime.conftest import eventually, free_port

SERVER_CONNECTIONS = 2


def find() -> str | None:
    """The program; Debian keeps it where only root looks."""
    return shutil.which("pgbouncer", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))


class Bouncer:
    """Lends two connections to whoever begins a transaction. `drops` names what it takes at the start and forgets."""

    def __init__(self, program: str, cluster: Cluster, *, drops: str) -> None:
        self._folder, self.port = Path(tempfile.mkdtemp(prefix="kiosk-bouncer-", dir="/tmp")), free_port()
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "any",
            "pool_mode": "transaction",
            "default_pool_size": SERVER_CONNECTIONS,
            "ignore_startup_parameters": drops,
            "logfile": self._folder / "log",
        }
        lines = ["[databases]", f"* = host={cluster.folder} user=postgres", "[pgbouncer]"]
        (self._folder / "ini").write_text("\n".join([*lines, *(f"{k} = {v}" for k, v in settings.items())]))
        shutil.chown(self._folder, cluster.user)
        command = [program, "-q", str(self._folder / "ini")]
        # like PostgreSQL it refuses to run as root
        command = ["runuser", "-u", cluster.user, "--", *command] if os.getuid() == 0 else command
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert eventually(self._listens), (self._folder / "log").read_text()

    def url(self, database: str) -> str:
        """The address of a database behind it."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable&gssencmode=disable"

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
