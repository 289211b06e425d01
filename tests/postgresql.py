"""A private PostgreSQL for tests: a cluster of its own in a temporary folder, on a unix socket."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools.suite import find_postgresql

SPEED = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c shared_buffers=64MB"


def bin_folder() -> Path | None:
    """The folder of PostgreSQL's programs as `manage.py test` found it, or found here when pytest runs alone."""
    told = os.environ.get("KIOSK_TEST_POSTGRESQL_BIN")
    found = find_postgresql() if told is None else told
    return Path(found) if found else None


class Cluster:
    """One running PostgreSQL server; `url(name)` makes a database."""

    def __init__(self, programs: Path, folder: Path | None = None) -> None:
        self._programs = programs
        # short, as a unix socket lives in it, and open to the user that the server runs as
        self.folder = folder or Path(tempfile.mkdtemp(prefix="kiosk-pg-", dir="/tmp"))
        self.user = _server_user()
        if self.user != _own_user():
            shutil.chown(self.folder, self.user)
        self._run("initdb", "-D", f"{self.folder}/data", "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync")
        options = f"-k {self.folder} -c listen_addresses='' {SPEED}"
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-o", options, "-l", f"{self.folder}/log", "-w", "start")

    def url(self, name: str) -> str:
        """Make an empty database and return its URL."""
        self._run("createdb", "-h", str(self.folder), "-U", "postgres", name)
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def stop(self) -> None:
        """End the server and remove its folder."""
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if self.user != _own_user():
            command = ["runuser", "-u", self.user, "--", *command]
        done = subprocess.run(command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr.strip()}")


def _own_user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def _server_user() -> str:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return _own_user()
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
