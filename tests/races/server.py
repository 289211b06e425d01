"""The application behind a real socket in this process, where each request says when it arrives."""

from __future__ import annotations

import http.client
import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import event
from werkzeug.serving import WSGIRequestHandler, make_server

from kiosk import clock
from tests.cast import PASSWORD, csrf_of

ARRIVAL = "X-Test-Arrival"
LONGEST_WAIT_SECONDS = 0.002


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any, **__: Any) -> None:
        """Say nothing."""


class RaceServer:
    """A threaded server. Its clock is the arrival that the request names, so that no test waits for a deadline."""

    def __init__(self, app: Flask) -> None:
        self._here = threading.local()
        self._wsgi = app.wsgi_app
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Quiet)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def now(self) -> datetime:
        """What `clock.now` is while the server runs."""
        return getattr(self._here, "now", None) or clock._frozen or datetime.min

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        self._here.now = datetime.fromisoformat(environ["HTTP_X_TEST_ARRIVAL"])
        return self._wsgi(environ, start_response)


class Caller:
    """Somebody with a browser or a program: cookies, a token, one connection for each request."""

    def __init__(self, server: RaceServer) -> None:
        self._port = server.port
        self._cookies: dict[str, str] = {}
        self.token = ""

    def call(self, method: str, path: str, at: datetime, *, body: Any = None, form: Any = None) -> tuple[int, str]:
        """Send one request that arrives at an instant; return status and text."""
        headers = {ARRIVAL: at.isoformat()}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        data = None
        if body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body)
        elif form is not None:
            headers["Content-Type"], data = "application/x-www-form-urlencoded", urlencode(form)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=15)
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            for cookie in answer.headers.get_all("Set-Cookie", []):
                name, value = cookie.split(";")[0].split("=", 1)
                self._cookies[name] = value
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def take_token(self, login: str, at: datetime) -> Caller:
        """Sign a program in."""
        body = {"username": login, "password": PASSWORD}
        status, text = self.call("POST", "/api/auth/login/", at, body=body)
        assert status == 200, text
        self.token = json.loads(text)["access_token"]
        return self

    def sign_in(self, login: str, at: datetime) -> Caller:
        """Sign a browser in."""
        _, page = self.call("GET", "/login", at)
        form = {"csrf_token": csrf_of(page), "username": login, "password": PASSWORD}
        status, text = self.call("POST", "/login", at, form=form)
        assert status in (302, 303), text
        return self

    def form_on(self, path: str, at: datetime) -> dict[str, str]:
        """The token of a page and what its form was shown (`seen`)."""
        status, page = self.call("GET", path, at)
        assert status == 200, page
        seen = re.search(r'name="seen" value="([^"]*)"', page)
        return {"csrf_token": csrf_of(page)} | ({"seen": seen[1]} if seen else {})


@contextmanager
def slowly(engine: Any) -> Iterator[list[str]]:
    """Let each statement wait a moment, so that transactions meet; give the deadlocks that the database saw."""
    deadlocks: list[str] = []
    main = threading.get_ident()

    def before(*_: Any) -> None:
        if threading.get_ident() != main:
            time.sleep(random.random() * LONGEST_WAIT_SECONDS)

    def failed(context: Any) -> None:
        if getattr(context.original_exception, "sqlstate", None) == "40P01":
            deadlocks.append(str(context.statement))

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "handle_error", failed)
    try:
        yield deadlocks
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "handle_error", failed)


def together(*works: Callable[[], None]) -> None:
    """Run each in a thread of its own, all begun at one barrier; what any of them raises is raised here."""
    barrier = threading.Barrier(len(works))
    raised: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        barrier.wait()
        time.sleep(random.choice((0, 0, 0.003, 0.008)))
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]
