"""Whatever stops an exam: what happened, that the answers are safe, what to do, and how it goes on by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from kiosk.services import expiring, pauses, slots
from tests.candidate.seat import Seat
from tests.cast import Hall
from tests.desk import PageCheck

Stop = Callable[[Hall], object]


def pause(hall: Hall) -> None:
    pauses.pause(
        [hall.player().attempt.id], kind="invigilator", reason="fire drill", by=hall.centre_admin, now=hall.MORNING
    )


def reset(hall: Hall) -> None:
    slots.reset(hall.candidate_ids[:1], reason="wrong paper", by=hall.centre_admin, now=hall.MORNING)


def reassign(hall: Hall) -> None:
    slots.reassign(hall.candidate_ids[:1], reason="second sitting", by=hall.centre_admin, now=hall.MORNING)


STOPS = {
    "paused": (pause, "Your time is safe: 03:00:00"),
    "opened elsewhere": (lambda hall: Seat(hall).is_me(), "Your test is open in another place"),
    "slot reset": (reset, "Your slot was taken back"),
    "slot reassigned": (reassign, "You were given a new test"),
    "set switched": (lambda hall: hall.activate("B"), "The question paper was replaced"),
}


@pytest.mark.parametrize(("stop", "words"), STOPS.values(), ids=STOPS)
def test_each_interruption_is_told_at_the_next_look_at_the_clock(hall: Hall, stop: Stop, words: str) -> None:
    seat = Seat(hall).sit()
    stop(hall)
    assert seat.fragment("/candidate/exam/clock").headers["HX-Redirect"] == "/candidate/"
    page = seat.get("/candidate/").text
    text = seat.home()
    for word in (
        words,
        "What happened",
        "Your answers",
        "Nothing is lost" if "Your time is" in words else "",
        "What to do",
    ):
        assert word in text
    assert PageCheck(page).found() == []
    assert seat.get("/candidate/exam").location == "/candidate/"


@pytest.mark.parametrize(("stop", "_words"), STOPS.values(), ids=STOPS)
def test_a_save_after_an_interruption_leads_to_its_page_and_changes_nothing(
    hall: Hall, stop: Stop, _words: str
) -> None:
    seat = Seat(hall).sit()
    player = hall.player()
    before = player.paper()
    attempt_id = player.attempt.id
    stop(hall)
    answer = seat.post("/candidate/exam/save", htmx=True, question=str(before[0][1]), seq="1", choice="A")
    assert answer.status_code in (403, 404, 409, 410)
    assert answer.headers["HX-Redirect"] == "/candidate/"
    if player.attempt.id == attempt_id:
        assert player.paper() == before


def test_a_paused_page_waits_and_goes_on_by_itself(hall: Hall) -> None:
    seat = Seat(hall).sit()
    pause(hall)
    asks = waiting_address(seat)
    assert "HX-Redirect" not in seat.fragment(asks).headers
    pauses.unpause([hall.player().attempt.id], by=hall.centre_admin, now=hall.MORNING + timedelta(minutes=5))
    assert seat.fragment(asks).headers["HX-Redirect"] == "/candidate/"
    assert seat.get("/candidate/").location == "/candidate/exam"


def test_after_a_switch_the_candidate_begins_anew_with_the_full_time(hall: Hall) -> None:
    seat = Seat(hall).sit()
    hall.activate("B", at=hall.MORNING + timedelta(minutes=30))
    seat.at(hall.MORNING + timedelta(minutes=31))
    text = seat.home()
    assert "The exam office replaced the paper at 10:30" in text
    assert "Your new time 03:00:00" in text
    seat.start()
    assert "of set B" in seat.read("/candidate/exam")


def test_opened_elsewhere_one_can_take_it_back(hall: Hall) -> None:
    here, there = Seat(hall).sit(), Seat(hall)
    there.is_me()
    assert "Your test is open in another place" in here.home()
    assert "No question has been answered yet" in here.home()
    here.is_me()
    assert here.get("/candidate/").location == "/candidate/exam"
    assert "Your test is open in another place" in there.home()


def test_when_the_time_is_over_the_page_says_so_until_the_receipt_is_there(hall: Hall) -> None:
    end = hall.MORNING + hall.DURATION
    seat = Seat(hall).sit().at(end + timedelta(seconds=1))
    assert "Your time is up" in seat.home()
    asks = waiting_address(seat)
    expiring.expire_overdue(now=end + timedelta(seconds=5))
    seat.at(end + timedelta(seconds=5))
    assert seat.fragment(asks).headers["HX-Redirect"] == "/candidate/"
    assert "Your test is handed in" in seat.home()
    assert "Time is up" in seat.home()


def waiting_address(seat: Seat) -> str:
    """Where the waiting line of home asks."""
    page = seat.get("/candidate/").text
    return page.split('id="waiting"')[1].split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
