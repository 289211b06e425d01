"""One's own account: since when, the other sign-ins, and the second factor from its picture to its loss."""

from __future__ import annotations

import base64
import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from kiosk import clock
from kiosk.extensions import db, transaction
from kiosk.models import User
from kiosk.services import second_factor
from tests.cast import PASSWORD, Hall
from tests.desk import Desk, PageCheck, plain


def code(secret: bytes, steps: int = 0) -> str:
    return second_factor.code_at(secret, second_factor.step_at(clock.now()) + steps)


def set_up(desk: Desk) -> bytes:
    """Switch the second factor on as a person would; return the secret that the app keeps."""
    desk.post("/account/second-factor/begin")
    shown = re.search(r'id="secret">([A-Z2-7 ]+)</p>', desk.get("/account").text)
    secret = base64.b32decode(shown[1].replace(" ", ""))
    assert desk.post("/account/second-factor/confirm", code=code(secret, -1)).status_code == 303
    return secret


def first_step(app: Flask, login: str = "centre") -> Desk:
    """A browser in which the password was right."""
    desk = Desk(app)
    desk.token = re.search(r'name="csrf_token" value="([^"]*)"', desk.get("/login").text)[1]
    answer = desk.post("/login", username=login, password=PASSWORD)
    assert answer.location == "/login"
    desk.token = re.search(r'name="csrf_token" value="([^"]*)"', desk.get("/login").text)[1]
    return desk


@pytest.fixture
def desk(hall: Hall, app: Flask) -> Desk:
    """The centre admin's browser."""
    return Desk(app, "centre")


def test_it_says_since_when_one_is_signed_in(desk: Desk, hall: Hall) -> None:
    clock.freeze(hall.after(hours=3))
    assert "Signed in since 21 Nov" in desk.text("/account")
    assert "10:00" in desk.text("/account")
    assert 'href="/account"' in desk.get("/centre/").text


def test_all_other_sign_ins_end_and_this_one_goes_on(desk: Desk, app: Flask, hall: Hall) -> None:
    elsewhere, colleague = Desk(app, "centre"), Desk(app, "admin")
    assert desk.post("/account/other-sign-ins").location == "/account"
    assert desk.get("/centre/").status_code == 200
    assert elsewhere.get("/centre/").status_code == 401
    assert colleague.get("/admin/").status_code == 200
    assert ("end_sign_ins", None, None) in hall.audit(hall.centre_admin.id)


def test_a_candidate_has_no_account_page(app: Flask) -> None:
    seat = Desk(app, "N001")
    assert seat.get("/account").status_code == 403
    for place in ("other-sign-ins", "second-factor/begin", "second-factor/confirm", "second-factor/off"):
        assert seat.post(f"/account/{place}").status_code == 403


def test_every_state_of_the_page_is_sound(desk: Desk, app: Flask) -> None:
    pages = [desk.get("/account").text]
    desk.post("/account/second-factor/begin")
    pages.append(desk.get("/account").text)
    pages.append(desk.post("/account/second-factor/confirm", code="000000").text)
    set_up(desk)
    pages += [desk.get("/account").text, first_step(app).get("/login").text]
    for page in pages:
        assert PageCheck(page).found() == []
    assert "data:image/svg+xml" in pages[1]


def test_a_wrong_first_code_switches_nothing_on(desk: Desk, app: Flask) -> None:
    desk.post("/account/second-factor/begin")
    answer = desk.post("/account/second-factor/confirm", code="000000")
    assert answer.status_code == 422
    assert "This code is not right" in plain(answer)
    assert Desk(app, "centre").get("/centre/").status_code == 200


def test_confirming_what_was_never_begun_changes_nothing(desk: Desk) -> None:
    assert desk.post("/account/second-factor/confirm", code="000000").status_code == 303
    assert "Off." in desk.text("/account")


def test_with_a_second_factor_the_sign_in_has_two_steps_and_nothing_is_open_between_them(
    desk: Desk, app: Flask
) -> None:
    secret = set_up(desk)
    browser = first_step(app)
    assert "Code of your authenticator app" in browser.text("/login")
    assert browser.get("/centre/").location == "/login"
    assert browser.fragment("/centre/").status_code == 401
    assert browser.post("/account/second-factor/off", password=PASSWORD).status_code in (302, 401)
    assert browser.post("/login", code=code(secret)).location == "/centre/"
    assert browser.get("/centre/").status_code == 200


def test_who_was_signed_in_before_the_first_step_is_signed_out_by_it(desk: Desk, app: Flask, hall: Hall) -> None:
    set_up(desk)
    browser = Desk(app, "admin")
    assert browser.post("/login", username="centre", password=PASSWORD).location == "/login"
    assert browser.get("/admin/").location == "/login"


def second(browser: Desk, given: str) -> TestResponse:
    return browser.post("/login", code=given)


def test_wrong_codes_are_refused_and_the_fifth_locks(desk: Desk, app: Flask) -> None:
    secret = set_up(desk)
    browser = first_step(app)
    for given in ("000000", "", "x" * 9000, code(secret, -1), code(secret, -9)):
        answer = second(browser, given)
        assert answer.status_code == 401, given
        assert "This code is not right, or it was used already" in plain(answer)
    answer = second(browser, code(secret))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "300")


def test_the_first_step_holds_five_minutes(desk: Desk, app: Flask, hall: Hall) -> None:
    secret = set_up(desk)
    browser = first_step(app)
    clock.freeze(hall.after(minutes=5, seconds=1))
    assert "Service number" in browser.text("/login")
    assert second(browser, code(secret)).status_code == 422


def test_a_first_step_ends_with_the_sign_ins(desk: Desk, app: Flask, hall: Hall) -> None:
    secret = set_up(desk)
    browser = first_step(app)
    desk.post("/account/other-sign-ins")
    assert second(browser, code(secret)).location == "/login"
    assert browser.get("/centre/").location == "/login"


def test_beginning_again_leads_back_to_the_password(desk: Desk, app: Flask) -> None:
    set_up(desk)
    browser = first_step(app)
    browser.post("/logout")
    assert "Service number" in browser.text("/login")


def test_it_is_switched_off_with_the_password_only(desk: Desk, app: Flask) -> None:
    set_up(desk)
    refused = desk.post("/account/second-factor/off", password="wrong")
    assert refused.status_code == 422
    assert "This is not your password" in plain(refused)
    assert "On." in desk.text("/account")
    assert desk.post("/account/second-factor/off", password=PASSWORD).location == "/account"
    assert Desk(app, "centre").get("/centre/").status_code == 200


def test_who_must_have_one_sets_it_up_before_anything_else(desk: Desk, app: Flask, hall: Hall) -> None:
    second_factor.demand_of(hall.organisation_id, ["centre_admin"], by=hall.admin, now=hall.MORNING)
    assert desk.get("/centre/").status_code == 200, "from the next sign-in on"
    browser = Desk(app, "centre")
    for place in ("/", "/centre/"):
        assert browser.get(place).location == "/account"
    assert browser.fragment("/centre/").headers["HX-Redirect"] == "/account"
    assert browser.post("/centre/slots/reset", id=str(hall.candidate_ids[0])).location == "/account"
    assert "Your role needs a second factor" in browser.text("/account")
    secret = set_up(browser)
    assert browser.get("/centre/").status_code == 200
    refused = browser.post("/account/second-factor/off", password=PASSWORD)
    assert (refused.status_code, "Your role must have a second factor" in plain(refused)) == (409, True)
    assert second(first_step(app), code(secret)).location == "/centre/"
    assert Desk(app, "admin").get("/admin/").status_code == 200


def test_a_password_that_staff_have_set_comes_before_the_account(desk: Desk, hall: Hall) -> None:
    with transaction():
        db.session.get_one(User, hall.centre_admin.id).must_change_password = True
    assert desk.get("/account").location == "/password"


def test_account_and_password_keep_the_way_to_all_other_pages(app: Flask, hall: Hall) -> None:
    desk = Desk(app, "centre")
    for address in ("/account", "/password"):
        page = desk.get(address).text
        assert PageCheck(page).found() == []
        assert 'class="bar__nav"' in page
        assert "Sign out" in page


def test_a_password_that_has_to_be_changed_first_leads_nowhere_else(app: Flask, hall: Hall) -> None:
    desk = Desk(app, "centre")
    with transaction():
        db.session.get_one(User, hall.centre_admin.id).must_change_password = True
    page = desk.get("/password").text
    assert "Choose a password of your own" in page
    assert 'class="bar__nav"' not in page
