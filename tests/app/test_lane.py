"""On SQLite candidates' requests take turns: one at a time, nobody late for it, and nobody else held up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

from kiosk.web import lane
from kiosk.web.lane import WAITED, Lane
from tests.cast import Hall


class Slow:
    """An application that answers when it may, and knows how many it answers at once."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.came = threading.Semaphore(0)
        self.inside = self.most = 0

    def __call__(self, environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.came.release()
        assert self.may_answer.wait(10)
        self.inside -= 1
        if "boom" in environ["PATH_INFO"]:
            raise RuntimeError("boom")
        return [b"done"]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    """The application behind the lane; who waits for a turn is patient, however busy the machine is."""
    monkeypatch.setattr(lane, "PATIENCE_SECONDS", 30.0)
    return Slow()


@contextmanager
def answering(slow: Slow, *paths: str) -> Iterator[list[Any]]:
    """Send a request for each path at once; yields what will become of them, and lets them be answered afterwards."""
    turns = Lane(slow)
    with ThreadPoolExecutor(len(paths)) as pool:
        yield [pool.submit(turns, {"PATH_INFO": path}, None) for path in paths]
        slow.may_answer.set()


def test_candidates_take_turns(slow: Slow) -> None:
    with answering(slow, "/candidate/exam/save", "/candidate/exam/clock", "/api/test-attempts/x/heartbeat") as answers:
        assert slow.came.acquire(timeout=10)
        assert not slow.came.acquire(timeout=0.1), "the others wait"
    assert [answer.result() for answer in answers] == [[b"done"]] * 3
    assert slow.most == 1


@pytest.mark.parametrize("path", ["/login", "/centre/board", "/healthz", "/api/auth/login/", "/candidates"])
def test_nobody_else_waits_for_them(slow: Slow, path: str) -> None:
    with answering(slow, "/candidate/exam/save", path):
        assert slow.came.acquire(timeout=10)
        assert slow.came.acquire(timeout=10)
    assert slow.most == 2


def test_whoever_hangs_holds_nobody_up(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "PATIENCE_SECONDS", 0.2)
    with answering(slow, "/candidate/exam/save", "/candidate/exam/clock"):
        assert slow.came.acquire(timeout=10)
        assert slow.came.acquire(timeout=10), "the other one goes in beside"
    assert Lane(slow)({"PATH_INFO": "/candidate/"}, None) == [b"done"]


def test_a_failure_gives_the_turn_back(slow: Slow) -> None:
    with answering(slow, "/candidate/boom", "/candidate/exam/save") as answers:
        pass
    failures = [answer.exception() for answer in answers]
    assert sorted(map(str, failures)) == ["None", "boom"]


def test_who_waits_is_told_for_how_long(slow: Slow) -> None:
    turns, first, second = Lane(slow), {"PATH_INFO": "/candidate/"}, {"PATH_INFO": "/candidate/"}
    with ThreadPoolExecutor(2) as pool:
        pool.submit(turns, first, None)
        assert slow.came.acquire(timeout=10)
        pool.submit(turns, second, None)
        time.sleep(0.2)
        slow.may_answer.set()
    assert WAITED not in first
    assert 0.1 < second[WAITED] < 10  # type: ignore[operator]


def test_a_request_arrived_when_it_began_to_wait(app: Flask) -> None:
    from kiosk.web.request_time import arrived_at

    with app.test_request_context("/healthz", environ_base={WAITED: 2.5}):
        app.preprocess_request()
        waited = arrived_at()
    with app.test_request_context("/healthz"):
        app.preprocess_request()
        assert (arrived_at() - waited).total_seconds() == 2.5


def test_only_sqlite_has_turns(hall: Hall) -> None:
    app, found = hall.app, []
    wrapped = app.wsgi_app
    while wrapped is not None:
        found.append(type(wrapped))
        wrapped = getattr(wrapped, "_application", None)
    assert (Lane in found) == app.extensions["settings"].is_sqlite
