"""Starts everything in its order, keeps it alive, and ends it in the opposite order."""

from __future__ import annotations

import datetime as dt
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo

from kiosk import clock
from kiosk.config import Settings
from kiosk.embedded import EmbeddedRedis
from kiosk.runtime import StartRefused, apart, children, net, readiness, screen
from kiosk.runtime.children import Child
from kiosk.web import logs

log = logging.getLogger("kiosk.run")

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0
BEAT_SECONDS = 0.2
VISIT_SECONDS = 5.0


class Supervisor:
    """Owns the processes of one instance."""

    def __init__(self, settings: Settings, *, begun_at: float) -> None:
        self._settings = settings
        self._begun_at = begun_at
        self._children: list[Child] = []
        self._redis = EmbeddedRedis(settings.instance_dir) if settings.redis_url == "embedded" else None
        self._is_stopping = False
        self._visited_at = begun_at
        self._is_empty = True
        self._certificate: Any = None

    def run(self) -> int:
        """Serve until a signal ends it; return the exit code.

        Raises StartRefused; everything started by then has ended.
        """
        self._listen_to_signals()
        logs.init(self._settings)
        try:
            self._start()
            self._tend()
        finally:
            self._stop()
        return 0

    def _listen_to_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        # under nohup the closing of the terminal is meant to be ignored
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        # no more than this: a handler runs between any two steps of the main thread
        self._is_stopping = True

    def _start(self) -> None:
        reason = net.why_not_free(self._settings.host, self._settings.port)
        if reason:
            raise StartRefused(f"PORT: cannot listen on {self._settings.host}:{self._settings.port}: {reason}")
        net.raise_open_files()
        if self._redis is not None:
            self._launch(Child("redis", self._redis.start))
        prepared = self._apart(partial(_prepare, self._settings))
        self._demo_day = self._today()
        if prepared is None or self._is_stopping:
            return
        self._is_empty, self._certificate = prepared
        self._launch(Child("server", self._start_server))
        if not self._settings.is_sqlite:
            self._launch(Child("sweeper", self._start_sweeper))
        self._wait_until_ready()

    def _apart(self, work: Callable[[], Any]) -> Any:
        return apart.call(work, is_wanted=lambda: not self._is_stopping)

    def _today(self) -> dt.date:
        """The day that the demo shift belongs to, in the centres' time zone."""
        return clock.now().astimezone(ZoneInfo(self._settings.time_zone)).date()

    def _launch(self, child: Child) -> None:
        self._children.append(child)
        child.start()

    def _start_server(self) -> subprocess.Popen[bytes]:
        files = [str(self._certificate.certificate), str(self._certificate.key)] if self._certificate else []
        return children.spawn([sys.executable, "-m", "kiosk.runtime.server", *files], env=self._environment())

    def _start_sweeper(self) -> subprocess.Popen[bytes]:
        return children.spawn([sys.executable, "-m", "flask", "--app", "wsgi", "sweep"], env=self._environment())

    def _environment(self) -> dict[str, str]:
        """Ours, with what was relative to our own folder made absolute: all read the same settings."""
        return {
            # glibc gives each thread an arena of its own, and each keeps the 19 MiB of a password hash for ever; with
            # one alone the threads wait for each other: p95 of a save on PostgreSQL was 41 to 45 ms, not 28 to 32
            "MALLOC_ARENA_MAX": "2",
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
            "KIOSK_INSTANCE_DIR": str(self._settings.instance_dir),
        }

    def _wait_until_ready(self) -> None:
        reason: str | None = "the server does not answer yet"
        while reason and not self._is_stopping:
            self._refuse_if_dead()
            if time.monotonic() - self._begun_at > READY_SECONDS:
                raise StartRefused(f"the server is not ready after {READY_SECONDS:.0f} s: {reason}")
            reason = readiness.not_ready_because(self._settings, with_tls=self._certificate is not None)
            time.sleep(0.03 if reason else 0)
        if not self._is_stopping:
            seconds = time.monotonic() - self._begun_at
            screen.show_ready(self._settings, seconds=seconds, is_empty=self._is_empty)

    def _refuse_if_dead(self) -> None:
        """During the start a dead child is a mistake to be told, later a mishap to be mended."""
        for child in self._children:
            if not child.is_running:
                raise StartRefused(f"the {child.name} ended while starting (exit code {child.exit_code}); see above")

    def _tend(self) -> None:
        while not self._is_stopping:
            for child in self._children:
                child.tend()
            self._visit()
            self._roll_demo_day()
            time.sleep(BEAT_SECONDS)

    def _visit(self) -> None:
        """Ask the server now and then: one that was started again sweeps only after its first request."""
        if time.monotonic() - self._visited_at > VISIT_SECONDS:
            readiness.not_ready_because(self._settings, with_tls=self._certificate is not None)
            self._visited_at = time.monotonic()

    def _roll_demo_day(self) -> None:
        """At midnight a demo machine that stays on needs the new day's shift."""
        today = self._today()
        if self._settings.is_production or today == self._demo_day:
            return
        self._demo_day = today
        try:
            self._apart(partial(_roll_demo_shift, self._settings))
        except Exception:
            # the demo's convenience is no reason to end a server
            log.exception("the day's demo shift could not be made")

    def _stop(self) -> None:
        for child in reversed(self._children):
            child.stop()
        if self._redis is not None:
            self._redis.forget()


def _prepare(settings: Settings) -> tuple[bool, Any]:
    """Bring the database and the certificate up to date; return whether nobody can sign in yet, and the certificate."""
    from kiosk import create_app
    from kiosk.runtime import database, tls

    is_empty = database.prepare(create_app(settings, background=False), settings, screen.say)
    return is_empty, tls.files_for(settings)


def _roll_demo_shift(settings: Settings) -> None:
    from kiosk import create_app
    from kiosk.runtime import database

    database.roll_demo_shift(create_app(settings, background=False))
