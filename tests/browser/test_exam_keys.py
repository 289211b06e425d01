"""Keys of the exam page: they choose, move and mark, and stay out of the way of writing."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Server
from tests.browser.exam_page import at_the_exam
from tests.browser.kiosk import Kiosk


def test_letters_and_digits_choose_arrows_move_and_m_marks(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody())
    keys = kiosk.page.keyboard
    keys.press("b")
    assert kiosk.answer() == ["B"]
    keys.press("4")
    assert kiosk.answer() == ["D"]
    keys.press("ArrowRight")
    kiosk.sees_question(2)
    expect(kiosk.page.locator("#question-title")).to_be_focused()
    keys.press("m")
    kiosk.sees_question(3)
    assert kiosk.state_of(2) == "mark"
    keys.press("ArrowLeft")
    kiosk.sees_question(2)
    assert kiosk.state_of(1) == "done"


def test_keys_belong_to_the_text_while_somebody_writes(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody()).go_to(16)
    kiosk.page.locator("#text").press_sequentially("am b1")
    kiosk.page.keyboard.press("ArrowLeft")
    kiosk.page.wait_for_timeout(300)
    assert kiosk.number == 16
    assert kiosk.answer() == "am b1"
    expect(kiosk.page.locator("[data-count-number]")).to_have_text("2")


def test_enter_in_a_blank_saves_and_goes_on(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody()).go_to(21)
    kiosk.type("ohm")
    kiosk.page.press("#text", "Enter")
    kiosk.sees_question(22)
    assert kiosk.state_of(21) == "done"


def test_the_keys_can_be_switched_off(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody())
    kiosk.page.click("[popovertarget=keys]:not([popovertargetaction])")
    kiosk.page.uncheck("[data-keys-switch]")
    kiosk.page.keyboard.press("Escape")
    kiosk.page.keyboard.press("b")
    assert kiosk.answer() == []


def test_a_save_leaves_the_focus_where_it_is(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody())
    kiosk.page.keyboard.press("c")
    before = kiosk.has_focus()
    kiosk.sees_saved()
    expect(kiosk.page.locator("#cell-1")).to_have_attribute("data-state", "done")
    assert kiosk.has_focus() == before == "input choice C"


def test_the_last_question_leads_to_the_summary(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody()).go_to(43)
    kiosk.choose("true").press("next")
    kiosk.sees("Check before you submit")
    assert kiosk.has_focus().startswith("a"), "the way back has the focus"
    kiosk.page.click("form.goto button[value='7']")
    kiosk.sees_question(7)
