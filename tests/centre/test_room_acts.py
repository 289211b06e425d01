"""What is done from the room board: for one seat and for the whole room, and always back to the board."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from kiosk import clock
from kiosk.extensions import db, transaction
from kiosk.models import Candidate, Centre, Incident, Shift
from kiosk.services import pauses
from tests.cast import Hall
from tests.desk import Desk, PageCheck, plain
from tests.player import START_CODE


@pytest.fixture
def desk(app: Flask, hall: Hall) -> Desk:
    """Two write; it is an hour later."""
    for place in range(2):
        hall.player(place).start()
    clock.freeze(hall.after(minutes=60))
    return Desk(app, "centre")


def deadlines(hall: Hall) -> list[timedelta]:
    db.session.rollback()
    return [hall.player(place).attempt.deadline_at - hall.after(hours=3) for place in range(2)]


def panel(desk: Desk, hall: Hall, place: int) -> str:
    return plain(desk.fragment(f"/centre/board/seats/{hall.candidate_ids[place]}"))


def is_back_at_the_board(hall: Hall, address: str, place: int | None) -> bool:
    parts = urlsplit(address)
    seat = [str(hall.candidate_ids[place])] if place is not None else None
    return parts.path == "/centre/board" and parse_qs(parts.query).get("seat") == seat


def test_the_room_says_its_state_its_code_and_what_comes_next(app: Flask, hall: Hall, desk: Desk) -> None:
    page = desk.get("/centre/board").get_data(as_text=True)
    assert PageCheck(page).found() == []
    for word in ("Shift open", START_CODE, "Close the shift…", "Pause all…", "Add time for all…", "Give time back…"):
        assert word in page
    auditor = Desk(app, "auditor").get("/centre/board").get_data(as_text=True)
    for word in (START_CODE, "Close the shift…", "Pause all…", "Add time for all…", "Give time back…"):
        assert word not in auditor


def test_a_shift_is_opened_from_the_board_and_that_leads_back_to_it(hall: Hall, desk: Desk) -> None:
    with transaction():
        db.session.execute(update(Shift).where(Shift.id == hall.shift_id).values(status="gate"))
    address = f"/centre/shifts/{hall.shift_id}/open?back=board"
    assert "/open?back=board" in desk.get("/centre/board").get_data(as_text=True)
    assert 'name="back" value="board"' in desk.get(address).get_data(as_text=True)
    done = desk.post(f"/centre/shifts/{hall.shift_id}/open", go="yes", back="board")
    assert is_back_at_the_board(hall, done.location, None)
    assert "The shift is open." in desk.text(done.location)


def test_everybody_gets_the_same_minutes(hall: Hall, desk: Desk) -> None:
    address = f"/centre/shifts/{hall.shift_id}/time"
    form = desk.get(address)
    assert PageCheck(form.get_data(as_text=True)).found() == []
    assert "2 write or are paused and get the minutes" in plain(form)
    done = desk.post(address, minutes="7", reason="power cut")
    assert is_back_at_the_board(hall, done.location, None)
    assert "2 candidates got 7 minutes more." in desk.text(done.location)
    assert deadlines(hall) == [timedelta(minutes=7)] * 2


@pytest.mark.parametrize("form", [{"minutes": "0", "reason": "x"}, {"minutes": "5", "reason": " "}, {}])
def test_minutes_without_sense_or_reason_are_given_to_nobody(hall: Hall, desk: Desk, form: dict[str, str]) -> None:
    refused = desk.post(f"/centre/shifts/{hall.shift_id}/time", htmx=True, **form)
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.get_data(as_text=True)
    assert deadlines(hall) == [timedelta(0)] * 2


def test_an_invigilator_is_told_who_would_have_too_much(app: Flask, hall: Hall, desk: Desk) -> None:
    invigilator = Desk(app, "invigilator")
    address = f"/centre/shifts/{hall.shift_id}/time"
    assert "2 candidates" in plain(invigilator.post(address, minutes="8", reason="x", follow=True))
    assert "2 would have more than you may grant." in plain(
        invigilator.post(address, minutes="8", reason="x", follow=True)
    )
    assert deadlines(hall) == [timedelta(minutes=8)] * 2
    assert Desk(app, "centre2").post(address, minutes="8", reason="x").status_code == 404


@pytest.mark.parametrize("of_one", [True, False], ids=["one seat", "the room"])
def test_a_form_that_comes_twice_adds_its_time_once(hall: Hall, desk: Desk, of_one: bool) -> None:
    seat = f"/centre/board/seats/{hall.candidate_ids[0]}/time"
    address = seat if of_one else f"/centre/shifts/{hall.shift_id}/time"
    drawn = re.search(r'name="once" value="(\w+)"', desk.get(address).get_data(as_text=True))
    assert drawn
    form = {"minutes": "7", "reason": "power cut", "once": drawn[1]}
    for _click in range(2):
        done = desk.post(address, **form)
        assert done.status_code == 303
    if not of_one:
        assert "That was done already" in desk.text(done.location)
    assert deadlines(hall)[0] == timedelta(minutes=7)
    desk.post(address, **(form | {"minutes": "2"}))  # gone back to and changed, it is another form
    assert deadlines(hall)[0] == timedelta(minutes=9)


def test_one_seat_gets_its_lost_minutes_back(hall: Hall, desk: Desk) -> None:
    one = str(hall.candidate_ids[0])
    window = {"from": "2026-11-21T10:20", "to": "2026-11-21T10:24", "candidate": one, "back": "board"}
    blank = desk.get("/centre/time", query_string={"candidate": one, "back": "board"}).get_data(as_text=True)
    assert 'name="from" required value="2026-11-21T10:00"' in blank, "silent since the start"
    assert 'name="to" required value="2026-11-21T11:00"' in blank
    page = desk.get("/centre/time", query_string=window)
    assert "1 gets time back" in plain(page)
    assert PageCheck(page.get_data(as_text=True)).found() == []
    done = desk.post("/centre/time", reason="network", **window)
    assert is_back_at_the_board(hall, done.location, 0)
    assert deadlines(hall) == [timedelta(minutes=4), timedelta(0)]


def test_a_seat_of_another_centre_gets_nothing_back(app: Flask, hall: Hall, desk: Desk) -> None:
    address = f"/centre/time?candidate={hall.candidate_ids[0]}"
    assert Desk(app, "centre2").get(address).status_code == 404


def test_a_candidate_is_moved_over_the_board_and_it_shows_the_seat_again(hall: Hall, desk: Desk) -> None:
    one = hall.candidate_ids[0]
    address = f"/centre/candidates/{one}/move"
    dialog = desk.fragment(f"{address}?back=board").get_data(as_text=True)
    assert 'name="back" value="board"' in dialog
    refused = desk.post(address, htmx=True, back="board", seat="9", reason="")
    assert refused.status_code == 422
    assert 'name="back" value="board"' in refused.get_data(as_text=True)
    assert is_back_at_the_board(hall, desk.post(address, back="board", seat="9", reason="dark screen").location, 0)
    assert desk.post(address, seat="8", reason="dark screen").location.endswith(f"/centre/candidates/{one}")


def test_an_incident_of_a_seat_leads_back_to_it_and_one_of_the_room_to_the_room(hall: Hall, desk: Desk) -> None:
    told = {"kind": "power", "words": "no light", "happened_at": "2026-11-21T10:20", "back": "board"}
    done = desk.post("/centre/incidents/new", service_no="N001", **told)
    assert is_back_at_the_board(hall, done.location, 0)
    assert is_back_at_the_board(hall, desk.post("/centre/incidents/new", **told).location, None)
    assert db.session.query(Incident).count() == 2


def test_the_board_says_why_somebody_cannot_begin(hall: Hall, desk: Desk) -> None:
    assert "Can begin now" in panel(desk, hall, 2)
    assert "Can begin now" not in panel(desk, hall, 0)
    with transaction():
        db.session.execute(update(Centre).values(demands_check_in=True, demands_seat=True, kiosk_rule="enrolled"))
    assert "Cannot begin: not checked in yet." in panel(desk, hall, 2)
    with transaction():
        db.session.execute(update(Candidate).values(checked_in_at=hall.MORNING, seat=None))
    assert "Cannot begin: has no seat yet." in panel(desk, hall, 2)
    with transaction():
        db.session.execute(update(Candidate).where(Candidate.id == hall.candidate_ids[2]).values(seat="3"))
    assert "Can begin now" in panel(desk, hall, 2), "at which kiosk they sit is told there"
    with transaction():
        db.session.execute(update(Shift).values(latest_entry_at=hall.after(minutes=30)))
    assert "the latest entry has passed" in panel(desk, hall, 2)
    assert "Let in late…" in panel(desk, hall, 2)
    address = f"/centre/check-in/{hall.candidate_ids[2]}/late"
    assert 'name="back" value="board"' in desk.get(f"{address}?back=board").get_data(as_text=True)
    assert is_back_at_the_board(hall, desk.post(address, go="yes", reason="bus", back="board").location, 2)
    assert "Can begin now" in panel(desk, hall, 2)


def test_agreeing_to_another_computer_is_offered_only_where_the_centre_asks_for_it(hall: Hall, desk: Desk) -> None:
    assert "Approve re-login" not in panel(desk, hall, 0)
    with transaction():
        db.session.execute(update(Centre).values(takeover="approval"))
    assert "Approve re-login" in panel(desk, hall, 0)


def hand_in(desk: Desk, hall: Hall, **form: str) -> TestResponse:
    form = {"go": "yes", "reason": "has left the hall", "word": "HAND IN"} | form
    return desk.post(f"/centre/candidates/{hall.candidate_ids[0]}/hand-in", **form)


def test_staff_hand_in_for_whoever_has_left(hall: Hall, desk: Desk) -> None:
    writer = hall.player()
    writer.resume(at=hall.after(minutes=1))
    writer.save(1, "A", at=hall.after(minutes=2))
    question = desk.get(f"/centre/candidates/{hall.candidate_ids[0]}/hand-in?back=board")
    assert "1 of 10 answered" in plain(question)
    assert PageCheck(question.get_data(as_text=True)).found() == []
    assert is_back_at_the_board(hall, hand_in(desk, hall, back="board").location, 0)
    db.session.rollback()
    attempt = hall.player().attempt
    assert (attempt.status, attempt.ended_by) in (("completed", "submitted"), ("submitted", "submitted"))
    assert attempt.receipt
    assert "has left the hall" in desk.text(f"/centre/candidates/{hall.candidate_ids[0]}")


@pytest.mark.parametrize("form", [{"word": ""}, {"word": "hand in"}, {"reason": " "}, {"go": ""}])
def test_nothing_is_handed_in_without_word_and_reason(hall: Hall, desk: Desk, form: dict[str, str]) -> None:
    assert hand_in(desk, hall, **form).status_code == 422
    assert hall.player().attempt.status == "in_progress"


def test_who_is_paused_or_has_not_begun_has_nothing_that_could_be_handed_in(app: Flask, hall: Hall, desk: Desk) -> None:
    pauses.pause([hall.player().attempt.id], kind="room", reason="x", by=hall.centre_admin, now=hall.after(minutes=50))
    assert hand_in(desk, hall).status_code == 422
    assert hall.player().attempt.status == "paused"
    page = desk.text(f"/centre/candidates/{hall.candidate_ids[3]}/hand-in")
    assert "not possible now" in page
    assert hand_in(Desk(app, "invigilator"), hall).status_code == 403
    assert hand_in(Desk(app, "centre2"), hall).status_code == 404
