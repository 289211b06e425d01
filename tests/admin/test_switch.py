"""The switch of the active set: numbers first, then a reason, and a typed word where people write."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import select

from kiosk.extensions import db, transaction
from kiosk.models import Activation, Trade
from tests.desk import Desk, plain

REASON = "set A was seen by a candidate"


@pytest.fixture
def desk(app):
    return Desk(app, "admin")


@pytest.fixture
def address(hall):
    return f"/admin/sets/{hall.trade_id}/primary/switch"


@pytest.fixture
def form(hall):
    return {"set": hall.sets["B"], "for": "trade", "reason": REASON}


def active_set(hall, trade_id=None, paper_type="primary"):
    db.session.rollback()
    return db.session.execute(
        select(Activation.question_set_id).where(
            Activation.trade_id == (trade_id or hall.trade_id),
            Activation.paper_type == paper_type,
            Activation.ended_at.is_(None),
        )
    ).scalar_one_or_none()


def second_trade(hall):
    with transaction():
        trade = Trade(organisation_id=hall.organisation_id, code="MUSICIAN", name="Musician", has_primary=False)
        db.session.add(trade)
        db.session.flush()
        return trade.id


def test_the_preview_says_who_writes_and_who_waits(hall, desk, address):
    hall.player(0).start()
    page = desk.text(f"{address}?set={hall.sets['B']}")
    assert "Switch TTC to set B, version 1?" in page
    assert "1 is writing on another set 5 hold an unused slot and will get this set" in page
    assert "1 person is writing. Type TTC to stop them" in page


def test_void_is_what_happens_unless_told_otherwise(hall, desk, address):
    hall.player(0).start()
    page = desk.get(f"{address}?set={hall.sets['B']}").get_data(as_text=True)
    assert 'value="void" id="mode-void" checked' in page
    assert 'value="finish" id="mode-finish" checked' not in page


def test_nobody_writes_so_a_reason_is_enough(hall, desk, address, form):
    answer = desk.post(address, follow=True, **form)
    assert "The set is active for TTC. Nobody was writing." in plain(answer)
    assert active_set(hall) == hall.sets["B"]


def test_somebody_writes_so_the_trades_code_must_be_typed(hall, desk, address, form):
    player = hall.player(0)
    player.start()
    for word in ("", "ttc", "ALL", "YES"):
        answer = desk.post(address, **form, mode="void", word=word)
        assert answer.status_code == 409
        assert "Type TTC to stop them, or let them finish." in plain(answer)
        assert active_set(hall) == hall.sets["A"]
    answer = desk.post(address, follow=True, **form, mode="void", word="TTC")
    assert "1 test was stopped; the slot is available again and the answers are kept." in plain(answer)
    assert active_set(hall) == hall.sets["B"]
    assert (player.attempt.status, player.attempt.cancel_reason) == ("cancelled", "set_switched")
    assert player.slot.status == "available"


def test_somebody_began_after_the_preview_and_is_not_stopped_unasked(hall, desk, address, form):
    assert "0 are writing on another set" in desk.text(f"{address}?set={hall.sets['B']}")
    hall.player(0).start()
    answer = desk.post(address, **form)
    assert answer.status_code == 409
    assert "1 is writing on another set" in plain(answer)
    assert active_set(hall) == hall.sets["A"]


def test_finish_lets_them_write_on_and_asks_for_no_word(hall, desk, address, form):
    player = hall.player(0)
    player.start()
    answer = desk.post(address, follow=True, **form, mode="finish")
    assert "Those who were writing finish on the set they have." in plain(answer)
    assert active_set(hall) == hall.sets["B"]
    assert (player.attempt.status, player.attempt.question_set_id) == ("in_progress", hall.sets["A"])


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_without_a_good_reason_nothing_is_switched(hall, desk, address, form, reason):
    answer = desk.post(address, **form | {"reason": reason})
    assert answer.status_code == 422
    assert 'id="reason-error"' in answer.get_data(as_text=True)
    assert active_set(hall) == hall.sets["A"]


@pytest.mark.parametrize("chosen", ["", "nonsense"])
def test_without_a_set_nothing_is_switched(hall, desk, address, form, chosen):
    answer = desk.post(address, **form | {"set": chosen})
    assert answer.status_code == 422
    assert "Choose a set." in plain(answer)


def test_an_incomplete_set_cannot_be_chosen_and_the_list_says_what_is_missing(hall, desk, address, form):
    with transaction():
        short = hall.add_set("D", hall.paper_id, publish=False, leave_out=1)
    page = desk.get(address).get_data(as_text=True)
    row = page.split(f'value="{short}"')[1][:120]
    assert "disabled" in row
    assert "Part F: 1 of 2" in page
    answer = desk.post(address, **form | {"set": short})
    assert answer.status_code == 422
    assert "Part F: 1 of 2" in plain(answer)
    assert active_set(hall) == hall.sets["A"]


def test_the_active_set_again_is_refused(hall, desk, address, form):
    answer = desk.post(address, **form | {"set": hall.sets["A"]})
    assert answer.status_code == 422
    assert "it is active already" in plain(answer)


def test_a_common_paper_is_switched_for_one_trade_or_for_all(hall, desk):
    other = second_trade(hall)
    address = f"/admin/sets/{hall.trade_id}/secondary/switch"
    chosen = {"set": hall.secondary_sets["B"], "reason": REASON}
    assert "for all 2 trades that share this paper" in desk.text(address)
    desk.post(address, **chosen, **{"for": "trade"})
    assert active_set(hall, paper_type="secondary") == hall.secondary_sets["B"]
    assert active_set(hall, other, "secondary") is None
    answer = desk.post(address, follow=True, **chosen, **{"for": "all"})
    assert "The set is active for 2 trades." in plain(answer)
    assert active_set(hall, other, "secondary") == hall.secondary_sets["B"]


def test_all_trades_need_the_word_all(hall, desk):
    second_trade(hall)
    page = desk.text(f"/admin/sets/{hall.trade_id}/secondary/switch?for=all&set={hall.secondary_sets['B']}")
    assert "Switch 2 trades to set B, version 1?" in page


def test_for_all_means_nothing_where_the_paper_is_the_trades_own(hall, desk, address, form):
    second_trade(hall)
    assert desk.post(address, **form | {"for": "all"}).status_code in (200, 303)
    assert active_set(hall) == hall.sets["B"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_not_of_this_paper_or_organisation_is_not_there(hall, desk, address, form, method):
    ask = desk.get if method == "get" else desk.post
    foreign = [hall.secondary_sets["B"], uuid4()]
    for set_id in foreign:
        answer = (
            desk.get(f"{address}?set={set_id}") if method == "get" else desk.post(address, **form | {"set": set_id})
        )
        assert answer.status_code == 404
    for trade_id in (hall.stranger["trade"], uuid4()):
        assert ask(f"/admin/sets/{trade_id}/primary/switch", **({} if method == "get" else form)).status_code == 404
    assert ask(f"/admin/sets/{hall.trade_id}/tertiary/switch", **({} if method == "get" else form)).status_code == 404


@pytest.mark.parametrize("login", ["auditor", "centre", "invigilator", "marks"])
def test_nobody_but_an_admin_may_switch(app, hall, address, form, login):
    assert Desk(app, login).post(address, **form, mode="void", word="TTC").status_code == 403
    assert active_set(hall) == hall.sets["A"]


def test_without_the_token_nothing_is_switched(hall, desk, address, form):
    assert desk.post(address, **form, csrf_token="wrong").status_code == 400
    assert active_set(hall) == hall.sets["A"]


def test_with_htmx_refusals_come_as_the_fragment_and_success_leads_away(hall, desk, address, form):
    hall.player(0).start()
    wrong = desk.post(address, htmx=True, **form)
    assert (wrong.status_code, wrong.get_data(as_text=True).lstrip()[:16]) == (409, '<div id="switch"')
    done = desk.post(address, htmx=True, **form, word="TTC")
    assert done.headers["HX-Redirect"] == "/admin/"


def test_the_next_start_gets_the_new_set(hall, desk, address, form):
    desk.post(address, **form)
    db.session.rollback()
    player = hall.player(0)
    player.start()
    assert player.attempt.question_set_id == hall.sets["B"]
