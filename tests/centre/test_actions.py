"""Assign, reassign, clear, reset, resume: preview first, then the deed; and everything that is refused."""

from __future__ import annotations

from uuid import uuid4

import pytest

from kiosk import clock
from kiosk.extensions import db
from kiosk.models import Attempt, Slot
from kiosk.services import pauses
from kiosk.services.audit import SYSTEM
from tests.desk import Desk, hidden, plain, row_counts

ACTIONS = ("assign", "reassign", "clear", "reset", "resume")
REASON = "the wrong trade was on the list"


def seen(desk, action, **query):
    """The numbers of a preview, as its form will send them back."""
    page = desk.get(f"/centre/slots/{action}", query_string=query).get_data(as_text=True)
    return hidden(page, "seen")


def state(player):
    db.session.rollback()  # what a request wrote is not in the snapshot of this test's transaction
    slot = player.slot
    return slot.status if slot else "none"


def test_a_preview_changes_nothing_and_says_the_numbers(hall, desk):
    hall.player(0).start()
    before = row_counts()
    page = desk.text("/centre/slots/reset?all=1")
    assert "Reset the slots of 6 candidates?" in page
    assert "6 will lose their slot 1 is writing now and will be stopped 0 stay as they are" in page
    assert "1 person is writing. Type RESET to go on" in page
    assert row_counts() == before


def test_reset_of_one_takes_the_slot_and_tells_so(hall, desk):
    player, chosen = hall.player(0), hall.candidate_ids[0]
    answer = desk.post(
        "/centre/slots/reset", follow=True, id=chosen, reason=REASON, seen=seen(desk, "reset", id=chosen)
    )
    assert "1 slot reset." in plain(answer)
    assert state(player) == "none"
    past = db.session.query(Slot).filter_by(candidate_id=chosen).one()
    assert (past.closed_as, past.close_reason, past.closed_by) == ("reset", REASON, "Centre")


def test_the_report_is_told_once(hall, desk):
    chosen = hall.candidate_ids[0]
    desk.post("/centre/slots/reset", follow=True, id=chosen, reason=REASON, seen=seen(desk, "reset", id=chosen))
    assert "slot reset." not in desk.text("/centre/")


def test_reset_of_somebody_who_writes_needs_the_word(hall, desk):
    player, chosen = hall.player(0), hall.candidate_ids[0]
    player.start()
    form = {"id": chosen, "reason": REASON, "seen": seen(desk, "reset", id=chosen)}
    for word in ({}, {"word": "reset"}, {"word": "YES"}):
        answer = desk.post("/centre/slots/reset", **form, **word)
        assert answer.status_code == 422
        assert "Type RESET in capital letters to go on." in plain(answer)
        assert state(player) == "attempting"
    answer = desk.post("/centre/slots/reset", follow=True, **form, word="RESET")
    assert "1 test was stopped; its answers are kept." in plain(answer)
    assert state(player) == "none"
    assert (player.attempt.status, player.attempt.cancel_reason) == ("cancelled", "slot_reset")


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
@pytest.mark.parametrize("action", ["reset", "reassign"])
def test_without_a_good_reason_nothing_is_done(hall, desk, action, reason):
    chosen = hall.candidate_ids[0]
    answer = desk.post(f"/centre/slots/{action}", id=chosen, reason=reason, seen=seen(desk, action, id=chosen))
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.get_data(as_text=True)
    assert state(hall.player(0)) == "available"


def test_S3_numbers_that_changed_since_the_preview_stop_the_deed(hall, desk):
    player, chosen = hall.player(0), hall.candidate_ids[0]
    before = seen(desk, "reset", id=chosen)
    player.start()
    answer = desk.post("/centre/slots/reset", id=chosen, reason=REASON, seen=before)
    assert answer.status_code == 409
    assert "The numbers changed in the meantime." in plain(answer)
    assert "1 is writing now and will be stopped" in plain(answer)
    assert state(player) == "attempting"


def test_a_form_without_the_numbers_of_a_preview_does_nothing(hall, desk):
    answer = desk.post("/centre/slots/reset", id=hall.candidate_ids[0], reason=REASON)
    assert answer.status_code == 409
    assert state(hall.player(0)) == "available"


def test_reassign_gives_the_same_paper_again(hall, desk):
    player, chosen = hall.player(0), hall.candidate_ids[0]
    player.start()
    player.submit()
    answer = desk.post(
        "/centre/slots/reassign", follow=True, id=chosen, reason=REASON, seen=seen(desk, "reassign", id=chosen)
    )
    assert "1 slot reassigned." in plain(answer)
    assert (state(player), player.slot.paper_id) == ("available", hall.paper_id)


def test_assign_gives_a_slot_to_all_that_match_and_says_why_not_to_the_others(hall, desk):
    desk.post(
        "/centre/slots/reset", **(form := {"all": "1", "q": "N00"}), reason=REASON, seen=seen(desk, "reset", **form)
    )
    one = {"id": hall.candidate_ids[0]}
    desk.post("/centre/slots/assign", **one, seen=seen(desk, "assign", **one))
    everybody = {"all": "1"}
    answer = desk.post("/centre/slots/assign", follow=True, **everybody, seen=seen(desk, "assign", **everybody))
    assert "5 slots assigned." in plain(answer)
    assert "1 holds an unused slot already" in plain(answer)


def test_clearing_stops_the_test_and_keeps_slot_and_answers(hall, desk):
    player, chosen = hall.player(0), hall.candidate_ids[0]
    player.start()
    player.save(1, "A")
    form = {"id": chosen, "reason": REASON, "seen": seen(desk, "clear", id=chosen)}
    assert desk.post("/centre/slots/clear", **form).status_code == 422
    assert "1 unfinished test cleared." in plain(desk.post("/centre/slots/clear", follow=True, **form, word="CLEAR"))
    assert (state(player), player.attempt.cancel_reason) == ("available", "cleared")
    assert player.paper()[0][3] is not None


def test_clearing_somebody_who_is_paused_needs_the_word_too(hall, desk):
    player, chosen = hall.player(0), hall.candidate_ids[0]
    player.start()
    pauses.pause([player.attempt.id], kind="staff", reason="alarm", by=SYSTEM, now=hall.after(minutes=5))
    form = {"id": chosen, "reason": REASON, "seen": seen(desk, "clear", id=chosen)}
    assert desk.post("/centre/slots/clear", **form).status_code == 422
    assert player.attempt.status == "paused"


def test_resume_room_lets_everybody_go_on_with_the_time_they_had(app, hall):
    players = [hall.player(0), hall.player(1)]
    for player in players:
        player.start()
    pauses.pause(
        [player.attempt.id for player in players], kind="outage", reason="away", by=SYSTEM, now=hall.after(minutes=30)
    )
    left = [player.attempt.remaining_ms for player in players]
    back_at = hall.after(minutes=40)
    clock.freeze(back_at)
    invigilator, room = Desk(app, "invigilator"), {"all": "1", "slot": "paused"}
    answer = invigilator.post("/centre/slots/resume", follow=True, **room, seen=seen(invigilator, "resume", **room))
    assert "2 tests go on, with the time they had." in plain(answer)
    for player, ms in zip(players, left, strict=True):
        db.session.rollback()
        attempt = player.attempt
        assert attempt.status == "in_progress"
        assert (attempt.deadline_at - back_at).total_seconds() * 1000 == ms


def test_resuming_nobody_is_said_and_does_nothing(hall, desk):
    chosen = hall.candidate_ids[0]
    assert "1 is not paused" in desk.text(f"/centre/slots/resume?id={chosen}")


@pytest.mark.parametrize("action", ACTIONS)
def test_nobody_chosen_is_a_form_error(desk, action):
    assert "Nobody is selected." in desk.text(f"/centre/slots/{action}", status=422)
    empty = seen(desk, action)
    assert desk.post(f"/centre/slots/{action}", seen=empty, reason=REASON).status_code == 422


@pytest.mark.parametrize("action", ACTIONS)
def test_S4_a_candidate_of_elsewhere_is_not_there(app, hall, action):
    other = Desk(app, "centre2")
    ids = [hall.candidate_ids[0], hall.stranger["candidate"], uuid4(), "nonsense"]
    before = row_counts()
    for chosen in ids:
        assert other.get(f"/centre/slots/{action}?id={chosen}").status_code == 404
        assert other.post(f"/centre/slots/{action}", id=chosen, reason=REASON, seen="x").status_code == 404
    assert row_counts() == before


def test_one_foreign_id_among_own_ones_stops_everything(hall, desk):
    chosen = [hall.candidate_ids[0], hall.stranger["candidate"]]
    assert desk.post("/centre/slots/reset", id=chosen, reason=REASON, seen="x").status_code == 404
    assert state(hall.player(0)) == "available"


def test_all_that_match_never_reaches_another_centre(app, hall):
    other = Desk(app, "centre2")
    assert other.get("/centre/slots/reset?all=1&centre=C01").status_code == 404
    assert "Nobody is selected." in other.text("/centre/slots/reset?all=1", status=422)


def test_too_many_ids_are_refused(desk):
    assert desk.get("/centre/slots/reset", query_string={"id": [uuid4()] * 1001}).status_code == 422


@pytest.mark.parametrize("action", ["assign", "reassign", "clear", "reset"])
def test_an_invigilator_may_not(app, hall, action):
    invigilator = Desk(app, "invigilator")
    chosen = hall.candidate_ids[0]
    assert invigilator.get(f"/centre/slots/{action}?id={chosen}").status_code == 403
    assert invigilator.post(f"/centre/slots/{action}", id=chosen, reason=REASON, seen="x").status_code == 403
    assert f"/centre/slots/{action}" not in invigilator.get("/centre/").get_data(as_text=True)


@pytest.mark.parametrize("action", ACTIONS)
def test_an_auditor_sees_everything_and_may_do_nothing(app, hall, action):
    auditor = Desk(app, "auditor")
    page = auditor.get("/centre/").get_data(as_text=True)
    assert "N001" in page
    assert f"/centre/slots/{action}" not in page
    assert auditor.post(f"/centre/slots/{action}", all="1", reason=REASON, seen="x").status_code == 403


def test_without_the_token_nothing_is_done(hall, desk):
    answer = desk.post("/centre/slots/reset", id=hall.candidate_ids[0], reason=REASON, seen="x", csrf_token="wrong")
    assert answer.status_code == 400
    assert state(hall.player(0)) == "available"


def test_with_htmx_the_preview_is_a_dialog_and_the_deed_leads_to_the_list(hall, desk):
    chosen = hall.candidate_ids[0]
    dialog = desk.fragment(f"/centre/slots/reset?id={chosen}&q=N001").get_data(as_text=True)
    assert dialog.lstrip().startswith("<dialog")
    form = {"id": chosen, "q": "N001", "reason": REASON, "seen": hidden(dialog, "seen")}
    wrong = desk.post("/centre/slots/reset", htmx=True, **form | {"reason": ""})
    assert (wrong.status_code, wrong.get_data(as_text=True).lstrip()[:7]) == (422, "<dialog")
    done = desk.post("/centre/slots/reset", htmx=True, **form)
    assert done.headers["HX-Redirect"] == "/centre/?q=N001"
    assert db.session.query(Attempt).count() == 0
