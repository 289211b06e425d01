"""Restore and reopen on the candidate's page: offered to whom they belong, with the numbers first, refused in words."""

from __future__ import annotations

import pytest

from kiosk import clock
from kiosk.extensions import db
from kiosk.jobs import sweeper
from kiosk.services import cancelling, pauses, reviving
from tests.candidate.seat import Seat
from tests.desk import Desk, PageCheck, hidden, plain, row_counts

REASON = "the wrong one was stopped"


@pytest.fixture
def cancelled(hall):
    player = hall.player(0)
    player.start()
    player.save(1, "A")
    cancelling.cancel(player.attempt.id, reason="a mistake", by=hall.admin, now=hall.after(minutes=30))
    clock.freeze(hall.after(minutes=40))
    return player


@pytest.fixture
def expired(hall):
    player = hall.player(0)
    player.start()
    clock.freeze(hall.after(hours=3, minutes=1))
    sweeper.sweep(now=hall.after(hours=3, minutes=1), reconcile=False)
    return player


def page_of(player):
    return f"/centre/candidates/{player.id}"


def address(player, name):
    return f"/centre/attempts/{player.attempt.id}/{name}"


def send(desk, player, name, **form):
    page = desk.get(address(player, name)).get_data(as_text=True)
    answer = desk.post(address(player, name), version=hidden(page, "version"), **form)
    db.session.rollback()
    return answer


def test_an_admin_restores_and_is_offered_to_resume(app, cancelled):
    desk = Desk(app, "admin")
    assert "Restore…" in desk.text(page_of(cancelled))
    before = row_counts()
    look = desk.get(address(cancelled, "restore"))
    assert "with 150 min left" in plain(look)
    assert PageCheck(look.get_data(as_text=True)).found() == []
    assert row_counts() == before
    assert send(desk, cancelled, "restore", reason=REASON).status_code == 303
    assert cancelled.attempt.status == "paused"
    page = desk.text(page_of(cancelled))
    assert "Resume it when the candidate sits at the kiosk" in page
    assert "Resume…" in page
    assert "Restore…" not in page


def test_a_centre_admin_reopens_with_minutes(app, expired):
    receipt = expired.attempt.receipt
    desk = Desk(app, "centre")
    assert "Reopen…" in desk.text(page_of(expired))
    assert receipt in desk.text(address(expired, "reopen"))
    assert send(desk, expired, "reopen", reason=REASON, minutes="15").status_code == 303
    assert (expired.attempt.status, expired.attempt.remaining_ms) == ("paused", 900_000)


@pytest.mark.parametrize(("login", "restores", "reopens"), [("centre", 0, 1), ("invigilator", 0, 0), ("auditor", 0, 0)])
def test_what_one_may_not_do_is_not_shown_and_refused(app, hall, cancelled, login, restores, reopens):
    desk = Desk(app, login)
    assert ("Restore…" in desk.text(page_of(cancelled))) == bool(restores)
    assert desk.get(address(cancelled, "restore")).status_code == (200 if restores else 403)
    assert desk.get(address(cancelled, "reopen")).status_code == (409 if reopens else 403)
    assert desk.post(address(cancelled, "restore"), reason=REASON).status_code == (409 if restores else 403)
    assert cancelled.attempt.status == "cancelled"


def test_another_centre_does_not_see_it(app, expired):
    assert Desk(app, "centre2").get(address(expired, "reopen")).status_code == 404


def test_who_comes_second_gets_the_fresh_row(app, hall, cancelled):
    desk = Desk(app, "admin")
    version = hidden(desk.get(address(cancelled, "restore")).get_data(as_text=True), "version")
    reviving.restore(cancelled.attempt.id, reason=REASON, by=hall.admin, now=hall.after(minutes=41))
    for htmx in (False, True):
        answer = desk.post(address(cancelled, "restore"), version=version, reason=REASON, htmx=htmx)
        assert answer.status_code == 409
        assert "Only a cancelled test can be restored" in plain(answer)
        assert "Paused" in plain(answer)
        assert "Restore the test</button>" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("version", ["", "0", "x", "99999999999"])
def test_a_form_that_saw_another_row_does_nothing(app, cancelled, version):
    answer = Desk(app, "admin").post(address(cancelled, "restore"), version=version, reason=REASON)
    assert answer.status_code == 409
    assert cancelled.attempt.status == "cancelled"


@pytest.mark.parametrize("minutes", ["", "0", "-5", "1441", "a lot", "1.5", "９", "9" * 30])
def test_minutes_are_a_whole_number_of_a_day_at_most(app, expired, minutes):
    answer = send(Desk(app, "centre"), expired, "reopen", reason=REASON, minutes=minutes)
    assert answer.status_code == 422
    assert "Give whole minutes" in plain(answer)
    assert expired.attempt.status == "completed"


def test_a_reason_is_needed(app, cancelled):
    answer = send(Desk(app, "admin"), cancelled, "restore", reason="  ")
    assert answer.status_code == 422
    assert "Give a reason" in plain(answer)


def test_the_kiosk_learns_of_it_at_its_next_poll_and_goes_on(hall):
    seat = Seat(hall).sit()
    player = hall.player()
    hall.activate("B", at=hall.after(minutes=1))
    page = seat.at(hall.after(minutes=1)).get("/candidate/").text
    asks = page[page.index("/candidate/waiting") :].split('"')[0].replace("&amp;", "&")
    assert "HX-Redirect" not in seat.fragment(asks).headers
    reviving.restore(player.attempt.id, reason=REASON, by=hall.admin, now=hall.after(minutes=2))
    assert seat.at(hall.after(minutes=2)).fragment(asks).headers["HX-Redirect"].startswith("/candidate/")
    assert "02:59:00" in seat.home()
    pauses.unpause([player.attempt.id], by=hall.admin, now=hall.after(minutes=3))
    assert seat.at(hall.after(minutes=3)).get("/candidate/").location.startswith("/candidate/exam")
