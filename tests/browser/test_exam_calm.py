"""The exam page stays calm: from question to question nothing jumps, and a move costs one request."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from playwright.sync_api import CDPSession, Route, expect

from tests.bench.page import WATCH
from tests.browser.conftest import Server
from tests.browser.exam_page import at_the_exam
from tests.browser.kiosk import Kiosk

# what a move puts on the page, and whether what belongs to the whole exam outlives it
COUNT = """
  window.added = { nodes: 0, icons: 0, cells: 0 };
  window.kept = ["answer", "clock"].map((id) => document.getElementById(id));
  new MutationObserver((changes) => {
    for (const node of changes.flatMap((change) => [...change.addedNodes])) {
      const all = node.querySelectorAll ? [node, ...node.querySelectorAll("*")] : [];
      added.nodes += all.length;
      added.icons += all.filter((one) => one.localName === "use").length;
      added.cells += all.filter((one) => one.matches(".pal")).length;
    }
  }).observe(document.body, { childList: true, subtree: true });
"""


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


def test_a_font_that_comes_late_moves_nothing(server: Server, open_kiosk: Callable[..., Kiosk]) -> None:
    signed_in = at_the_exam(open_kiosk(), server.somebody()).context.storage_state()
    fresh = open_kiosk(storage_state=signed_in)  # the same sign-in, with nothing in the cache
    fresh.context.add_init_script(path=WATCH)
    held: list[Route] = []
    fresh.context.route("**/*.woff2", lambda route: held.append(route))
    fresh.page.goto(f"{server.url}/candidate/exam", wait_until="commit")
    fresh.page.wait_for_selector("#answer[data-is-here]")
    fresh.page.wait_for_timeout(300)  # the page has been painted without
    for route in held:
        route.continue_()
    fresh.page.wait_for_timeout(300)
    assert len(held) == 1
    assert fresh.page.evaluate("performance.getEntriesByType('paint').length"), "it does not wait for a font"
    assert fresh.page.evaluate("benchSeen.shifts") == []


def test_a_move_changes_little_of_the_page(server: Server, kiosk: Kiosk) -> None:
    """Counts, for times say more about the machine; on a slow one each of them delays the question by milliseconds."""
    at_the_exam(kiosk, server.somebody())
    console = kiosk.context.new_cdp_session(kiosk.page)
    console.send("Performance.enable")
    kiosk.press("next").sees_question(2)
    kiosk.page.evaluate(COUNT)
    before, began = _metrics(console), time.monotonic()
    for number in range(3, 9):
        kiosk.page.keyboard.press("ArrowRight")
        kiosk.sees_question(number)
        expect(kiosk.page.locator("#question-title")).to_be_focused()
    seconds, after, added = time.monotonic() - began, _metrics(console), kiosk.page.evaluate("added")
    assert kiosk.page.evaluate("kept.every((one) => one.isConnected)"), "else sixty buttons look for their form anew"
    assert added["icons"] == 0, "each is a request and a tree of its own"
    assert added["cells"] <= 2 * 6, "the one left and the one that is open"
    assert added["nodes"] <= 55 * 6
    assert after["LayoutCount"] - before["LayoutCount"] <= 2 * 6 + seconds + 1, "the question, and what comes after it"
    assert after["JSEventListeners"] <= before["JSEventListeners"] + 2, "each move leaves listeners behind"


def _metrics(console: CDPSession) -> dict[str, float]:
    console.send("HeapProfiler.collectGarbage")
    return {one["name"]: one["value"] for one in console.send("Performance.getMetrics")["metrics"]}
