"""Whoever is moved reads at the old kiosk where to go, at its next question to the server; nobody else does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update
from werkzeug.test import TestResponse

from kiosk.extensions import db, transaction
from kiosk.models import Candidate
from kiosk.services import moving, sign_ins
from tests.candidate.seat import Seat
from tests.cast import Hall
from tests.desk import PageCheck

NEWS = "You were moved to seat 14"


def move(hall: Hall, seat: str = "14", *, minutes: int = 5) -> None:
    moving.move(
        hall.candidate_ids[0], seat, reason="the screen is dark", by=hall.centre_admin, now=hall.after(minutes=minutes)
    )


def save(seat: Seat) -> TestResponse:
    question_id = seat.hall.player().paper()[0][1]
    return seat.post("/candidate/exam/save", htmx=True, question=str(question_id), choice="A", seq="9", page="0")


ASKS: dict[str, Callable[[Seat], TestResponse]] = {
    "poll": lambda seat: seat.fragment("/candidate/exam/clock?page=0"),
    "save": save,
    "reload": lambda seat: seat.get("/candidate/exam"),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_the_old_kiosk_tells_its_candidate_where_to_go(hall: Hall, ask: Callable[[Seat], TestResponse]) -> None:
    old = Seat(hall).sit()
    move(hall)
    ask(old)
    text = old.read("/candidate/")
    for words in (NEWS, "safe on the server", "go to seat 14"):
        assert words in text
    page = old.get("/login").text
    assert PageCheck(page).found() == []
    assert "<form" not in page.split("<main")[1].split("</main>")[0]
    assert NEWS in old.read("/login"), "a reload says it again"


def test_the_old_sign_in_is_over_all_the_same(hall: Hall) -> None:
    old = Seat(hall).sit()
    move(hall)
    old.read("/candidate/")
    for address in ("/candidate/", "/candidate/exam", "/candidate/photo"):
        assert old.get(address).location == "/login"


def test_it_is_said_in_the_candidates_language(hall: Hall) -> None:
    old = Seat(hall).sit()
    old.post("/preferences", language="hi")
    move(hall)
    assert "आपको सीट 14 पर भेजा गया है" in old.read("/candidate/")


def test_somebody_else_can_sign_in_there_and_the_news_are_gone(hall: Hall) -> None:
    old = Seat(hall).sit()
    move(hall)
    old.read("/candidate/")
    assert NEWS not in old.read("/login?anew=1")
    hall.sign_in(old.client, "N002")
    old.post("/logout")
    assert NEWS not in old.read("/login")


def test_after_ten_minutes_it_is_no_news_any_more(hall: Hall) -> None:
    old = Seat(hall).sit()
    move(hall)
    old.at(hall.after(minutes=6)).read("/candidate/")
    assert NEWS in old.at(hall.after(minutes=15)).read("/login")
    assert NEWS not in old.at(hall.after(minutes=17)).read("/login")


def test_a_sign_in_that_ended_for_another_cause_is_told_of_no_move(hall: Hall) -> None:
    old = Seat(hall).sit()
    move(hall)
    new = Seat(hall)
    new.is_me()
    sign_ins.end_all(Candidate, hall.candidate_ids[0], by=hall.centre_admin, now=hall.after(minutes=6))
    assert "You were moved" not in new.read("/candidate/")
    # the kiosk that comes back only now was left by a move; the seat is the one that counts today
    move(hall, "15", minutes=7)
    assert "You were moved to seat 15" in old.read("/candidate/")


def test_once_the_test_is_over_there_is_no_seat_to_go_to(hall: Hall) -> None:
    old = Seat(hall).sit()
    move(hall)
    again = hall.player()
    again.resume(at=hall.after(minutes=8))
    again.submit(at=hall.after(minutes=9))
    assert "You were moved" not in old.read("/candidate/")


def test_a_stranger_with_another_epoch_learns_nothing(hall: Hall) -> None:
    Seat(hall).sit()
    move(hall)
    with transaction():
        db.session.execute(update(Candidate).values(session_epoch=9))
    assert moving.moved_to(hall.candidate_ids[0], 7) is None
    assert moving.moved_to(hall.candidate_ids[1], 0) is None
