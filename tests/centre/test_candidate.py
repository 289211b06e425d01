"""One candidate's page: slots, tests and log; and who may not see it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from kiosk.services import attempts, slots
from kiosk.services.audit import Actor
from tests.desk import Desk
from tests.player import START_CODE


def test_the_page_tells_the_whole_story(app, hall):
    player, chosen = hall.player(0), hall.candidate_ids[0]
    player.start()
    player.save(1, "A")
    player.submit(at=hall.after(minutes=42))
    receipt = player.attempt.receipt
    slots.reassign([chosen], reason="power cut", by=hall.centre_admin, now=hall.after(minutes=50))
    page = Desk(app, "centre").text(f"/centre/candidates/{chosen}")
    assert receipt in page
    assert "1/10" in page
    assert "Submitted" in page
    assert "Consumed 10:42, submitted" in page
    assert "21 Nov, 10:50, reassigned Centre power cut" in page
    assert "Slot reassigned Consumed → No slot power cut" in page.replace("Consumed → Available", "Consumed → No slot")


def test_a_cancelled_test_says_why(app, hall):
    hall.player(0).start()
    hall.activate("B")
    assert "Cancelled question set switched" in Desk(app, "centre").text(f"/centre/candidates/{hall.candidate_ids[0]}")


def test_nothing_of_what_was_answered_is_shown(app, hall):
    player = hall.player(0)
    player.start()
    player.save(5, "a very particular answer")
    page = Desk(app, "admin").text(f"/centre/candidates/{hall.candidate_ids[0]}")
    assert "particular" not in page


@pytest.mark.parametrize("login", ["centre2", "centre", "admin", "auditor", "invigilator"])
def test_people_of_elsewhere_are_not_there(app, hall, login):
    desk = Desk(app, login)
    assert desk.get(f"/centre/candidates/{hall.stranger['candidate']}").status_code == 404
    assert desk.get(f"/centre/candidates/{uuid4()}").status_code == 404
    if login == "centre2":
        assert desk.get(f"/centre/candidates/{hall.candidate_ids[0]}").status_code == 404


def test_a_marks_officer_does_not_see_candidates(app, hall):
    assert Desk(app, "marks").get(f"/centre/candidates/{hall.candidate_ids[0]}").status_code == 403


def test_where_the_test_is_written_is_told(app, hall):
    player = hall.player()
    by = Actor("candidate", "x", player.id, hall.organisation_id, address="10.0.0.7", user_agent="Kiosk browser")
    attempts.start(player.id, lease=player.lease, by=by, now=hall.MORNING, start_code=START_CODE)
    page = Desk(app, "centre").text(f"/centre/candidates/{player.id}")
    assert "Last seen 10:00 · 10.0.0.7 · Kiosk browser" in page
