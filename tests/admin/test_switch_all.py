"""One set label for all trades at once: exceptions, numbers, and nothing begun that may not be finished."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from kiosk.extensions import db, transaction
from kiosk.models import Activation, Trade
from kiosk.services.sets import activate
from tests.cast import Hall
from tests.desk import Desk, PageCheck

REASON = "set A was seen"


@pytest.fixture
def desk(app):  # type: ignore[no-untyped-def]
    return Desk(app, "admin")


@pytest.fixture
def second(hall: Hall):  # type: ignore[no-untyped-def]
    """Another trade with a primary paper of its own, with sets A and B, A active."""
    with transaction():
        trade = Trade(organisation_id=hall.organisation_id, code="DMV", name="Driver")
        db.session.add(trade)
        db.session.flush()
        trade_id = trade.id
        paper_id = hall.add_paper(trade_id, "primary")
        sets = {label: hall.add_set(label, paper_id) for label in "AB"}
    activate(
        sets["A"],
        [trade_id],
        organisation_id=hall.organisation_id,
        keep_running=False,
        reason="the tests want it",
        confirmed=True,
        by=hall.admin,
        now=hall.MORNING,
    )
    return trade_id


def active(hall: Hall) -> dict[object, str]:
    """The active primary set of each trade, by its label's id."""
    db.session.rollback()
    rows = db.session.execute(
        select(Activation.trade_id, Activation.question_set_id).where(
            Activation.paper_type == "primary", Activation.ended_at.is_(None)
        )
    ).all()
    return {row.trade_id: row.question_set_id for row in rows}


def test_all_trades_get_the_set_of_that_label(hall: Hall, desk: Desk, second) -> None:  # type: ignore[no-untyped-def]
    page = desk.get("/admin/sets/all?paper=primary&label=B").get_data(as_text=True)
    assert PageCheck(page).found() == []
    assert page.count('name="trade"') == 2
    before = active(hall)
    done = desk.post(
        "/admin/sets/all", paper="primary", label="B", trade=[hall.trade_id, second], reason=REASON, seen=0
    )
    assert done.location == "/admin/"
    after = active(hall)
    assert after[hall.trade_id] == hall.sets["B"]
    assert after[second] != before[second]
    assert "The set is active for 2 trades." in desk.text("/admin/")
    assert "active already wherever there is one" in desk.text("/admin/sets/all?paper=primary&label=B")


def test_a_trade_without_its_tick_stays_as_it_is(hall: Hall, desk: Desk, second) -> None:  # type: ignore[no-untyped-def]
    before = active(hall)
    desk.post("/admin/sets/all", paper="primary", label="B", trade=[second], reason=REASON, seen=0)
    after = active(hall)
    assert after[hall.trade_id] == before[hall.trade_id]
    assert after[second] != before[second]


def test_people_who_write_are_stopped_only_by_the_word(hall: Hall, desk: Desk, second) -> None:  # type: ignore[no-untyped-def]
    hall.player(0).start()
    before = active(hall)
    form = {"paper": "primary", "label": "B", "trade": [hall.trade_id, second], "reason": REASON, "seen": 1}
    for wrong in ({}, {"word": "TTC"}, {"word": "ALL", "seen": 0}):
        refused = desk.post("/admin/sets/all", **(form | wrong))
        assert refused.status_code == 409
        assert active(hall) == before
    assert desk.post("/admin/sets/all", **form, word="ALL").status_code == 303
    db.session.rollback()
    assert hall.player(0).attempt.cancel_reason == "set_switched"


def test_or_they_finish_on_the_set_they_have(hall: Hall, desk: Desk, second) -> None:  # type: ignore[no-untyped-def]
    hall.player(0).start()
    form = {"paper": "primary", "label": "B", "trade": [hall.trade_id, second], "reason": REASON, "seen": 1}
    assert desk.post("/admin/sets/all", **form, mode="finish").status_code == 303
    assert hall.player(0).attempt.status == "in_progress"


@pytest.mark.parametrize(
    ("changed", "status"),
    [({"reason": " "}, 422), ({"trade": []}, 422), ({"label": "Z"}, 422), ({"trade": ["nonsense"]}, 422)],
)
def test_what_makes_no_sense_changes_nothing(hall: Hall, desk: Desk, changed: dict[str, object], status: int) -> None:
    before = active(hall)
    form = {"paper": "primary", "label": "B", "trade": [hall.trade_id], "reason": REASON, "seen": 0}
    assert desk.post("/admin/sets/all", **(form | changed)).status_code == status
    assert active(hall) == before


def test_an_incomplete_set_is_activated_for_nobody(hall: Hall, desk: Desk, second) -> None:  # type: ignore[no-untyped-def]
    with transaction():
        hall.add_set("K", hall.paper_id, leave_out=1)
    before = active(hall)
    refused = desk.post("/admin/sets/all", paper="primary", label="K", trade=[hall.trade_id], reason=REASON, seen=0)
    assert refused.status_code == 422
    assert active(hall) == before
