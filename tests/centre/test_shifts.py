"""A shift at the desk: planned, filled, opened and closed at a press, its start code, and who is checked in to it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, update

from kiosk import clock
from kiosk.extensions import db, transaction
from kiosk.models import Candidate, Shift
from tests.cast import PASSWORD
from tests.desk import Desk, PageCheck, hidden, plain
from tests.player import START_CODE
from tests.rows import change, row

PLAN = {"starts_at": "2026-11-22T10:00", "capacity": "2", "entry_minutes": "30"}


def test_a_shift_is_planned_and_lives_through_its_day(app, hall):
    desk = Desk(app, "centre")
    page = desk.post("/centre/shifts/new", follow=True, **PLAN)
    assert "Shift of 22 Nov, 10:00" in plain(page)
    shift = row(Shift, status="planned")
    assert shift.start_code in plain(page)
    for step, status in (("gate", "gate"), ("open", "open"), ("close", "closed")):
        place = f"/centre/shifts/{shift.id}/{step}"
        assert desk.post(place).status_code == 422  # not what the question sends
        assert desk.get(place).status_code == 200
        assert desk.post(place, go="yes").status_code == 303
        assert row(Shift, id=shift.id).status == status
    assert "New start code" not in desk.text(f"/centre/shifts/{shift.id}")


def test_a_button_pressed_at_two_desks_does_not_do_the_next_step(app, hall):
    change(Shift, status="planned")
    desk = Desk(app, "centre")
    assert desk.post(f"/centre/shifts/{hall.shift_id}/gate", go="yes").status_code == 303
    again = desk.post(f"/centre/shifts/{hall.shift_id}/gate", go="yes")
    assert (again.status_code, row(Shift, id=hall.shift_id).status) == (422, "gate")
    assert "shift is at its gate" in plain(again)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"starts_at": ""}, "starts_at"),
        ({"starts_at": "2026-11-21T10:00"}, "starts_at"),  # there is one at that time
        ({"capacity": "many"}, "capacity"),
        ({"entry_minutes": "-5"}, "entry_minutes"),
    ],
)
def test_what_is_wrong_with_a_plan_stands_beside_its_field(app, hall, wrong, field):
    answer = Desk(app, "centre").post("/centre/shifts/new", **(PLAN | wrong))
    page = answer.get_data(as_text=True)
    assert answer.status_code in (409, 422)
    assert f'id="{field}-error"' in page
    assert PageCheck(page).found() == []


def test_closing_names_who_still_writes_and_does_nothing(app, hall):
    hall.player(0).start()
    desk = Desk(app, "centre")
    for text in (desk.text(f"/centre/shifts/{hall.shift_id}/close"), desk.text(f"/centre/shifts/{hall.shift_id}")):
        assert "N001" in text
        assert "Resume who is paused" in text
    assert desk.post(f"/centre/shifts/{hall.shift_id}/close", go="yes").status_code == 422
    assert row(Shift, id=hall.shift_id).status == "open"


def test_candidates_are_put_into_a_shift_after_a_look_at_the_numbers(app, hall):
    desk = Desk(app, "centre")
    desk.post("/centre/shifts/new", **PLAN)
    target = str(row(Shift, status="planned").id)
    page = desk.get("/centre/shifts/fill", query_string={"all": "1", "to": target}).get_data(as_text=True)
    assert "4 have no room in this shift" in page
    assert desk.post("/centre/shifts/fill", all="1", to=target, seen="old").status_code == 409
    assert desk.post("/centre/shifts/fill", all="1", to="").status_code == 422
    done = desk.post("/centre/shifts/fill", follow=True, all="1", to=target, seen=hidden(page, "seen"))
    assert "2 candidates are in the shift now." in plain(done)


def test_a_shift_of_another_centre_is_not_there(app, hall):
    other = Desk(app, "centre2")
    for place in ("", "/gate", "/open", "/close", "/code", "/seats", "/delete"):
        assert other.get(f"/centre/shifts/{hall.shift_id}{place}").status_code == 404, place
        if place not in ("", "/seats"):
            assert other.post(f"/centre/shifts/{hall.shift_id}{place}", go="yes", reason="x").status_code == 404
    assert row(Shift, id=hall.shift_id).status == "open"


def test_the_start_code_is_shown_to_those_who_read_it_out_and_changes(app, hall):
    place = f"/centre/shifts/{hall.shift_id}"
    assert START_CODE in Desk(app, "invigilator").text(place)
    assert START_CODE not in Desk(app, "auditor").text(place)
    Desk(app, "centre").post(f"{place}/code", go="yes")
    assert row(Shift, id=hall.shift_id).start_code != START_CODE


def test_a_shift_with_tests_is_not_deleted_and_one_without_is(app, hall):
    desk = Desk(app, "centre")
    place = f"/centre/shifts/{hall.shift_id}/delete"
    assert desk.post(place, go="yes").status_code == 422  # no reason
    hall.player(0).start()
    assert "tests belong to it" in desk.text(place)
    assert desk.post(place, go="yes", reason="wrong day").status_code == 422
    desk.post("/centre/shifts/new", **PLAN)
    planned = row(Shift, status="planned").id
    assert desk.post(f"/centre/shifts/{planned}/delete", go="yes", reason="wrong day").status_code == 303
    assert row(Shift, id=planned) is None


def test_every_list_of_the_day_is_sent_as_a_file(app, hall):
    desk = Desk(app, "centre")
    for name in ("shifts", "check-in", "kiosks", "incidents"):
        answer = desk.get(f"/centre/{name}.csv")
        assert (answer.status_code, answer.mimetype) == (200, "text/csv"), name
    assert PASSWORD not in answer.get_data(as_text=True)


# --- start codes ----------------------------------------------------------------------------------


def test_a_wrong_start_code_is_told_beside_its_field_and_stopped_after_ten(app, hall):
    candidate = Desk(app, "N001")
    candidate.post("/candidate/identity", me="yes")
    for _try in range(10):
        answer = candidate.post("/candidate/start", consent="y", start_code="000000")
        assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert re.search(r'id="start_code-error">.*?The start code is not right', page, re.S)
    assert 'aria-invalid="true"' in page
    assert "refusal" not in page
    assert candidate.post("/candidate/start", consent="y", start_code=START_CODE).status_code == 429
    clock.freeze(hall.after(minutes=11))
    assert candidate.post("/candidate/start", consent="y", start_code=START_CODE).status_code == 303


# --- check-in -------------------------------------------------------------------------------------


def test_enter_checks_in_whoever_has_the_number(app, hall):
    desk = Desk(app, "invigilator")
    answer = desk.post("/centre/check-in/scan", htmx=True, number=" n001 ")
    assert "Candidate N001 is present." in plain(answer)
    assert row(Candidate, id=hall.candidate_ids[0]).checked_in_by == "Invigilator"
    again = desk.post("/centre/check-in/scan", htmx=True, number="N001")
    assert "was marked present before" in plain(again)
    desk.post(f"/centre/check-in/{hall.candidate_ids[0]}/seat", seat="7")
    taken = desk.post(f"/centre/check-in/{hall.candidate_ids[1]}/seat", htmx=True, seat="7")
    assert (taken.status_code, "Seat 7 is given to somebody else" in plain(taken)) == (409, True)
    undone = desk.post(f"/centre/check-in/{hall.candidate_ids[0]}/absent", follow=True)
    assert "no longer marked present" in plain(undone)
    assert row(Candidate, id=hall.candidate_ids[0]).seat is None


@pytest.mark.parametrize("number", ["", "N", "N0011", "nobody", "x" * 300, "%"])
def test_a_number_that_nobody_has_checks_nobody_in(app, hall, number):
    answer = Desk(app, "centre").post("/centre/check-in/scan", number=number)
    assert answer.status_code == 422
    assert PageCheck(answer.get_data(as_text=True)).found() == []
    assert db.session.execute(select(Candidate.id).where(Candidate.checked_in_at.is_not(None))).first() is None


def test_who_comes_to_the_wrong_shift_is_brought_over_by_the_centre_admin_only(app, hall):
    with transaction():
        db.session.execute(update(Candidate).where(Candidate.id == hall.candidate_ids[0]).values(shift_id=None))
    invigilator, admin = Desk(app, "invigilator"), Desk(app, "centre")
    seen = invigilator.post("/centre/check-in/scan", htmx=True, number="N001")
    assert (seen.status_code, "is not in this shift" in plain(seen)) == (422, True)
    assert "Put into this shift" not in plain(seen)
    place = f"/centre/check-in/{hall.candidate_ids[0]}/here"
    assert invigilator.post(place).status_code == 403
    assert "is present" in plain(admin.post(place, htmx=True))
    assert row(Candidate, id=hall.candidate_ids[0]).shift_id == hall.shift_id


def test_seats_are_given_to_everybody_present_at_once(app, hall):
    desk = Desk(app, "invigilator")
    for number in ("N001", "N002"):
        desk.post("/centre/check-in/scan", number=number)
    assert "get a seat" in desk.text(f"/centre/shifts/{hall.shift_id}/seats")
    done = desk.post(f"/centre/shifts/{hall.shift_id}/seats", follow=True, go="yes")
    assert "2 candidates got a seat." in plain(done)


def test_late_entry_needs_the_centre_admin_and_a_reason(app, hall):
    place = f"/centre/check-in/{hall.candidate_ids[0]}/late"
    assert Desk(app, "invigilator").get(place).status_code == 403
    desk = Desk(app, "centre")
    assert desk.post(place, go="yes").status_code == 422
    assert desk.post(place, go="yes", reason="train").status_code == 303
    assert row(Candidate, id=hall.candidate_ids[0]).late_entry_shift_id == hall.shift_id


@pytest.mark.parametrize("what", ["present", "absent", "seat"])
def test_another_centres_candidate_is_not_at_this_desk(app, hall, what):
    assert Desk(app, "centre2").post(f"/centre/check-in/{hall.candidate_ids[0]}/{what}", seat="1").status_code == 404
