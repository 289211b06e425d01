"""With JavaScript off everything still works: plain forms, POST, redirect, GET."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import Server
from tests.browser.kiosk import Kiosk


@pytest.fixture
def plain_kiosk(open_kiosk: Callable[..., Kiosk]) -> Kiosk:
    """A window without JavaScript."""
    return open_kiosk(java_script_enabled=False)


def test_an_exam_can_be_sat_with_plain_forms(server: Server, plain_kiosk: Kiosk) -> None:
    plain_kiosk.sit(server.somebody())
    plain_kiosk.choose("C").press("next")
    plain_kiosk.sees_question(2)
    assert plain_kiosk.state_of(1) == "done"
    plain_kiosk.press("prev")
    plain_kiosk.sees_question(1)
    assert plain_kiosk.answer() == ["C"]
    plain_kiosk.press("clear")
    plain_kiosk.sees_question(1)
    assert plain_kiosk.answer() == []
    assert plain_kiosk.state_of(1) == "blank"
    plain_kiosk.choose("D").press("mark")
    plain_kiosk.sees_question(2)
    assert plain_kiosk.state_of(1) == "both"

    plain_kiosk.go_to(16).type("A short answer in some words.").press("next")
    plain_kiosk.sees_question(17)
    plain_kiosk.go_to(16)
    assert plain_kiosk.answer() == "A short answer in some words."

    plain_kiosk.press("finish")
    plain_kiosk.sees("Check before you submit")
    plain_kiosk.page.get_by_text("Submit…").click()
    plain_kiosk.sees("Are you sure")
    plain_kiosk.page.get_by_role("button", name="Yes, submit now").click()
    plain_kiosk.sees("Your test is handed in")
    plain_kiosk.sees("2 of 43 questions")
    plain_kiosk.sees("This screen stays until you clear it")


def test_language_size_and_display_change_with_plain_forms(server: Server, plain_kiosk: Kiosk) -> None:
    root = plain_kiosk.page.locator("html")
    plain_kiosk.sit(server.somebody()).go_to(3)
    plain_kiosk.page.click("[name=language][value=hi]")
    plain_kiosk.sees_question(3)
    assert root.get_attribute("lang") == "hi"
    plain_kiosk.page.click("[name=size][value=xl]")
    assert root.get_attribute("data-size") == "xl"
    plain_kiosk.page.click("button[name=theme]")
    assert root.get_attribute("data-theme") == "light"
    plain_kiosk.sees_question(3)
