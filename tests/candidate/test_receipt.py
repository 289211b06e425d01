"""The receipt, what may be said of the computer, and what is left on it."""

from __future__ import annotations

from sqlalchemy import select

from kiosk.extensions import db
from kiosk.models import Feedback
from tests.candidate.seat import Seat
from tests.cast import Hall
from tests.desk import PageCheck, plain


def test_submit_asks_once_more_without_the_yes(hall: Hall) -> None:
    seat = Seat(hall).sit()
    assert seat.post("/candidate/submit").location == "/candidate/exam/submit"
    assert "Are you sure you want to submit?" in seat.read("/candidate/exam/submit")
    assert hall.player().attempt.status == "in_progress"


def test_the_receipt_shows_code_time_and_counts_but_no_score(hall: Hall) -> None:
    seat = Seat(hall).sit()
    assert seat.submit().location == "/candidate/done"
    text = seat.read("/candidate/done")
    for word in (hall.player().attempt.receipt, "10:00:00", "0 of 10 questions", "Later. Your unit will tell you."):
        assert word in text
    assert PageCheck(seat.get("/candidate/done").text).found() == []


def test_submitting_again_shows_the_same_receipt(hall: Hall) -> None:
    seat = Seat(hall).sit()
    seat.submit()
    first = seat.read("/candidate/done")
    seat.submit()
    assert seat.read("/candidate/done") == first


def test_feedback_is_kept_once_and_thanked_for(hall: Hall) -> None:
    seat = Seat(hall).sit()
    seat.submit()
    answer = seat.post("/candidate/feedback", rating="4", comment="The mouse is slow.", follow=True)
    assert "Thank you" in plain(answer)
    seat.post("/candidate/feedback", rating="1", comment="Again.")
    db.session.rollback()
    assert [(row.rating, row.comment) for row in db.session.execute(select(Feedback)).scalars()] == [
        (4, "The mouse is slow.")
    ]


def test_clearing_the_screen_signs_out_and_empties_the_browser(hall: Hall) -> None:
    seat = Seat(hall).sit()
    seat.submit()
    answer = seat.post("/candidate/leave")
    assert answer.location == "/login"
    assert "storage" in answer.headers["Clear-Site-Data"]
    assert seat.get("/candidate/done").location == "/login"


def test_no_page_of_the_exam_may_be_kept_by_the_browser(hall: Hall) -> None:
    seat = Seat(hall).sit()
    for address in ("/candidate/exam", "/candidate/exam/summary", "/candidate/", "/login"):
        assert seat.get(address).headers["Cache-Control"] == "no-store"
