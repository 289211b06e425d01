"""Everybody can use it: no violation that axe finds, the keyboard alone, targets a thumb can hit, nothing cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.kiosk import PASSWORD, START_CODE, Kiosk

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
TOO_SMALL = """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), textarea, summary')]
  .filter((one) => one.checkVisibility() && !one.closest('.vh, .skip, [inert]'))
  .map((one) => [one.outerHTML.slice(0, 120), (one.closest('label') ?? one).getBoundingClientRect()])
  .filter(([, box]) => Math.round(box.width) < 44 || Math.round(box.height) < 44)
  .map(([html, box]) => `${Math.round(box.width)}x${Math.round(box.height)} ${html}`)"""

STICKS_OUT = """() => [document.documentElement.scrollWidth, window.innerWidth,
  ...[...document.querySelectorAll('body *')]
  .filter((one) => one.getBoundingClientRect().right > window.innerWidth + 0.5)
  .map((one) => `${Math.round(one.getBoundingClientRect().right)} ${one.outerHTML.slice(0, 120)}`).slice(0, 5)]"""


def problems(page: Page) -> list[str]:
    """What is wrong with the page as it stands."""
    # through the debugger: the page's own CSP lets no script in, as it should
    page.evaluate(AXE)
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    wrong = [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"]]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        wrong.append(f"the page scrolls sideways: {page.evaluate(STICKS_OUT)}")
    return wrong + page.evaluate(TOO_SMALL)


def screens(kiosk: Kiosk, login: str) -> Iterator[str]:
    """Every candidate screen on the way to the receipt, one after the other."""
    kiosk.open("/login")
    yield "sign in"
    kiosk.sign_in(login, "wrong")
    yield "sign in refused"
    kiosk.sign_in(login)
    yield "identity"
    kiosk.is_me()
    yield "instructions"
    kiosk.begin("000000")
    yield "instructions refused"
    kiosk.begin()
    kiosk.choose("B")
    kiosk.sees_saved()
    yield "single choice"
    kiosk.go_to(16).type("Some words.")
    yield "short answer"
    kiosk.go_to(21)
    yield "fill"
    kiosk.go_to(34)
    yield "true or false"
    kiosk.open("/candidate/help")
    yield "help"
    kiosk.open("/candidate/exam/summary")
    yield "summary"
    kiosk.page.get_by_text("Submit…").click()
    yield "are you sure"
    kiosk.page.get_by_role("button", name="Yes, submit now").click()
    kiosk.sees("Your test is handed in")
    yield "receipt"
    kiosk.open("/nothing/here")
    yield "error"


@pytest.mark.parametrize(
    ("theme", "width", "height"),
    [("light", 1366, 768), ("dark", 1024, 768), ("contrast", 1366, 768), ("light", 390, 844)],
)
def test_no_screen_has_a_barrier(
    server: Server, open_kiosk: Callable[..., Kiosk], theme: str, width: int, height: int
) -> None:
    kiosk = open_kiosk()
    kiosk.page.set_viewport_size({"width": width, "height": height})
    kiosk.context.add_cookies([{"name": "ui_theme", "value": theme, "url": server.url}])
    found = {screen: problems(kiosk.page) for screen in screens(kiosk, server.somebody())}
    assert not any(found.values()), {screen: wrong for screen, wrong in found.items() if wrong}


def test_an_exam_can_be_sat_with_the_keyboard_alone(server: Server, kiosk: Kiosk) -> None:
    keys = kiosk.page.keyboard
    kiosk.open("/login")
    keys.type(server.somebody())  # the first field has the focus
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    kiosk.sees("Is this you?")
    tab_to(kiosk, "button me yes")
    keys.press("Enter")
    kiosk.sees("Before you begin")
    tab_to(kiosk, "input consent y")
    keys.press("Space")
    keys.press("Tab")
    keys.type(START_CODE)
    keys.press("Enter")
    kiosk.page.wait_for_selector("#answer[data-is-here]")
    keys.press("b")
    expect(kiosk.page.locator("[name=choice][value=B]")).to_be_checked()
    keys.press("ArrowRight")
    kiosk.sees_question(2)
    assert kiosk.state_of(1) == "done"
    keys.press("3")
    expect(kiosk.page.locator("[name=choice][value=C]")).to_be_checked()
    keys.press("m")
    kiosk.sees_question(3)
    assert kiosk.state_of(2) == "both"
    keys.press("ArrowLeft")
    kiosk.sees_question(2)
    tab_to(kiosk, "button go finish")
    keys.press("Enter")
    kiosk.sees("Check before you submit")
    expect(kiosk.page.get_by_text("Back to the test")).to_be_focused()
    for _ in range(40):
        if "Submit" in kiosk.page.evaluate("document.activeElement.textContent"):
            break
        keys.press("Tab")
    keys.press("Enter")
    expect(kiosk.page.get_by_text("No, go back")).to_be_focused()
    keys.press("Tab")
    keys.press("Enter")
    kiosk.sees("Your test is handed in")


def tab_to(kiosk: Kiosk, wanted: str) -> None:
    """Press Tab until this has the focus."""
    for _ in range(120):
        if kiosk.has_focus() == wanted:
            return
        kiosk.page.keyboard.press("Tab")
    raise AssertionError(f"{wanted} is not reached by Tab; focus is on {kiosk.has_focus()}")
