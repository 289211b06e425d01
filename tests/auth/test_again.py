"""After half an hour without a click the next change asks for the password, and nothing that was typed is lost."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select

from kiosk import clock
from kiosk.extensions import db
from kiosk.models import Slot
from tests.candidate.seat import Seat
from tests.cast import PASSWORD, Hall
from tests.desk import Desk, PageCheck, plain


@pytest.fixture
def desk(hall: Hall, app: Flask) -> Desk:
    """The centre's desk, half an hour and a second after its last click."""
    desk = Desk(app, "centre")
    desk.text("/centre/")
    preview = desk.get(f"/centre/slots/reset?id={hall.candidate_ids[0]}").text
    desk.seen = re.search(r'name="seen" value="([^"]*)"', preview)[1]
    desk.token = re.search(r'name="csrf_token" value="([^"]*)"', preview)[1]
    clock.freeze(hall.after(minutes=30, seconds=1))
    return desk


def reset(desk: Desk, hall: Hall, *, htmx: bool = False, **more: str):
    form = {"id": str(hall.candidate_ids[0]), "seen": desk.seen, "reason": "typed with care & <love>"} | more
    return desk.post("/centre/slots/reset", htmx=htmx, **form)


def is_reset(hall: Hall) -> bool:
    db.session.rollback()
    return (
        db.session.execute(
            select(Slot.id).where(Slot.candidate_id == hall.candidate_ids[0], Slot.closed_at.is_(None))
        ).first()
        is None
    )


def again_form(page: str) -> dict[str, str]:
    """What the page that asks for the password would send."""
    import html

    form = page[page.index('<form class="stack"') :]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[: form.index("</form>")])
    return {name: html.unescape(value) for name, value in found if name != "csrf_token"}


def test_a_change_waits_for_the_password_and_is_then_done_as_it_was_typed(desk: Desk, hall: Hall) -> None:
    asked = reset(desk, hall)
    assert asked.status_code == 401
    assert "Nobody clicked here for half an hour" in plain(asked)
    assert PageCheck(asked.text).found() == []
    assert not is_reset(hall)
    kept = again_form(asked.text)
    assert kept["reason"] == "typed with care & <love>"
    assert 'action="/centre/slots/reset"' in asked.text
    assert desk.post("/centre/slots/reset", **kept, password_again=PASSWORD).status_code == 303
    assert is_reset(hall)


def test_a_wrong_password_asks_again_keeps_everything_and_counts(desk: Desk, hall: Hall) -> None:
    for _ in range(5):
        asked = reset(desk, hall, password_again="wrong")
        assert asked.status_code == 401
        assert "This is not your password" in plain(asked)
        assert again_form(asked.text)["reason"] == "typed with care & <love>"
        assert "wrong" not in again_form(asked.text).values()
    locked = reset(desk, hall, password_again=PASSWORD)
    assert (locked.status_code, locked.headers["Retry-After"]) == (429, "300")
    assert not is_reset(hall)


def test_over_a_page_with_scripts_a_dialog_asks_and_the_page_stays(desk: Desk, hall: Hall) -> None:
    asked = reset(desk, hall, htmx=True)
    assert asked.status_code == 401
    assert asked.headers["HX-Retarget"] == "#password-again"
    assert asked.text.count("<dialog") == 1
    assert "data-open" in asked.text
    assert 'id="password-again"' in desk.get("/centre/").text
    wrong = desk.post("/password/again", htmx=True, password_again="wrong")
    assert (wrong.status_code, wrong.headers["HX-Retarget"]) == (401, "#password-again")
    assert not is_reset(hall)
    assert "press the button once more" in plain(desk.post("/password/again", htmx=True, password_again=PASSWORD))
    assert reset(desk, hall, htmx=True).status_code == 200
    assert is_reset(hall)


def test_looking_goes_on_and_is_no_click_any_more(desk: Desk, hall: Hall) -> None:
    for _ in range(2):
        assert desk.get("/centre/").status_code == 200
        assert desk.fragment("/centre/").status_code == 200
        assert reset(desk, hall).status_code == 401


def test_a_page_looked_at_within_the_half_hour_is_a_click_and_a_board_that_asks_by_itself_is_none(
    hall: Hall, app: Flask
) -> None:
    clicked, left = Desk(app, "centre"), Desk(app, "admin")
    clock.freeze(hall.after(minutes=20))
    clicked.get("/centre/")
    assert "Set-Cookie" not in left.fragment("/centre/").headers
    clock.freeze(hall.after(minutes=45))
    assert clicked.post("/account/other-sign-ins").status_code == 303
    assert left.post("/account/other-sign-ins").status_code == 401


def test_a_file_cannot_be_kept_so_the_way_leads_back_to_where_it_was_chosen(desk: Desk, hall: Hall) -> None:
    import io

    answer = desk.run(
        lambda: desk.client.post(
            "/account/other-sign-ins",
            data={"csrf_token": desk.token, "file": (io.BytesIO(b"x"), "candidates.csv")},
            headers={"Referer": "http://localhost/account"},
        )
    )
    assert answer.status_code == 401
    assert "Then choose the file once more" in plain(answer)
    kept = again_form(answer.text)
    assert kept == {"next": "/account"}
    assert desk.post("/password/again", **kept, password_again=PASSWORD).location == "/account"
    evil = desk.post("/password/again", next="//evil.example", password_again=PASSWORD)
    assert evil.location == "/login"


@pytest.mark.parametrize("address", ["/logout", "/preferences"])
def test_signing_out_and_the_display_ask_for_nothing(desk: Desk, address: str) -> None:
    assert desk.post(address).status_code == 303


def test_a_change_of_password_asks_only_once(desk: Desk) -> None:
    new = "nine brown horses"
    answer = desk.post("/password", current=PASSWORD, new=new, repeated=new)
    assert answer.status_code == 303
    assert desk.post("/account/other-sign-ins").status_code == 303


def test_a_candidate_is_never_asked(hall: Hall) -> None:
    seat = Seat(hall).sit()
    clock.freeze(hall.after(hours=2, minutes=50))
    assert seat.submit().location == "/candidate/done"
