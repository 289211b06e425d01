"""Tests that need somebody: each kind with its reason, what may be done, and how long the finished ones took."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from kiosk import clock
from kiosk.extensions import db, transaction
from kiosk.models import Attempt
from kiosk.services import durations, finishing, pauses, stuck
from kiosk.services.stuck import StuckFilters
from tests.cast import Hall
from tests.counting import counting
from tests.desk import Desk


@pytest.fixture
def troubled(hall: Hall) -> Hall:
    """Five candidates: silent, paused, not marked, lively, and long past the time."""
    for place in (0, 1, 2, 3):
        hall.player(place).start()
    pauses.pause(
        [hall.player(1).attempt.id], kind="staff", reason="fire alarm", by=hall.admin, now=hall.after(minutes=3)
    )
    hall.player(2).submit(at=hall.after(minutes=30))
    with transaction():
        db.session.execute(
            update(Attempt).where(Attempt.id == hall.player(2).attempt.id).values(status="submitted", marked_at=None)
        )
    finishing.push_back(hall.player(2).attempt.id, ValueError("no such\nquestion"), now=hall.after(minutes=31))
    with transaction():
        seen = {0: 4, 3: 40}
        for place, minute in seen.items():
            mine = Attempt.id == hall.player(place).attempt.id
            db.session.execute(update(Attempt).where(mine).values(last_seen_at=hall.after(minutes=minute)))
    clock.freeze(hall.after(minutes=41))
    return hall


def kinds(hall: Hall, minute: int = 41, **filters: str) -> dict[str, str]:
    """Who needs somebody and why."""
    listed = stuck.stuck(hall.centre_id, StuckFilters(**filters), now=hall.after(minutes=minute))
    return {row.service_no: row.kind for row in listed.rows}


@pytest.mark.harms_the_database
def test_each_test_is_listed_with_its_reason_and_the_lively_one_is_not(troubled: Hall) -> None:
    assert kinds(troubled) == {"N001": "silent", "N002": "paused", "N003": "marking"}
    assert kinds(troubled, minute=184)["N004"] == "overdue"
    assert kinds(troubled, kind="paused") == {"N002": "paused"}
    assert kinds(troubled, q="N003") == {"N003": "marking"}
    assert stuck.stuck(troubled.other_centre_id, StuckFilters(), now=troubled.after(minutes=41)).matching == 0


@pytest.mark.harms_the_database
def test_the_page_says_why_since_when_and_what_may_be_done(app, troubled: Hall) -> None:
    desk = Desk(app, "invigilator")
    page = desk.text("/centre/sittings")
    assert "3 tests may need somebody Not marked 1 Silent 1 Paused for long 1" in page
    assert "Silent since 10:04" in page
    assert "1 try failed, next at 10:32: ValueError: no such 0/10" in page
    raw = desk.get("/centre/sittings?kind=paused").get_data(as_text=True)
    assert f"/centre/slots/resume?id={troubled.player(1).id}" in raw
    file = desk.get("/centre/sittings/export?kind=silent").get_data(as_text=True)
    assert [line.split(",")[0] for line in file.splitlines()] == ["\ufeffservice_no", "N001"]
    assert "No test matches these filters." in desk.text("/centre/sittings?q=nobody&kind=rubbish&page=9")


@pytest.mark.harms_the_database
def test_a_databases_error_never_repeats_what_was_answered(troubled: Hall) -> None:
    from sqlalchemy.exc import OperationalError

    error = OperationalError(
        "UPDATE answers", {"response": "secret words"}, Exception("disk is full\nDETAIL: secret words")
    )
    finishing.push_back(troubled.player(2).attempt.id, error, now=troubled.after(minutes=32))
    assert troubled.player(2).attempt.trouble == "OperationalError: disk is full"


def test_durations_leave_pauses_out_and_say_the_spread(app, hall: Hall) -> None:
    for place, minute in enumerate((30, 60, 90, 100)):
        hall.player(place).start()
        if place == 3:
            attempt_id = hall.player(3).attempt.id
            pauses.pause([attempt_id], kind="staff", reason="alarm", by=hall.admin, now=hall.after(minutes=10))
            pauses.unpause([attempt_id], by=hall.admin, now=hall.after(minutes=50))
        hall.player(place).submit(at=hall.after(minutes=minute))
    (paper,) = durations.per_paper(hall.centre_id)
    assert [round(one) for one in (paper.shortest, paper.lower, paper.median, paper.upper, paper.longest)] == [
        30,
        52,
        60,
        68,
        90,
    ]
    with counting() as counted:
        durations.per_paper(hall.centre_id, hall.shift_id)
    assert counted.statements == 1
    page = Desk(app, "centre").text("/centre/sittings/durations")
    assert "4 0 0:30 1:00 0:52–1:07 1:30" in page
    assert durations.per_paper(hall.other_centre_id) == []
