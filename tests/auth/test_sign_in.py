"""The sign-in page under load and under attack: turns, limits, cookies, tokens, and where it never leads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from kiosk import clock
from kiosk.extensions import db, transaction
from kiosk.models import SignInTries, User
from kiosk.services import admission, tries
from tests.candidate.seat import Seat
from tests.cast import PASSWORD, Hall, csrf_of
from tests.desk import Desk, plain, row_counts

HTTPS = "https://127.0.0.1"


def login(seat: Seat, username: str = "N001", password: str = PASSWORD, **more: bool) -> TestResponse:
    return seat.post("/login", username=username, password=password, **more)


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Somebody else's password is being looked at, and that takes long."""
    monkeypatch.setattr("kiosk.blueprints.auth.PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr("kiosk.services.accounts.PATIENCE_SECONDS", 0.05)
    with admission.hashing.turn(wait_seconds=0):
        yield


# --- at the start bell ------------------------------------------------------------------------


@pytest.mark.usefixtures("busy")
def test_a_page_with_scripts_is_told_to_try_again_by_itself_and_never_gets_the_password_back(hall: Hall) -> None:
    answer = login(Seat(hall, None), htmx=True)
    assert answer.status_code == 202
    delay = re.search(r'hx-trigger="load delay:(\d+)ms"', answer.text)
    assert delay
    assert 400 <= int(delay[1]) <= 16_000
    assert 'hx-include="#sign-in"' in answer.text
    assert PASSWORD not in answer.text


@pytest.mark.usefixtures("busy")
def test_the_moments_at_which_a_hall_comes_again_differ(hall: Hall) -> None:
    seat = Seat(hall, None)
    assert len({re.search(r"delay:\d+", login(seat, htmx=True).text)[0] for _ in range(5)}) > 1


@pytest.mark.usefixtures("busy")
def test_a_page_without_scripts_says_press_again_and_keeps_the_name_but_not_the_password(hall: Hall) -> None:
    answer = login(Seat(hall, None))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "Many people are signing in. Press Sign in again." in plain(answer)
    assert 'value="N001"' in answer.text
    assert PASSWORD not in answer.text


@pytest.mark.usefixtures("busy")
def test_being_told_to_come_again_counts_as_nothing(hall: Hall) -> None:
    before, seat = row_counts(), Seat(hall, None)
    for _ in range(8):
        login(seat, htmx=True)
    assert row_counts() == before


def test_a_page_with_scripts_is_led_on_and_a_refusal_lands_above_the_form(hall: Hall) -> None:
    seat = Seat(hall, None)
    refused = login(seat, password="wrong", htmx=True)
    assert refused.status_code == 401
    assert "<form" not in refused.text
    assert "is not right" in plain(refused)
    assert "hx-trigger" not in refused.text
    answer = login(seat, htmx=True)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, "/candidate/")
    assert seat.get("/candidate/").status_code != 401


# --- too many tries ---------------------------------------------------------------------------


def test_a_source_that_tried_too_often_gets_429_with_the_seconds_to_wait(hall: Hall) -> None:
    with transaction():
        db.session.add(SignInTries(source="address:127.0.0.1", failures=tries.ADDRESS_LIMIT, since_at=hall.MORNING))
    for htmx in (False, True):
        answer = login(Seat(hall, None), htmx=htmx)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "600")
        assert "Too many wrong tries from this computer. Wait 10 minutes" in plain(answer)
    clock.freeze(hall.after(minutes=10))
    assert login(Seat(hall, None)).status_code == 303


def test_a_locked_account_says_after_how_many_seconds(hall: Hall) -> None:
    seat = Seat(hall, None)
    for _ in range(5):
        login(seat, password="wrong")
    answer = login(seat)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "300")


def test_wrong_tries_are_counted_without_redis(hall: Hall, redis_server) -> None:
    redis_server.stop()
    seat = Seat(hall, None)
    for _ in range(5):
        assert login(seat, password="wrong").status_code == 401
    assert login(seat).status_code == 429
    assert login(seat, "N002").status_code == 303


# --- sessions (rows 9 to 15b) -----------------------------------------------------------------


def test_signing_in_as_somebody_else_ends_the_first_sign_in(hall: Hall) -> None:
    seat = Seat(hall, 0)
    seat.is_me()
    with seat.client.session_transaction() as session:
        before = dict(session["who"])
    seat.token = csrf_of(seat.get("/candidate/instructions").text)
    assert login(seat, "centre").location == "/centre/"
    with seat.client.session_transaction() as session:
        assert session["who"]["id"] != before["id"]
        assert session["who"]["login"] != before["login"]
        assert "language" not in session or session["language"] == "en"
        assert "sitting" not in session
    assert seat.get("/candidate/").status_code in (302, 303, 403)


def test_what_stood_in_the_session_before_the_sign_in_is_gone(hall: Hall) -> None:
    seat = Seat(hall, None)
    with seat.client.session_transaction() as session:
        planted, session["planted"] = session["csrf_token"], "by an attacker"
    login(seat)
    with seat.client.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf_token") != planted


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "/\t/evil.example",
        "/%09/evil.example",
        "javascript:alert(1)",
        "/login?next=/login",
    ],
)
def test_no_next_leads_anywhere_but_to_ones_own_place(hall: Hall, wanted: str) -> None:
    seat = Seat(hall, None)
    answer = seat.run(
        lambda: seat.client.post(
            "/login",
            query_string={"next": wanted},
            data={"csrf_token": seat.token, "username": "N001", "password": PASSWORD, "next": wanted},
        )
    )
    assert answer.location == "/candidate/"


@pytest.mark.filterwarnings("ignore:The 'kiosk' cookie is too large")
@pytest.mark.parametrize(
    "forged",
    ["", "x", "a" * 8000, "eyJ3aG8iOnt9fQ.aaaa.bbbb", "\xff\xfe", '.eJw"', "{half}", "{other key}", "{a year old}"],
)
def test_a_cookie_that_is_not_ours_or_too_old_is_a_sign_out(hall: Hall, app: Flask, forged: str) -> None:
    seat = Seat(hall)
    own = seat.client.get_cookie("kiosk").value
    signer = app.session_interface.get_signing_serializer(app)
    if forged == "{other key}":
        signer.secret_keys = ["another key, of the same length as the real one has"]
        forged = signer.dumps({"_user_id": "user:1", "who": {}})
    elif forged == "{a year old}":
        forged = own.replace(own.split(".")[-2], "AAAAAA")
    else:
        forged = forged.replace("{half}", own[: len(own) // 2])
    seat.client.set_cookie("kiosk", forged)
    answer = seat.get("/candidate/")
    assert (answer.status_code, answer.location) == (302, "/login")


def test_a_sign_in_kept_in_an_older_shape_is_a_sign_out(hall: Hall) -> None:
    desk = Desk(hall.app, "centre")
    with desk.client.session_transaction() as session:
        del session["staff"]
    assert desk.get("/centre/").status_code == 401


@pytest.mark.parametrize(
    ("change", "statuses"),
    [
        ({"deactivated_at": "now"}, {401}),
        ({"session_epoch": 7}, {401}),
        ({"role": "marks_officer", "centre_id": None}, {403}),
    ],
)
def test_what_changes_about_a_person_holds_from_the_next_request_on(
    hall: Hall, change: dict[str, object], statuses: set[int]
) -> None:
    desk = Desk(hall.app, "centre")
    assert desk.get("/centre/").status_code == 200
    values = {name: hall.MORNING if value == "now" else value for name, value in change.items()}
    with transaction():
        db.session.execute(update(User).where(User.login == "centre").values(**values))
    assert {desk.get("/centre/").status_code, desk.fragment("/centre/").status_code} == statuses


def test_no_link_signs_anybody_out_and_no_form_without_the_token(hall: Hall) -> None:
    seat = Seat(hall)
    assert seat.get("/logout").status_code == 405
    assert seat.run(lambda: seat.client.post("/logout")).status_code == 400
    assert seat.get("/candidate/", follow_redirects=True).request.path != "/login"


def test_a_token_of_another_sign_in_is_refused_and_ones_own_lasts_as_long_as_an_exam(hall: Hall) -> None:
    seat, other = Seat(hall, 0).sit(), Seat(hall, 1)
    own, seat.token = seat.token, other.token
    assert seat.post("/candidate/submit", confirm="1").status_code == 400
    clock.freeze(hall.after(hours=2, minutes=55))
    seat.token = own
    assert seat.submit().status_code == 303


def test_over_https_a_form_without_a_referer_arrives(hall: Hall) -> None:
    client = hall.app.test_client()
    desk = Desk(hall.app)
    page = desk.run(lambda: client.get("/login", base_url=HTTPS)).text
    form = {"csrf_token": csrf_of(page), "username": "N001", "password": PASSWORD}
    for headers in ({}, {"Origin": HTTPS}):
        answer = desk.run(lambda: client.post("/login", data=form, base_url=HTTPS, headers=headers))  # noqa: B023
        assert answer.status_code == 303, answer.text
        page = desk.run(lambda: client.get("/candidate/identity", base_url=HTTPS)).text
        form["csrf_token"] = csrf_of(page)


def test_a_staff_sign_in_lasts_twelve_hours_however_busy_it_is(hall: Hall) -> None:
    desk = Desk(hall.app, "centre")
    for minutes in range(20, 12 * 60, 20):
        clock.freeze(hall.after(minutes=minutes))
        assert desk.get("/centre/").status_code == 200
    clock.freeze(hall.after(hours=12) - timedelta(seconds=1))
    assert desk.get("/centre/").status_code == 200
    clock.freeze(hall.after(hours=12))
    assert desk.get("/centre/").status_code == 401
    assert desk.get("/login").status_code == 200
