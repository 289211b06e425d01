"""What the hot requests cost inside one process: Python calls, which no busy machine changes, and CPU at best.

`.venv/bin/python -m pytest tests/bench/hot.py -q -s -n0 -k sqlite`. No test: it asserts only that the requests succeed.
"""

from __future__ import annotations

import contextvars
import cProfile
import io
import pstats
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from werkzeug.test import EnvironBuilder

from kiosk.extensions import db
from tests.candidate.seat import Seat
from tests.candidate.test_exam_fragments import question_id
from tests.cast import Hall
from tests.player import START_CODE

BATCHES, IN_A_BATCH, PROFILED = 60, 12, 100
Make = Callable[[], dict[str, Any]]


def request_of(seat: Seat, method: str, path: str, token: str, **form: Any) -> dict[str, Any]:
    """One request as the page's script sends it."""
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in seat.client._cookies.values())
    headers = {"HX-Request": "true", "X-CSRFToken": token, "Cookie": cookies, "Accept-Encoding": "gzip"}
    content = {"data": urlencode(form), "content_type": "application/x-www-form-urlencoded"} if form else {}
    return EnvironBuilder(path=path, method=method, headers=headers, **content).get_environ()


def answer(seat: Seat, environ: dict[str, Any]) -> None:
    """Serve it, outside the test's own context as a server would."""
    environ["wsgi.input"].seek(0)
    said: list[str] = []

    def serve() -> None:
        body = seat.hall.app.wsgi_app(environ, lambda status, headers, exc=None: said.append(status))
        b"".join(body)
        if hasattr(body, "close"):
            body.close()

    contextvars.Context().run(serve)
    assert said[0][0] in "23", said


def calls_of(seat: Seat, environs: list[dict[str, Any]]) -> float:
    """Return how many Python calls one of them takes."""
    profile = cProfile.Profile()
    for environ in environs:
        profile.enable()
        answer(seat, environ)
        profile.disable()
    return float(pstats.Stats(profile, stream=io.StringIO()).total_calls) / len(environs)  # type: ignore[attr-defined]


def tell(name: str, seat: Seat, make: Make) -> None:
    """Print the calls and the least CPU of a request that may be sent again and again."""
    least = float("inf")
    for _batch in range(BATCHES):
        environs = [make() for _ in range(IN_A_BATCH)]
        begun_at = time.process_time()
        for environ in environs:
            answer(seat, environ)
        least = min(least, (time.process_time() - begun_at) / IN_A_BATCH)
    print(f"{name:9} {calls_of(seat, [make() for _ in range(PROFILED)]):6.0f} calls {least * 1000:6.3f} ms")


def test_what_the_hot_requests_cost(hall: Hall) -> None:
    seats = [Seat(hall, place) for place in range(3)]
    for seat in seats:
        seat.is_me()
    page = seats[0].sit().get("/candidate/exam").get_data(as_text=True)
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found
    token, seat, sent = found[1], seats[0], [10]
    ids = question_id(hall, 1), question_id(hall, 2)
    db.session.remove()

    def save() -> dict[str, Any]:
        sent[0] += 1
        form = {"choice": "AB"[sent[0] % 2], "question": ids[0], "seq": sent[0], "page": 0}
        return request_of(seat, "POST", "/candidate/exam/save", token, **form)

    def question() -> dict[str, Any]:
        sent[0] += 1
        here = sent[0] % 2
        form = {
            "changed": "",
            "question": ids[here],
            "number": here + 1,
            "total": 10,
            "seq": 0,
            "page": 0,
            "goto": 2 - here,
        }
        return request_of(seat, "POST", "/candidate/exam/go", token, **form)

    print()
    tell("poll", seat, lambda: request_of(seat, "GET", "/candidate/exam/clock?page=0", token))
    tell("save", seat, save)
    tell("question", seat, question)
    for one in seats[1:]:  # the first start compiles; the last one counts
        form = {"consent": "y", "start_code": START_CODE, "csrf_token": one.token}
        calls = calls_of(one, [request_of(one, "POST", "/candidate/start", one.token, **form)])
    print(f"start     {calls:6.0f} calls")
