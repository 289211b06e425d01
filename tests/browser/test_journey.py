"""The main job in real Chromium: from the sign-in to the receipt, through refreshes and a killed browser."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Server
from tests.browser.kiosk import Kiosk

TEXT = "The first test is to measure the voltage across the pair."


def first_of_each_type(kiosk: Kiosk) -> dict[str, int]:
    """Question type → number, from the part tabs: A single, C short, D fill, E long, F true or false."""
    tabs = kiosk.page.locator("button.parts__tab").all()
    return {tab.get_attribute("data-part") or "": int(tab.get_attribute("value") or 0) for tab in tabs}


def give_answers(kiosk: Kiosk) -> None:
    """Answer one question of each part."""
    for part, number in first_of_each_type(kiosk).items():
        kiosk.go_to(number)
        if part == "A":
            kiosk.choose("B")
        elif part == "F":
            kiosk.choose("true")
        else:
            kiosk.type(f"{TEXT} {part}")
        kiosk.press("next")
        kiosk.sees_question(number + 1)
        assert kiosk.state_of(number) == "done"


def what_is_there(kiosk: Kiosk) -> list[tuple[str, object]]:
    """Text and answer of each answered question, by walking through them."""
    seen = []
    for number in first_of_each_type(kiosk).values():
        kiosk.go_to(number)
        seen.append((kiosk.page.locator(".question__text").inner_text(), kiosk.answer()))
    return seen


def test_a_candidate_sits_an_exam_from_sign_in_to_receipt(server: Server, open_kiosk: Callable[..., Kiosk]) -> None:
    login, kiosk = server.somebody(), open_kiosk()
    kiosk.sign_in(login)
    kiosk.sees("Is this you?")
    kiosk.sees(login)
    kiosk.is_me()
    kiosk.sees("Your time is not running yet")
    kiosk.begin()
    give_answers(kiosk)
    before = what_is_there(kiosk)
    deadline = time.time() + kiosk.seconds_left()

    for _ in range(20):
        kiosk.page.reload()
    assert what_is_there(kiosk) == before

    kiosk.context.close()  # as if somebody had pulled the plug
    again = open_kiosk()
    again.sign_in(login)
    again.sees("Is this you?")
    again.is_me()
    expect(again.page.locator("#answer")).to_be_visible()
    assert what_is_there(again) == before
    assert abs(time.time() + again.seconds_left() - deadline) <= 2

    again.press("finish")
    again.sees("Check before you submit")
    submit(again)
    again.sees("Your test is handed in")
    assert again.page.locator(".code").inner_text().strip()


def test_K7_after_the_hand_in_a_start_is_refused_with_the_time_and_back_shows_nothing(
    server: Server, open_kiosk: Callable[..., Kiosk]
) -> None:
    login, kiosk = server.somebody(), open_kiosk()
    kiosk.sit(login).choose("A")
    question = kiosk.page.locator(".question__text").inner_text()
    kiosk.press("finish")
    submit(kiosk)
    kiosk.sees("Your test is handed in")

    for _ in range(4):
        kiosk.page.go_back()
        assert question not in kiosk.page.locator("body").inner_text()
    kiosk.open("/candidate/exam")
    kiosk.sees("Your test is handed in")

    kiosk.page.get_by_role("button", name="Clear the screen now").click()
    kiosk.page.wait_for_url("**/login")
    kiosk.page.go_back()
    assert question not in kiosk.page.locator("body").inner_text()

    again = open_kiosk().sign_in(login)
    again.sees("You submitted this exam at")


def test_the_receipt_clears_itself_and_typing_stops_that(server: Server, open_kiosk: Callable[..., Kiosk]) -> None:
    kiosk = open_kiosk()
    kiosk.sit(server.somebody())
    kiosk.page.clock.install()
    kiosk.press("finish")
    submit(kiosk)
    kiosk.sees("This screen clears itself in")
    kiosk.page.fill("[name=comment]", "The mouse is slow.")
    kiosk.page.clock.run_for(20_000)
    kiosk.sees("This screen stays until you clear it")
    kiosk.page.get_by_role("button", name="Send").click()
    kiosk.sees("Thank you")
    kiosk.page.clock.run_for(16_000)
    kiosk.page.wait_for_url("**/login")


def submit(kiosk: Kiosk) -> None:
    """Summary → Submit → Are you sure? → Yes."""
    kiosk.page.get_by_text("Submit…", exact=True).click()  # not "Finish and submit…", if that page is still here
    kiosk.page.get_by_role("button", name="Yes, submit now").click()
