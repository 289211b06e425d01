"""The exam page stays calm: from question to question nothing jumps, and a move costs one request."""

from __future__ import annotations

from collections import Counter

from tests.bench.page import WATCH
from tests.browser.conftest import Server
from tests.browser.exam_page import at_the_exam
from tests.browser.kiosk import Kiosk


def test_moves_and_answers_shift_nothing_and_each_is_one_request(server: Server, kiosk: Kiosk) -> None:
    kiosk.context.add_init_script(path=WATCH)
    at_the_exam(kiosk, server.somebody())
    asked: Counter[str] = Counter()
    kiosk.page.on("request", lambda request: asked.update([request.url.rpartition("/")[2].partition("?")[0]]))
    press = kiosk.page.keyboard.press
    for number in (1, 2, 3):
        with kiosk.page.expect_response(lambda answer: answer.url.endswith("/save")):
            press("abc"[number - 1])
        press("ArrowRight")
        kiosk.sees_question(number + 1)
    press("m")
    kiosk.sees_question(5)
    kiosk.go_to(16)
    press("ArrowLeft")
    kiosk.sees_question(15)
    kiosk.page.wait_for_timeout(100)  # the browser tells of shifts a frame later
    assert (asked["go"], asked["save"]) == (6, 3)
    assert kiosk.page.evaluate("benchSeen.shifts") == []
