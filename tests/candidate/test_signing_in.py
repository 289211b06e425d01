"""The sign-in page: each refusal in its own plain sentence, and the way from it to one's own place."""

from __future__ import annotations

import pytest

from tests.candidate.seat import Seat
from tests.cast import PASSWORD, Hall
from tests.desk import plain


def sign_in(seat: Seat, username: str, password: str) -> tuple[int, str]:
    answer = seat.post("/login", username=username, password=password)
    return answer.status_code, plain(answer)


def test_a_wrong_password_is_401_with_the_form_and_the_name_still_in_it(hall: Hall) -> None:
    answer = Seat(hall, None).post("/login", username="N001", password="wrong")
    assert answer.status_code == 401
    assert "The service number or the password is not right" in plain(answer)
    assert 'value="N001"' in answer.text
    assert "wrong" not in answer.text.replace("wrong_", "")


def test_an_unknown_name_cannot_be_told_from_a_wrong_password(hall: Hall) -> None:
    seat = Seat(hall, None)
    known, unknown = sign_in(seat, "N001", "wrong"), sign_in(seat, "X999", "wrong")
    assert known == unknown


def test_empty_fields_are_422(hall: Hall) -> None:
    status, text = sign_in(Seat(hall, None), "", "")
    assert status == 422
    assert "Enter your service number and password" in text


def test_after_five_wrong_tries_the_sixth_is_429_though_it_is_right(hall: Hall) -> None:
    seat = Seat(hall, None)
    for _ in range(5):
        sign_in(seat, "N001", "wrong")
    status, text = sign_in(seat, "N001", PASSWORD)
    assert status == 429
    assert "Too many wrong tries. Wait 5 minutes" in text


@pytest.mark.parametrize(
    ("login", "place"),
    [
        ("n001", "/candidate/"),
        ("centre", "/centre/"),
        ("admin", "/admin/"),
        ("auditor", "/admin/"),
        ("marks", "/admin/"),
    ],
)
def test_everybody_lands_where_they_work(hall: Hall, login: str, place: str) -> None:
    seat = Seat(hall, None)
    assert seat.post("/login", username=login, password=PASSWORD).location.startswith(place)


def test_signing_out_ends_it_and_clears_the_browser(hall: Hall) -> None:
    seat = Seat(hall)
    answer = seat.post("/logout")
    assert answer.location == "/login"
    assert "storage" in answer.headers["Clear-Site-Data"]
    assert seat.get("/candidate/").location == "/login"


def test_a_stranger_is_sent_to_the_sign_in_and_a_fragment_never_gets_its_page(hall: Hall) -> None:
    seat = Seat(hall, None)
    assert seat.get("/candidate/exam").location == "/login"
    answer = seat.fragment("/candidate/exam/clock")
    assert (answer.status_code, answer.text, answer.headers["HX-Redirect"]) == (401, "", "/login")


def test_staff_find_nothing_on_the_candidates_side(hall: Hall) -> None:
    seat = Seat(hall, None)
    seat.post("/login", username="centre", password=PASSWORD)
    assert seat.get("/candidate/").status_code in (302, 303, 401, 403)


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_a_preference_never_leads_to_another_site(hall: Hall, wanted: str) -> None:
    answer = Seat(hall, None).post("/preferences", size="l", next=wanted)
    assert answer.status_code == 303
    assert answer.location == "/login"


def test_language_size_and_display_are_kept_in_cookies_and_stand_on_the_root(hall: Hall) -> None:
    seat = Seat(hall, None)
    for name, value in (("language", "hi"), ("size", "xl"), ("theme", "contrast")):
        seat.post("/preferences", **{name: value}, next="/login")
    page = seat.get("/login").text
    assert '<html lang="hi" data-theme="contrast" data-size="xl">' in page
    seat.post("/preferences", size="enormous")
    assert 'data-size="xl"' in seat.get("/login").text


def test_a_post_without_the_token_is_refused_with_a_page_that_says_what_to_do(hall: Hall) -> None:
    seat = Seat(hall, None)
    seat.token = "made up"
    answer = seat.post("/login", username="N001", password=PASSWORD)
    assert answer.status_code == 400
    assert "Your page is out of date" in plain(answer)


def test_a_page_whose_sign_in_is_gone_leads_to_the_sign_in_whatever_its_token(hall: Hall) -> None:
    seat = Seat(hall).sit()
    seat.client.delete_cookie("kiosk")
    answer = seat.post(
        "/candidate/exam/save", htmx=True, question=str(hall.player().paper()[0][1]), seq="1", choice="A"
    )
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")
    assert seat.post("/candidate/exam/go", go="next").location == "/login"
