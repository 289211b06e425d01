"""The line between kiosk and server is slow, breaks and comes back; no answer is lost and none is overtaken."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Request, Route, expect

from tests.browser.conftest import Server
from tests.browser.exam_page import at_the_exam, forgive_the_lost_line
from tests.browser.kiosk import Kiosk

SAVE, GO = re.compile("/exam/save$"), re.compile("/exam/go$")
OFFLINE = "Connection lost. Keep working."


def field(request: Request, name: str) -> str | None:
    """What a request sends under a name."""
    found = re.search(rf"(?:^|&){name}=([^&]*)", request.post_data or "")
    return found[1] if found else None


def stored(kiosk: Kiosk) -> Any:
    """What the server has for the question on the page."""
    kiosk.page.reload()
    return kiosk.answer()


def test_a_slow_answer_never_overwrites_the_question_moved_on_to(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody())

    def hold_up(route: Route) -> None:
        if field(route.request, "goto") == "5":
            time.sleep(1)
        route.continue_()

    kiosk.page.route(GO, hold_up)
    kiosk.page.click("#cell-5", no_wait_after=True)
    kiosk.page.click("#cell-9")
    kiosk.sees_question(9)
    kiosk.page.wait_for_timeout(1500)
    assert kiosk.number == 9
    expect(kiosk.page.locator("#cell-9")).to_have_attribute("aria-current", "true")
    assert kiosk.page.locator("#palette [aria-current]").count() == 1


def test_of_two_quick_changes_the_newer_one_wins_and_they_never_travel_together(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody())
    on_the_way: list[int] = [0]

    def slowly(route: Route) -> None:
        on_the_way.append(on_the_way[-1] + 1)
        response = route.fetch()
        time.sleep(0.3)
        on_the_way.append(on_the_way[-1] - 1)
        route.fulfill(response=response)

    kiosk.page.route(SAVE, slowly)
    for letter in "ABCD":
        kiosk.choose(letter)
    kiosk.sees_saved()
    expect(kiosk.page.locator(".pal--waits")).to_have_count(0)
    assert max(on_the_way) == 1
    assert stored(kiosk) == ["D"]


def test_K2_an_answer_given_offline_is_kept_and_sent_when_the_line_is_back(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody())
    kiosk.context.set_offline(True)
    kiosk.choose("C")
    expect(kiosk.page.locator("#news")).to_contain_text(OFFLINE, timeout=5000)
    expect(kiosk.page.locator("#news")).to_contain_text("1 answer is kept on this computer")
    expect(kiosk.page.locator("#save")).to_contain_text("Not saved yet – keep working")
    assert kiosk.state_of(1) != "done", "green before the server's word"
    assert "waiting to be saved" in kiosk.page.locator("#cell-1").inner_text()
    before = kiosk.seconds_left()
    kiosk.page.wait_for_timeout(1200)
    assert kiosk.seconds_left() < before, "the clock runs on"

    kiosk.context.set_offline(False)
    kiosk.sees_saved()
    expect(kiosk.page.locator("#news")).to_be_empty()
    assert kiosk.state_of(1) == "done"
    assert stored(kiosk) == ["C"]
    forgive_the_lost_line(kiosk)


def test_the_next_question_opens_by_itself_when_the_line_is_back(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody())
    kiosk.context.set_offline(True)
    kiosk.choose("A").press("next")
    expect(kiosk.page.locator("#news")).to_contain_text("The next question opens when the connection is back.")
    assert kiosk.answer() == ["A"]
    kiosk.context.set_offline(False)
    kiosk.sees_question(2)
    assert kiosk.state_of(1) == "done"
    forgive_the_lost_line(kiosk)


def test_an_answer_that_a_busy_server_turns_away_is_sent_again_by_itself(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody())
    kiosk.page.route(SAVE, lambda route: route.fulfill(status=429, body=""), times=2)
    kiosk.choose("B")
    expect(kiosk.page.locator("#save")).to_contain_text("Not saved yet – keep working")
    kiosk.sees_saved()
    assert stored(kiosk) == ["B"]


def test_a_server_that_does_not_answer_is_noticed_within_five_seconds(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody())
    kiosk.page.route(SAVE, lambda route: None)
    kiosk.choose("B")
    expect(kiosk.page.locator("#news")).to_contain_text(OFFLINE, timeout=5000)
    kiosk.page.unroute(SAVE)


def test_a_save_that_the_busy_server_puts_off_is_tried_again(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody())
    answers = iter([503, 503])

    def busy(route: Route) -> None:
        status = next(answers, None)
        route.fulfill(status=status, body="busy") if status else route.continue_()

    kiosk.page.route(SAVE, busy)
    kiosk.choose("B")
    kiosk.sees_saved()
    expect(kiosk.page.locator("#cell-1")).to_have_class(re.compile("pal--done"))
    assert stored(kiosk) == ["B"]


def test_words_written_just_before_the_page_is_left_are_saved(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody()).go_to(16)
    kiosk.type("The fuse protects the line")
    kiosk.open("/candidate/help")
    kiosk.page.wait_for_timeout(300)
    kiosk.open("/candidate/exam")
    kiosk.sees_question(16)
    assert kiosk.answer() == "The fuse protects the line"


def test_going_on_takes_unsaved_words_along(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody()).go_to(16)
    kiosk.page.route(SAVE, lambda route: route.abort())
    kiosk.type("Carried along")
    kiosk.press("next")
    kiosk.sees_question(17)
    assert kiosk.state_of(16) == "done"
    kiosk.page.unroute(SAVE)
    kiosk.go_to(16)
    assert kiosk.answer() == "Carried along"


def test_changes_in_two_windows_of_one_sign_in_both_arrive_and_the_last_one_counts(
    server: Server, kiosk: Kiosk
) -> None:
    at_the_exam(kiosk, server.somebody())
    second = kiosk.new_page()
    second.goto(kiosk.url + "/candidate/exam")
    second.locator(".option:has(input[value='B'])").click()
    expect(second.locator("#save")).to_contain_text("Saved")
    kiosk.choose("D")
    expect(kiosk.page.locator("#cell-1")).to_have_class(re.compile("pal--done"))
    expect(kiosk.page.locator(".pal--waits")).to_have_count(0)
    assert stored(kiosk) == ["D"]


def test_clearing_works_without_leaving_the_question(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody()).choose("A")
    expect(kiosk.page.locator("#cell-1")).to_have_class(re.compile("pal--done"))
    kiosk.press("clear")
    expect(kiosk.page.locator("#cell-1")).to_have_class(re.compile("pal--blank"))
    assert kiosk.number == 1
    assert stored(kiosk) == []


def test_changing_the_language_takes_the_unsaved_answer_along(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody()).go_to(16)
    kiosk.type("आधा उत्तर")
    kiosk.page.click("button[name=language][value=hi]")
    expect(kiosk.page.locator("html")).to_have_attribute("lang", "hi")
    kiosk.sees_question(16)
    assert kiosk.answer() == "आधा उत्तर"


@pytest.mark.parametrize(("language", "most"), [("en", 11), ("hi", 12)])
def test_the_first_load_of_the_exam_is_light(
    server: Server, open_kiosk: Callable[..., Kiosk], language: str, most: int
) -> None:
    signed_in = at_the_exam(open_kiosk(), server.somebody()).context.storage_state()
    fresh = open_kiosk(storage_state=signed_in)  # the same sign-in, with nothing in the cache
    fresh.context.add_cookies([{"name": "ui_language", "value": language, "url": server.url}])
    finished: list[Request] = []
    fresh.page.on("requestfinished", lambda request: finished.append(request))
    fresh.open("/candidate/exam")
    # whichever questions were drawn: count the letters of Ω, µ and π too
    fresh.page.evaluate("document.fonts.load('1rem \"Noto Sans\"', 'Ω')")
    fresh.page.wait_for_load_state("networkidle")
    sizes = [one.sizes() for one in finished]
    total = sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)
    print(language, len(finished), "requests,", total, "bytes")
    assert total <= 150 * 1024, sorted((one.sizes()["responseBodySize"], one.url) for one in finished)
    assert len(finished) <= most, [one.url for one in finished]
