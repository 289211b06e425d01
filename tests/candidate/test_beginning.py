"""Is this you, the instructions, and the start: what is shown, what is refused, and that nothing is used up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.candidate.seat import Seat
from tests.cast import Hall
from tests.desk import PageCheck, plain


def test_the_identity_page_says_who_and_what_paper(hall: Hall) -> None:
    text = Seat(hall).home()
    for word in ("Is this you?", "Candidate N001", "N001", "Naik", "TTC", "Primary", "Your time is not running"):
        assert word in text


def test_no_signs_out_and_calls_the_invigilator(hall: Hall) -> None:
    seat = Seat(hall)
    answer = seat.post("/candidate/identity", me="no")
    assert "Raise your hand. The invigilator will come." in plain(answer)
    assert seat.get("/candidate/").location == "/login"


def test_the_instructions_come_from_the_paper(hall: Hall) -> None:
    text = Seat(hall).read("/candidate/instructions")
    for word in ("Choose one answer", "Short answer, 20–30 words", "True or false", "Total 10 16", "3 h", "cost marks"):
        assert word in text


@pytest.mark.parametrize(
    ("form", "status", "sentence"),
    [
        ({"consent": ""}, 422, "Tick the box"),
        ({"start_code": "999999"}, 422, "The start code is not right"),
        ({"start_code": ""}, 422, "The start code is not right"),
    ],
)
def test_an_incomplete_start_is_refused_on_the_same_page(
    hall: Hall, form: dict[str, str], status: int, sentence: str
) -> None:
    seat = Seat(hall)
    answer = seat.start(**form)
    assert answer.status_code == status
    assert sentence in plain(answer)
    assert "I am ready to begin" in plain(answer)
    assert hall.player().slot.status == "available"


def test_a_start_leads_to_the_first_question_and_again_to_the_same_exam(hall: Hall) -> None:
    seat = Seat(hall).sit()
    attempt_id = hall.player().attempt.id
    assert "Question 1" in seat.read("/candidate/exam")
    assert seat.start().location == "/candidate/exam"
    assert hall.player().attempt.id == attempt_id


def test_without_redis_a_start_is_503_with_the_form_and_uses_nothing_up(hall: Hall, redis_server) -> None:
    seat = Seat(hall)
    redis_server.stop()
    answer = seat.start()
    assert answer.status_code == 503
    assert "Nothing was used up; try again" in plain(answer)
    assert hall.player().slot.status == "available"


def test_without_a_slot_the_page_says_so_and_who_helps(hall: Hall) -> None:
    hall.add_candidate("N099")
    from kiosk.extensions import db

    db.session.commit()
    text = Seat(hall, 98).home()
    assert "No exam is assigned to you now" in text
    assert "Nothing has started and nothing has been used up" in text


def test_after_the_hand_in_a_new_sign_in_is_told_the_time(hall: Hall) -> None:
    Seat(hall).sit().submit()
    seat = Seat(hall)
    assert "You submitted this exam at 10:00" in seat.home()
    assert "You submitted this exam at 10:00" in plain(seat.start())


def test_after_the_end_of_the_time_a_new_sign_in_is_told_so(hall: Hall) -> None:
    Seat(hall).sit()
    seat = Seat(hall).at(hall.MORNING + hall.DURATION + timedelta(seconds=10))
    from kiosk.services import expiring

    expiring.expire_overdue(now=hall.MORNING + hall.DURATION + timedelta(seconds=10))
    assert "Your time for this exam ended at 13:00" in seat.home()


@pytest.mark.parametrize("address", ["/login", "/candidate/", "/candidate/instructions", "/candidate/help", "/nothing"])
def test_every_page_is_sound(hall: Hall, address: str) -> None:
    seat = Seat(hall, None if address == "/login" else 0)
    page = seat.get(address).text
    assert PageCheck(page).found() == []
