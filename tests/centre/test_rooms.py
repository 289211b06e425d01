"""A room is paused and resumed at one press, and gets lost time back; the log speaks in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kiosk import clock
from kiosk.extensions import db
from kiosk.services import slots
from kiosk.states import AttemptAction, SlotAction
from tests.desk import Desk, PageCheck, hidden, plain, row_counts

WHY = "fire alarm"
WINDOW = {"from": "2026-11-21T10:20", "to": "2026-11-21T10:30"}


@pytest.fixture
def writers(hall):
    players = [hall.player(place) for place in range(2)]
    for player in players:
        player.start()
    clock.freeze(hall.after(minutes=60))
    return players


def states(players):
    db.session.rollback()
    return [player.attempt.status for player in players]


def press(desk, name, **form):
    form = {"all": "1"} | form
    page = desk.get(f"/centre/slots/{name}", query_string=form).get_data(as_text=True)
    return desk.post(f"/centre/slots/{name}", follow=True, seen=hidden(page, "seen"), **form)


@pytest.mark.parametrize("login", ["invigilator", "centre", "admin"])
def test_everybody_is_paused_and_resumed_and_the_list_is_not_empty(app, writers, login):
    desk = Desk(app, login)
    assert "Pause everybody…" in desk.text("/centre/")
    assert "2 tests paused." in plain(press(desk, "pause", slot="attempting", reason=WHY))
    assert states(writers) == ["paused", "paused"]
    text = plain(press(desk, "resume", slot="paused"))
    assert "2 tests go on, with the time they had." in text
    assert "N001" in text
    assert "Nobody matches" not in text
    assert states(writers) == ["in_progress", "in_progress"]


def test_a_fire_alarm_does_not_wait_for_new_numbers(app, hall, writers):
    desk = Desk(app, "invigilator")
    page = desk.get("/centre/slots/pause?all=1&slot=attempting").get_data(as_text=True)
    late = hall.player(2)
    late.start(at=hall.after(minutes=60))
    desk.post("/centre/slots/pause", all="1", slot="attempting", reason=WHY, seen=hidden(page, "seen"))
    assert states([*writers, late]) == ["paused"] * 3


def test_a_pause_needs_a_reason_and_a_right(app, writers):
    assert Desk(app, "centre").post("/centre/slots/pause", all="1", reason=" ").status_code == 422
    assert Desk(app, "auditor").post("/centre/slots/pause", all="1", reason=WHY).status_code == 403
    assert "Pause everybody…" not in Desk(app, "auditor").text("/centre/")
    assert states(writers) == ["in_progress", "in_progress"]


def test_lost_time_is_shown_then_given_then_not_given_again(app, hall, writers):
    desk = Desk(app, "centre")
    before = row_counts()
    look = desk.get("/centre/time", query_string=WINDOW)
    assert "2 get time back, 600 s at most" in plain(look)
    assert PageCheck(look.get_data(as_text=True)).found() == []
    assert row_counts() == before
    answer = desk.post("/centre/time", follow=True, reason="the switch was off", **WINDOW)
    assert "2 candidates got time back." in plain(answer)
    db.session.rollback()
    assert writers[0].attempt.deadline_at == hall.after(hours=3, minutes=10)
    again = desk.text("/centre/time?from=2026-11-21T10:25&to=2026-11-21T10:40")
    assert "2 were given time for these minutes already" in again


@pytest.mark.parametrize(
    "form",
    [
        {"from": "2026-11-21T10:30", "to": "2026-11-21T10:20"},
        {"from": "2026-11-21T10:30", "to": "2027-11-21T10:20"},
        {"from": "yesterday", "to": "2026-11-21T10:20"},
        {"from": "2026-11-21T10:20+05:30", "to": "2026-11-21T10:30+05:30"},
        {"from": "0001-01-01T00:00", "to": "2026-11-21T10:30"},
        {"from": "2026-11-21T10:20", "to": ""},
        WINDOW | {"reason": " "},
    ],
)
def test_a_wrong_window_or_no_reason_gives_nothing(app, hall, writers, form):
    answer = Desk(app, "centre").post("/centre/time", **({"reason": WHY} | form))
    assert answer.status_code == 422
    assert PageCheck(answer.get_data(as_text=True)).found() == []
    db.session.rollback()
    assert writers[0].attempt.deadline_at == hall.after(hours=3)


def test_an_invigilator_gives_ten_minutes_and_an_auditor_none(app, writers):
    invigilator = Desk(app, "invigilator")
    long = {"from": "2026-11-21T10:20", "to": "2026-11-21T10:31"}
    assert "2 would get more than you may grant" in plain(invigilator.get("/centre/time", query_string=long))
    assert "2 candidates got" in plain(invigilator.post("/centre/time", follow=True, reason=WHY, **WINDOW))
    assert Desk(app, "auditor").get("/centre/time").status_code == 403


def test_a_reset_names_the_hand_in_that_it_takes_out_of_the_way(app, hall, writers):
    writers[0].submit(at=hall.after(minutes=42))
    receipt = writers[0].attempt.receipt
    desk = Desk(app, "centre")
    for name in ("reset", "reassign"):
        assert f"receipt {receipt}: this hand-in is taken" in desk.text(f"/centre/slots/{name}?id={writers[0].id}")
        assert "1 hand-in is taken out of the way" in desk.text(f"/centre/slots/{name}?all=1")
    assert "hand-in" not in desk.text(f"/centre/slots/reset?id={writers[1].id}")


def test_a_closed_slot_looks_closed(app, hall, writers):
    slots.reassign([writers[0].id], reason=WHY, by=hall.admin, now=hall.after(minutes=1))
    page = Desk(app, "centre").get(f"/centre/candidates/{writers[0].id}").get_data(as_text=True)
    table = page[page.index('id="slots-title"') :]
    assert len(re.findall("chip--past", table)) == 1


def test_every_action_of_the_life_cycles_has_words_in_the_log(app):
    text = Path(app.jinja_env.get_template("macros/log.html").filename).read_text()
    missing = [
        action for action in (*SlotAction, *AttemptAction, "extend", "give_back") if f'"{action}": _(' not in text
    ]
    assert missing == []


def test_the_log_speaks_in_words(app, hall, writers):
    text = Desk(app, "centre").text(f"/centre/candidates/{writers[0].id}")
    log = text[text.index("Latest events") :]
    assert "Test started Drawn, not started → Writing" in log
    assert "Slot taken into use Available → Attempting" in log
    assert "_" not in log
