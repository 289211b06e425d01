"""Centres and trades as records: made, changed, put away, deleted with what is theirs; never with a test in them."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import func, select

from kiosk.extensions import db, transaction
from kiosk.ids import uuid7
from kiosk.models import AuditEvent, Candidate, Centre, Kiosk, Shift, ShiftTrade, Slot, Trade, User
from kiosk.office_errors import InTheWay
from kiosk.services import removing, slots
from tests.desk import Desk, plain

CENTRE = {
    "code": "C09",
    "name": "Hill Camp",
    "command": "Northern",
    "time_zone": "Asia/Kolkata",
    "seats": "40",
    "kiosk_rule": "any",
    "takeover": "free",
}


@pytest.fixture
def desk(app, hall):
    return Desk(app, "admin")


def one(model, **where):
    db.session.rollback()
    return db.session.execute(select(model).filter_by(**where)).scalar_one_or_none()


def count(model, *where):
    db.session.rollback()
    return db.session.execute(select(func.count()).select_from(model).where(*where)).scalar_one()


@pytest.fixture
def furnished(hall):
    """The second centre with a shift, a kiosk, staff, and candidates with a slot but without a test."""
    with transaction():
        shift_id, kiosk_id = uuid7(), uuid7()
        db.session.add(Shift(id=shift_id, centre_id=hall.other_centre_id, starts_at=hall.MORNING, status="planned"))
        db.session.add(Kiosk(id=kiosk_id, centre_id=hall.other_centre_id, name="K1"))
        db.session.flush()
        db.session.add(ShiftTrade(shift_id=shift_id, trade_id=hall.trade_id))
        people = [
            hall.add_candidate(f"P{place}", centre_id=hall.other_centre_id, shift_id=shift_id) for place in (1, 2)
        ]
    slots.assign(people, by=hall.admin, now=hall.MORNING)
    return people


def test_a_centre_is_added_and_edited_with_what_it_demands(hall, desk):
    answer = desk.post("/admin/centres/new", follow=True, **CENTRE, demands_check_in="y")
    assert "Hill Camp is added." in plain(answer)
    made = one(Centre, code="C09")
    assert (made.seats, made.demands_check_in, made.demands_seat) == (40, True, False)
    changed = CENTRE | {"code": "c10", "kiosk_rule": "locked_down", "takeover": "approval", "demands_seat": "y"}
    desk.post(f"/admin/centres/{made.id}", **changed)
    now = one(Centre, code="C10")
    assert (now.id, now.kiosk_rule, now.takeover, now.demands_check_in, now.demands_seat) == (
        made.id,
        "locked_down",
        "approval",
        False,
        True,
    )
    assert [row[0] for row in hall.audit(made.id)] == ["create_centre", "edit_centre"]


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("code", "", "Fill this in."),
        ("code", "C01", "There is a centre with this code already."),
        ("code", "<b>", "Use up to 20 capital letters"),
        ("name", " ", "Fill this in."),
        ("time_zone", "Asia/Nowhere", "There is no such time zone"),
        ("time_zone", "../etc/passwd", "There is no such time zone"),
        ("seats", "-1", "Enter a whole number from 0"),
        ("seats", "1e9", "Enter a whole number from 0"),
        ("seats", "1.5", "Enter a whole number from 0"),
        ("kiosk_rule", "none", "Choose one of the list."),
        ("takeover", "", "Choose one of the list."),
    ],
)
def test_a_wrong_centre_is_not_added(hall, desk, field, value, problem):
    answer = desk.post("/admin/centres/new", **CENTRE | {field: value})
    assert answer.status_code == 422
    assert problem in plain(answer)
    assert count(Centre, Centre.organisation_id == hall.organisation_id) == 2


def test_a_centre_without_tests_goes_with_all_that_is_in_it(hall, desk, furnished):
    address = f"/admin/centres/{hall.other_centre_id}/delete"
    page = desk.text(address)
    for words in ("2 candidates", "2 slots that were not used", "1 shift ", "1 kiosk ", "1 staff account is deactiv"):
        assert words in page, words
    for wrong in ({"reason": "closed"}, {"word": "C02"}, {"word": "C01", "reason": "closed"}):
        assert desk.post(address, go="yes", **wrong).status_code == 422
    assert "C02 is deleted." in plain(desk.post(address, go="yes", follow=True, word="C02", reason="closed"))
    assert one(Centre, id=hall.other_centre_id) is None
    assert count(Candidate, Candidate.id.in_(furnished)) == count(Slot, Slot.candidate_id.in_(furnished)) == 0
    assert count(Shift, Shift.centre_id == hall.other_centre_id) == 0
    left = one(User, login="centre2")
    assert (left.centre_id, left.deactivated_at is not None) == (None, True)
    kinds = db.session.execute(
        select(AuditEvent.action, func.count()).where(AuditEvent.to_state == "deleted").group_by(AuditEvent.action)
    ).all()
    assert dict(map(tuple, kinds)) == {"delete_centre": 1, "delete_candidate": 2, "delete_shift": 1, "delete_kiosk": 1}
    assert count(Candidate, Candidate.centre_id == hall.centre_id) == hall.CANDIDATES, "nobody else is touched"


def test_a_centre_with_tests_stays_and_says_what_is_in_the_way(hall, desk):
    hall.player(0).start()
    address = f"/admin/centres/{hall.centre_id}/delete"
    page = desk.text(address)
    assert "1 test that was sat" in page
    assert "Archive it instead" in page
    assert "Delete for good" not in page
    assert desk.post(address, go="yes", word="C01", reason="closed").status_code == 422
    with pytest.raises(InTheWay) as refused:
        removing.remove(Centre, hall.centre_id, name="C01", reason="x", by=hall.admin, now=hall.MORNING)
    assert refused.value.stands["attempts"] == 1
    assert one(Centre, id=hall.centre_id).archived_at is None


def test_a_cancelled_test_stands_in_the_way_as_well(hall):
    hall.player(0).start()
    slots.reset([hall.candidate_ids[0]], reason="again", by=hall.admin, now=hall.MORNING)
    for model, object_id in ((Candidate, hall.candidate_ids[0]), (Trade, hall.trade_id), (Centre, hall.centre_id)):
        with pytest.raises(InTheWay):
            removing.remove(model, object_id, name="x", reason="x", by=hall.admin, now=hall.MORNING)


def test_a_candidate_moved_out_of_a_centre_keeps_its_tests_in_the_way(hall):
    """The attempt names the centre where it was sat."""
    hall.player(0).start()
    with transaction():
        db.session.get(Candidate, hall.candidate_ids[0]).centre_id = hall.other_centre_id
    assert removing.preview(Centre, hall.centre_id).stands["attempts"] == 1


def test_a_table_that_nobody_thought_of_stands_in_the_way(hall, monkeypatch):
    fewer = removing.PLANS[Centre].takes - {"kiosks.centre_id"}
    with transaction():
        db.session.add(Kiosk(id=uuid7(), centre_id=hall.other_centre_id, name="K1"))
    monkeypatch.setitem(removing.PLANS, Centre, removing.Plan(fewer, removing.PLANS[Centre].clears))
    assert removing.preview(Centre, hall.other_centre_id).stands == {"kiosks": 1}


def test_archiving_waits_for_shifts_and_writers_and_can_be_taken_back(hall, desk):
    address = f"/admin/centres/{hall.centre_id}/archive"
    assert "1 shifts that let people in" in desk.text(address)
    assert desk.post(address, go="yes", reason="winter").status_code == 422
    with transaction():
        db.session.get(Shift, hall.shift_id).status = "closed"
    assert desk.post(address, go="yes", reason="").status_code == 422
    assert "It is archived." in plain(desk.post(address, go="yes", follow=True, reason="winter"))
    assert "C01" not in desk.text("/admin/centres")
    assert "C01" in desk.text("/admin/centres?state=archived")
    desk.post(f"/admin/centres/{hall.centre_id}/unarchive", go="yes")
    assert one(Centre, id=hall.centre_id).archived_at is None
    assert [row[0] for row in hall.audit(hall.centre_id)][-2:] == ["archive_centre", "unarchive_centre"]


def test_a_trade_is_added_edited_and_deleted_while_nobody_is_in_it(hall, desk):
    desk.post("/admin/trades/new", code="efs", name="Equipment", has_primary="y")
    made = one(Trade, code="EFS")
    assert made.has_primary
    desk.post(f"/admin/trades/{made.id}", code="EFS", name="Fitter")
    assert (one(Trade, id=made.id).name, one(Trade, id=made.id).has_primary) == ("Fitter", False)
    assert desk.post("/admin/trades/new", code="EFS", name="x").status_code == 422
    with transaction():
        hall.add_paper(made.id, "primary")
    assert "1 paper" in desk.text(f"/admin/trades/{made.id}/delete")
    desk.post(f"/admin/trades/{made.id}/delete", go="yes", word="EFS", reason="a mistake")
    assert one(Trade, code="EFS") is None


def test_a_trade_with_candidates_is_not_deleted_nor_archived_while_they_hold_slots(hall, desk):
    assert "6 candidates" in desk.text(f"/admin/trades/{hall.trade_id}/delete")
    assert "6 slots of its candidates" in desk.text(f"/admin/trades/{hall.trade_id}/archive")
    slots.reset(hall.candidate_ids, reason="all", by=hall.admin, now=hall.MORNING)
    desk.post(f"/admin/trades/{hall.trade_id}/archive", go="yes", reason="merged")
    assert one(Trade, id=hall.trade_id).archived_at is not None


@pytest.mark.parametrize("act", ["", "/archive", "/unarchive", "/delete"])
@pytest.mark.parametrize("thing", ["centre", "trade"])
def test_another_organisations_record_is_not_there(hall, desk, thing, act):
    for object_id in (hall.stranger[thing], uuid4()):
        assert desk.get(f"/admin/{thing}s/{object_id}{act}").status_code == 404
        answer = desk.post(f"/admin/{thing}s/{object_id}{act}", go="yes", reason="x", word="C01", code="X", name="x")
        assert answer.status_code == 404


@pytest.mark.parametrize("login", ["centre", "invigilator", "auditor", "marks"])
def test_nobody_but_an_admin_changes_centres_or_trades(app, hall, login):
    other = Desk(app, login)
    for address in (f"/admin/centres/{hall.centre_id}", "/admin/centres/new", "/admin/trades/new"):
        assert other.post(address, **CENTRE).status_code == 403
    assert one(Centre, id=hall.centre_id).name == "Centre C01"


@pytest.mark.parametrize("things", ["centres", "trades"])
def test_the_lists_are_searched_sorted_and_exported(hall, desk, things):
    code = {"centres": "C01", "trades": "TTC"}[things]
    assert code in desk.text(f"/admin/{things}?q={code.lower()}&sort=-name")
    assert "matches these filters" in desk.text(f"/admin/{things}?q=nowhere")
    assert desk.fragment(f"/admin/{things}").get_data(as_text=True).lstrip().startswith(f'<div id="{things}"')
    assert code in desk.get(f"/admin/{things}.csv").get_data(as_text=True)
