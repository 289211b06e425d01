"""The room board in a browser: it keeps itself up to date, and never takes away what somebody is at."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect
from sqlalchemy import select

from kiosk.extensions import db
from kiosk.models import Candidate
from tests.browser.conftest import Server
from tests.browser.exam_page import at_the_exam, forgive_the_lost_line
from tests.browser.kiosk import Kiosk

WITHIN_MS = 9000  # a poll every 4 s, and a sign of life every 5 s at most
PROBE_MS = 3000  # a page whose line fails asks every 2 s


def test_the_room_keeps_up_and_keeps_the_focus(server: Server, open_kiosk: Callable[..., Kiosk]) -> None:
    login = server.somebody()
    writer = at_the_exam(open_kiosk(), login)
    with server.app.app_context():
        candidate_id = db.session.execute(select(Candidate.id).where(Candidate.login == login.lower())).scalar_one()
    staff = open_kiosk()
    staff.sign_in("centre")
    staff.open("/centre/board")
    seat = staff.page.locator(f"#seat-{candidate_id} a")
    expect(seat).to_have_class("seat seat--writing")
    seat.focus()
    writer.choose("A")
    writer.sees_saved()
    expect(seat.locator(".seat__of")).to_have_text("1/43", timeout=WITHIN_MS)
    expect(seat).to_be_focused()
    staff.page.keyboard.press("Enter")
    expect(staff.page.locator("#seat-panel")).to_be_focused()
    staff.page.get_by_role("link", name="Add time…").click()
    staff.page.fill("#reason", "power cut")
    writer.press("next")
    writer.choose("B")
    expect(seat.locator(".seat__of")).to_have_text("2/43", timeout=WITHIN_MS)
    expect(staff.page.locator("#reason")).to_have_value("power cut")
    staff.page.get_by_role("button", name="Add the time").click()
    staff.sees("minutes more")
    expect(staff.page.locator("#seat-panel")).to_be_visible()
    assert staff.troubles == []


def test_a_room_that_nobody_answers_for_says_so_until_it_is_heard_from_again(
    server: Server, open_kiosk: Callable[..., Kiosk]
) -> None:
    staff = open_kiosk()
    staff.sign_in("centre")
    staff.open("/centre/board")
    told = staff.page.locator("#no-line")
    expect(told).to_be_hidden()
    staff.page.route("**/centre/board*", lambda route: route.abort())
    expect(told).to_be_visible(timeout=WITHIN_MS)
    staff.page.unroute("**/centre/board*")
    expect(told).to_be_hidden(timeout=WITHIN_MS)
    forgive_the_lost_line(staff)


def test_on_a_phone_who_needs_somebody_stands_first(server: Server, open_kiosk: Callable[..., Kiosk]) -> None:
    staff = open_kiosk(viewport={"width": 390, "height": 844})
    staff.sign_in("centre")
    staff.open("/centre/board")
    calls, room = staff.page.locator(".board__calls").bounding_box(), staff.page.locator("#tiles").bounding_box()
    assert calls
    assert room
    assert calls["y"] < room["y"]
    assert staff.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_answers_that_do_not_come_through_are_seen_on_the_board_and_gone_once_they_have(
    server: Server, open_kiosk: Callable[..., Kiosk]
) -> None:
    login = server.somebody()
    writer = at_the_exam(open_kiosk(), login)
    with server.app.app_context():
        candidate_id = db.session.execute(select(Candidate.id).where(Candidate.login == login.lower())).scalar_one()
    staff = open_kiosk()
    staff.sign_in("centre")
    staff.open("/centre/board")
    call = staff.page.locator(f"#call-{candidate_id}")
    writer.page.route("**/exam/save", lambda route: route.abort())
    writer.choose("A")
    expect(call).to_contain_text("Unsaved answers: 1", timeout=WITHIN_MS + PROBE_MS)
    writer.page.unroute("**/exam/save")
    writer.sees_saved()
    expect(call).to_have_count(0, timeout=WITHIN_MS)
    forgive_the_lost_line(writer)
