"""Kiosks at the desk and in the hall: enrolled with a code, bound to their seats, taken away; and who sees them."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from sqlalchemy import update

from kiosk.extensions import db, transaction
from kiosk.models import Attempt, Candidate, Centre, Kiosk, SignInTries
from tests.cast import csrf_of
from tests.desk import Desk, PageCheck, plain
from tests.player import START_CODE
from tests.rows import change, row


def offered(desk: Desk) -> tuple[UUID, str]:
    """A new kiosk and its code."""
    desk.post("/centre/kiosks/new", name="K-001", seat="12")
    kiosk_id = row(Kiosk, name="K-001").id
    page = plain(desk.post(f"/centre/kiosks/{kiosk_id}/code"))
    found = re.search(r"([0-9A-Z]{4} [0-9A-Z]{4}) ", page)
    assert found
    return kiosk_id, found[1]


def enrol(machine: Desk, code: str) -> Any:
    page = machine.get("/kiosk/enrol").get_data(as_text=True)
    form = {"csrf_token": csrf_of(page), "code": code}
    return machine.run(lambda: machine.client.post("/kiosk/enrol", data=form))


def test_a_machine_becomes_a_kiosk_and_says_where_it_stands(app, hall):
    _kiosk_id, code = offered(Desk(app, "centre"))
    machine = Desk(app)
    assert enrol(machine, "WRONGXXX").status_code == 422
    answer = enrol(machine, code)
    assert answer.status_code == 303
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("kiosk-place="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    page = machine.get("/login").get_data(as_text=True)
    assert "Centre C01" in page
    assert "Seat 12" in page
    assert PageCheck(page).found() == []
    assert machine.get("/kiosk/enrol/here").status_code == 204
    assert enrol(Desk(app), code).status_code == 422  # the code has been used


def test_an_exam_starts_at_the_seats_kiosk_and_nowhere_else(app, hall):
    kiosk_id, code = offered(Desk(app, "centre"))
    change(Centre, kiosk_rule="enrolled", demands_seat=True)
    with transaction():
        db.session.execute(update(Candidate).where(Candidate.id == hall.candidate_ids[0]).values(seat="12"))
    home, machine = Desk(app, "N001"), Desk(app)
    assert "Go to seat 12." in plain(home.get("/candidate/"))
    assert enrol(machine, code).status_code == 303
    machine.run(lambda: hall.sign_in(machine.client, "N001"))
    machine.post("/candidate/identity", me="yes")
    assert machine.post("/candidate/start", consent="y", start_code=START_CODE).status_code == 303
    assert row(Attempt, candidate_id=hall.candidate_ids[0]).kiosk_id == kiosk_id
    taken = home.post("/candidate/identity", me="yes")
    assert (taken.status_code, "Go to seat 12." in plain(taken)) == (403, True)
    desk = Desk(app, "centre")
    assert desk.post(f"/centre/kiosks/{kiosk_id}/revoke", go="yes", reason="stolen").status_code == 303
    assert "Seat 12" not in plain(Desk(app).get("/login"))


def test_wrong_passwords_are_counted_for_the_kiosk_and_not_for_the_hall(app, hall):
    kiosk_id, code = offered(Desk(app, "centre"))
    machine = Desk(app)
    enrol(machine, code)
    token = csrf_of(machine.get("/login").get_data(as_text=True))
    form = {"csrf_token": token, "username": "N001", "password": "wrong"}
    machine.run(lambda: machine.client.post("/login", data=form))
    assert row(SignInTries, source=f"kiosk:{kiosk_id}").failures == 1


def test_a_forged_place_is_no_place(app, hall):
    machine = Desk(app)
    for value in ("", "x", "WyJhIiwiYiJd.signature", "null"):
        machine.client.set_cookie("kiosk-place", value)
        assert "Seat" not in plain(machine.get("/login"))


def test_a_kiosk_of_another_centre_is_not_there(app, hall):
    kiosk_id, _code = offered(Desk(app, "centre"))
    other = Desk(app, "centre2")
    for place in ("", "/revoke", "/archive"):
        assert other.get(f"/centre/kiosks/{kiosk_id}{place}").status_code == 404
    assert other.post(f"/centre/kiosks/{kiosk_id}/code").status_code == 404
    assert Desk(app, "invigilator").get("/centre/kiosks").status_code == 403


def test_an_auditor_sees_the_kiosks_and_can_enrol_none(app, hall):
    Desk(app, "centre").post("/centre/kiosks/new", name="K-77", seat="7")
    auditor = Desk(app, "auditor")
    page = auditor.get("/centre/kiosks").get_data(as_text=True)
    assert "K-77" in page
    assert "Code to enrol" not in page
    assert "New kiosk" not in page
    assert "K-77" in auditor.get("/centre/kiosks.csv").get_data(as_text=True)
    assert auditor.get("/centre/kiosks/new").status_code == 403
    assert Desk(app, "invigilator").get("/centre/kiosks").status_code == 403
