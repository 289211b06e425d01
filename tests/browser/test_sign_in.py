"""Signing in and going on in a real browser: waiting one's turn, a refusal, a lost line, a password asked for again."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Server
from tests.browser.kiosk import PASSWORD, Kiosk
from tests.browser.test_access import problems
from tests.cast import csrf_of


def busy_answer(server: Server) -> str:
    """What the server really says to a page while it looks at somebody else's password."""
    found: list[str] = []

    def knock() -> None:
        line = http.client.HTTPConnection("127.0.0.1", server.port)
        line.request("GET", "/login")
        page = line.getresponse()
        cookie, text = page.headers["Set-Cookie"].split(";")[0], page.read().decode()
        form = urlencode({"csrf_token": csrf_of(text), "username": "nobody at all", "password": "wrong"})
        headers = {"Cookie": cookie, "HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded"}
        for _ in range(5):
            line.request("POST", "/login", form, headers)
            answer = line.getresponse()
            body = answer.read().decode()
            if answer.status == 202:
                found.append(body)

    threads = [threading.Thread(target=knock) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found, "nobody was told to wait"
    return found[0]


def test_a_page_that_is_told_to_wait_gets_in_by_itself(server: Server, kiosk: Kiosk) -> None:
    body = re.sub(r"delay:\d+ms", "delay:300ms", busy_answer(server))
    sent: list[str] = []

    def first_busy(route: Route) -> None:
        sent.append(route.request.post_data or "")
        if len(sent) == 1:
            route.fulfill(status=202, content_type="text/html; charset=utf-8", body=body)
        else:
            route.continue_()

    kiosk.page.route(
        "**/login", lambda route: first_busy(route) if route.request.method == "POST" else route.continue_()
    )
    kiosk.sign_in(server.somebody())
    kiosk.sees("This page tries again by itself")
    kiosk.sees("Is this you?")
    assert len(sent) == 2
    assert sent[0] == sent[1]


def test_a_refusal_lands_above_the_form_and_the_next_password_is_typed_at_once(server: Server, kiosk: Kiosk) -> None:
    login = server.somebody()
    kiosk.sign_in(login, "wrong")
    kiosk.sees("The service number or the password is not right")
    expect(kiosk.page.locator("[name=username]")).to_have_value(login)
    expect(kiosk.page.locator("[name=password]")).to_have_value("")
    expect(kiosk.page.locator("[name=password]")).to_be_focused()
    kiosk.page.keyboard.type(PASSWORD)
    kiosk.page.keyboard.press("Enter")
    kiosk.sees("Is this you?")


def test_without_a_line_the_page_says_so_and_goes_on_when_it_is_back(server: Server, kiosk: Kiosk) -> None:
    kiosk.open("/login")
    kiosk.page.fill("[name=username]", server.somebody())
    kiosk.page.fill("[name=password]", PASSWORD)
    kiosk.context.set_offline(True)
    kiosk.page.press("[name=password]", "Enter")
    kiosk.sees("The connection is lost")
    kiosk.context.set_offline(False)
    kiosk.page.press("[name=password]", "Enter")
    kiosk.sees("Is this you?")


def test_after_half_an_hour_a_dialog_asks_for_the_password_and_the_page_stays_as_it_was(
    server: Server, open_kiosk: Callable[..., Kiosk]
) -> None:
    desk, login = open_kiosk().sign_in("centre"), server.somebody()
    desk.open(f"/centre/?q={login}")
    desk.page.get_by_role("link", name=login, exact=True).click()
    desk.page.get_by_role("link", name="Reset…").click()
    desk.page.get_by_label("Reason").fill("typed with care")
    let_half_an_hour_pass(server, desk)
    reset = desk.page.get_by_role("button", name="Reset", exact=False)
    reset.click()
    asked = desk.page.get_by_role("dialog", name="Is it still you?")
    expect(asked).to_be_visible()
    expect(asked.get_by_label("Your password")).to_be_focused()
    desk.page.keyboard.type("wrong")
    desk.page.keyboard.press("Enter")
    expect(asked).to_contain_text("This is not your password")
    asked.get_by_label("Your password").fill(PASSWORD)
    desk.page.keyboard.press("Enter")
    expect(asked).to_have_count(0)
    expect(desk.page.get_by_label("Reason")).to_have_value("typed with care")
    reset.click()
    desk.sees("No slot")


@pytest.mark.parametrize(("theme", "width", "height"), [("light", 1366, 768), ("dark", 390, 844)])
def test_the_pages_of_the_second_factor_have_no_barrier(
    server: Server, open_kiosk: Callable[..., Kiosk], theme: str, width: int, height: int
) -> None:
    desk = open_kiosk()
    desk.page.set_viewport_size({"width": width, "height": height})
    desk.context.add_cookies([{"name": "ui_theme", "value": theme, "url": server.url}])
    desk.sign_in("centre2").open("/account")
    found = {"off": problems(desk.page)}
    desk.page.get_by_role("button", name=re.compile("Set it up|Make another key")).click()
    desk.sees("Enter the six digits")
    # keys are drawn: the widest there is
    desk.page.evaluate("document.querySelector('#secret').textContent = 'WWWW '.repeat(8)")
    found["set up"] = problems(desk.page)
    desk.page.get_by_label("Code of your authenticator app").fill("000000")
    desk.page.get_by_role("button", name="Switch it on").click()
    desk.sees("This code is not right")
    found["wrong code"] = problems(desk.page)
    let_half_an_hour_pass(server, desk)
    desk.page.get_by_role("button", name="End all other sign-ins").click()
    desk.sees("Is it still you?")
    found["password again"] = problems(desk.page)
    assert not any(found.values()), {screen: wrong for screen, wrong in found.items() if wrong}


def let_half_an_hour_pass(server: Server, desk: Kiosk) -> None:
    """The last click of this sign-in was long ago, as its own cookie says."""
    kept = next(one for one in desk.context.cookies() if one["name"] == "kiosk")
    signer = server.app.session_interface.get_signing_serializer(server.app)
    session = signer.loads(kept["value"])
    session["staff"]["clicked"] -= 1801
    desk.context.add_cookies([{"name": "kiosk", "value": signer.dumps(session), "url": server.url}])


def test_a_refresh_after_a_wrong_start_code_sends_nothing_again(server: Server, kiosk: Kiosk) -> None:
    kiosk.sign_in(server.somebody()).is_me().begin("000000")
    kiosk.sees("The start code is not right")
    with kiosk.page.expect_request("**/candidate/instructions") as asked:
        kiosk.page.reload()
    assert asked.value.method == "GET"
    kiosk.sees("Before you begin")
