"""Incidents, moves and re-logins at the desk: written down, time given back once, and a test that goes on elsewhere."""

from __future__ import annotations

import pytest

from kiosk.extensions import db
from kiosk.models import Attempt, Centre, Incident
from kiosk.services import leases
from tests.desk import Desk, PageCheck, plain
from tests.player import START_CODE
from tests.rows import change, row

STORY = {"kind": "power", "words": "The lights went out.", "happened_at": "2026-11-21T10:00", "minutes": "5"}


def test_an_incident_is_written_and_its_minutes_given_back_in_one_step(app, hall):
    player = hall.player(0)
    player.start()
    before = player.attempt.deadline_at
    desk = Desk(app, "invigilator")
    done = desk.post("/centre/incidents/new", follow=True, service_no="n001", grant="1", **STORY)
    assert "given back" in plain(done)
    db.session.rollback()
    assert (player.attempt.deadline_at - before).total_seconds() == 300
    much = desk.post("/centre/incidents/new", service_no="N001", grant="1", **(STORY | {"minutes": "6"}))
    assert (much.status_code, "up to 10 minutes" in plain(much)) == (403, True)
    csv = desk.get("/centre/incidents.csv?kind=power").get_data(as_text=True)
    assert "The lights went out." in csv
    assert "lights" not in desk.get("/centre/incidents.csv?kind=illness").get_data(as_text=True)


def test_time_is_given_back_from_the_list_once(app, hall):
    hall.player(0).start()
    desk = Desk(app, "invigilator")
    assert "Give it back…" in plain(desk.post("/centre/incidents/new", follow=True, service_no="N001", **STORY))
    place = f"/centre/incidents/{row(Incident).id}/grant"
    assert desk.post(place, go="yes").status_code == 303
    assert desk.post(place, go="yes").status_code == 422
    assert Desk(app, "centre2").get(place).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": ""}, "kind"),
        ({"words": " "}, "words"),
        ({"happened_at": "yesterday"}, "happened_at"),
        ({"minutes": "-1"}, "minutes"),
        ({"service_no": "nobody"}, "service_no"),
    ],
)
def test_what_is_wrong_with_an_incident_stands_beside_its_field(app, hall, wrong, field):
    answer = Desk(app, "centre").post("/centre/incidents/new", **(STORY | wrong))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in page
    assert PageCheck(page).found() == []
    assert row(Incident) is None


def test_a_candidate_is_moved_and_goes_on_at_the_new_seat(app, hall):
    old = Desk(app, "N001")
    old.post("/candidate/identity", me="yes")
    old.post("/candidate/start", consent="y", start_code=START_CODE)
    desk, place = Desk(app, "invigilator"), f"/centre/candidates/{hall.candidate_ids[0]}/move"
    assert "Move seat…" in desk.text(f"/centre/candidates/{hall.candidate_ids[0]}")
    assert desk.post(place, seat="14").status_code == 422
    assert desk.post(place, seat="99", reason="dark screen").status_code == 422
    assert Desk(app, "centre2").post(place, seat="14", reason="dark screen").status_code == 404
    moved = desk.post(place, follow=True, seat="14", reason="dark screen")
    assert "moves to seat 14" in plain(moved)
    assert row(Attempt, candidate_id=hall.candidate_ids[0]).status == "paused"
    assert old.get("/candidate/").headers["Location"].endswith("/login")
    new = Desk(app, "N001")
    assert new.post("/candidate/identity", me="yes", follow=True).status_code == 200
    assert row(Attempt, candidate_id=hall.candidate_ids[0]).status == "in_progress"


def test_staff_agree_to_another_computer_from_the_candidates_page(app, hall):
    change(Centre, takeover="approval")
    hall.player(0).start()
    with pytest.raises(leases.TakeoverNeedsApproval):
        hall.player(0).resume()
    desk, page = Desk(app, "invigilator"), f"/centre/candidates/{hall.candidate_ids[0]}"
    assert "somebody asked to go on with this test" in desk.text(page)
    assert "Approve re-login" not in Desk(app, "auditor").text(page)
    assert "may go on at another place" in plain(desk.post(f"{page}/approve", follow=True))
    assert "Another computer was agreed to" in desk.text(page)
    hall.player(0).resume()
    assert Desk(app, "centre2").post(f"{page}/approve").status_code == 404
