"""The staff's bar and lists: one row, the keyboard, a phone, no scripts; many records at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.kiosk import Kiosk
from tests.browser.test_access import problems

ONE_ROW = 60  # pixels
LISTS = ("users", "centres", "trades", "papers")


@pytest.mark.parametrize("login", ["admin", "centre"])
def test_the_bar_is_one_row_in_both_languages(open_kiosk: Callable[..., Kiosk], login: str) -> None:
    staff = open_kiosk()
    staff.sign_in(login)
    for language in ("en", "hi"):
        staff.page.locator(".bar__you summary").click()
        staff.page.locator(f"[name=language][value={language}]").click()
        expect(staff.page.locator("html")).to_have_attribute("lang", language)
        for width in (1366, 1024, 390):
            staff.page.set_viewport_size({"width": width, "height": 768})
            assert (staff.page.locator(".bar").bounding_box() or {})["height"] < ONE_ROW, (language, width)
            assert not staff.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        staff.page.set_viewport_size({"width": 1366, "height": 768})


def test_groups_open_by_keyboard_one_at_a_time_and_escape_closes_them(kiosk: Kiosk) -> None:
    kiosk.sign_in("admin")
    group = kiosk.page.locator(".bar__group", has_text="Organisation")
    group.locator("summary").focus()
    kiosk.page.keyboard.press("Enter")
    expect(group).to_have_attribute("open", "")
    kiosk.page.keyboard.press("Tab")
    expect(kiosk.page.get_by_role("link", name="Papers", exact=True)).to_be_focused()
    kiosk.page.keyboard.press("Escape")
    expect(group.locator("summary")).to_be_focused()
    expect(group).not_to_have_attribute("open", "")
    kiosk.page.keyboard.press("Enter")
    kiosk.page.locator(".bar__group", has_text="Oversight").locator("summary").click()
    expect(kiosk.page.locator(".bar__group[open]")).to_have_count(1)
    kiosk.page.get_by_role("link", name="Audit log").click()
    expect(kiosk.page.locator(".bar__group summary[aria-current]")).to_have_text("Oversight")


def test_a_phone_without_scripts_finds_every_page(open_kiosk: Callable[..., Kiosk]) -> None:
    phone = open_kiosk(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    phone.sign_in("admin")
    phone.open("/admin/")
    expect(phone.page.get_by_role("link", name="Results")).to_be_hidden()
    phone.page.get_by_role("button", name="Menu").click()
    phone.page.locator("summary", has_text="Organisation").click()
    phone.page.get_by_role("link", name="Users", exact=True).click()
    expect(phone.page.locator("h1")).to_have_text("Users")


def test_ticked_accounts_are_signed_out_after_a_look_by_keyboard(kiosk: Kiosk) -> None:
    kiosk.sign_in("admin")
    kiosk.open("/admin/users?q=marks")
    kiosk.page.get_by_label("Select marks").focus()
    kiosk.page.keyboard.press("Space")
    kiosk.page.get_by_role("button", name="Sign out…").focus()
    kiosk.page.keyboard.press("Enter")
    dialog = kiosk.page.locator("dialog[open]")
    expect(dialog).to_contain_text("everybody has to sign in again")
    dialog.get_by_role("button", name="Sign out everywhere").press("Enter")
    expect(kiosk.page.locator("#report")).to_contain_text("1 entry changed.")
    expect(kiosk.page).to_have_url(f"{kiosk.url}/admin/users?q=marks")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_lists_of_the_office_are_without_barriers(open_kiosk: Callable[..., Kiosk], scheme: str) -> None:
    phone = open_kiosk(viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True)
    phone.sign_in("admin")
    for things in LISTS:
        phone.open(f"/admin/{things}")
        phone.page.locator(".bulk button").first.click()
        expect(phone.page.locator("dialog[open]")).to_contain_text("Nothing is selected.")
        phone.page.keyboard.press("Escape")
        # a link in a table is no button of an exam: 44 pixels are asked for there alone
        assert [one for one in problems(phone.page) if not one[0].isdigit()] == [], things
