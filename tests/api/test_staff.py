"""What staff do to an attempt over HTTP: who may, in which centre, in which state."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from kiosk import clock
from kiosk.extensions import db
from kiosk.models import Pause, TimeGrant, User
from tests.api.program import Program, refused, row_of

NOBODY = "00000000-0000-7000-8000-000000000000"
REASON = {"reason": "a nose bleeds"}
BODIES = {"pause": REASON, "unpause": None, "cancel": REASON, "extend": REASON | {"seconds": 300}}


@pytest.fixture
def program(app, hall):
    return Program(app, "N001")


@pytest.fixture
def attempt_id(program):
    return program.began()


@pytest.fixture
def centre(app, hall):
    return Program(app, "centre")


def act(who, attempt_id, call, body=..., **more):
    return who.post(f"/api/test-attempts/{attempt_id}/{call}", BODIES[call] if body is ... else body, **more)


def count(model):
    db.session.rollback()
    return db.session.execute(select(func.count()).select_from(model)).scalar_one()


# --- what they do -------------------------------------------------------------------------------


def test_a_pause_keeps_the_time_and_an_unpause_gives_it_back(hall, program, centre, attempt_id):
    clock.freeze(hall.after(minutes=30))
    paused = act(centre, attempt_id, "pause")
    assert paused.status_code == 200
    assert paused.json == {
        "attempt_id": attempt_id,
        "status": "paused",
        "remaining_seconds": 9000,
        "deadline_at": None,
    }
    clock.freeze(hall.after(minutes=59))
    assert act(centre, attempt_id, "unpause", {}).json == {
        "attempt_id": attempt_id,
        "status": "in_progress",
        "remaining_seconds": 9000,
        "deadline_at": "2026-11-21T07:59:00.000Z",
    }
    assert program.remaining(attempt_id).json["remaining_seconds"] == 9000
    pause = db.session.execute(select(Pause)).scalar_one()
    assert (pause.paused_by, pause.reason, pause.resumed_by) == ("Centre", "a nose bleeds", "Centre")


def test_a_cancelled_attempt_keeps_its_answers_and_frees_the_slot(hall, program, centre, attempt_id):
    question_id = program.of_type(attempt_id, "single")
    program.save(attempt_id, question_id, "A")
    body = act(centre, attempt_id, "cancel").json
    assert (body["status"], body["remaining_seconds"]) == ("cancelled", 0)
    row = row_of(attempt_id)
    assert (row.cancel_reason, row.reason_text) == ("staff", "a nose bleeds")
    assert program.get("/api/exam/").json["items"][0]["slot_status"] == "available"
    assert program.start().json["attempt_id"] != attempt_id


def test_a_prepared_attempt_can_be_cancelled(hall, program, centre):
    attempt_id = program.post("/api/test-attempts", {"paper_id": str(hall.paper_id)}).json["attempt_id"]
    assert act(centre, attempt_id, "cancel").json["status"] == "cancelled"
    assert program.get("/api/exam/").json["items"][0]["slot_status"] == "available"


def test_a_grant_moves_the_deadline_of_a_running_attempt(hall, program, centre, attempt_id):
    body = act(centre, attempt_id, "extend").json
    assert (body["remaining_seconds"], body["deadline_at"]) == (11_100, "2026-11-21T07:35:00.000Z")
    assert program.remaining(attempt_id).json["remaining_seconds"] == 11_100
    grant = db.session.execute(select(TimeGrant)).scalar_one()
    assert (grant.seconds, grant.reason, grant.granted_by) == (300, "a nose bleeds", "Centre")
    assert ("extend", "in_progress", "in_progress") in hall.audit(row_of(attempt_id).id)


def test_a_grant_adds_to_what_a_paused_attempt_has_left(hall, program, centre, attempt_id):
    act(centre, attempt_id, "pause")
    body = act(centre, attempt_id, "extend").json
    assert (body["status"], body["remaining_seconds"], body["deadline_at"]) == ("paused", 11_100, None)
    assert act(centre, attempt_id, "unpause").json["remaining_seconds"] == 11_100


def test_time_granted_in_the_grace_counts_from_the_deadline(hall, program, app, attempt_id):
    clock.freeze(hall.after(hours=3, seconds=1))
    centre = Program(app, "centre")
    assert act(centre, attempt_id, "extend").json["remaining_seconds"] == 299


def test_a_grant_reaches_a_page_whose_key_is_lost(program, centre, attempt_id, redis_server):
    redis_server.stop()
    assert act(centre, attempt_id, "extend").json["remaining_seconds"] == 11_100
    redis_server.start()
    assert program.remaining(attempt_id).json["remaining_seconds"] == 11_100


def test_an_invigilator_grants_ten_minutes_in_total_and_a_centre_admin_more(app, centre, attempt_id):
    invigilator = Program(app, "invigilator")
    assert act(invigilator, attempt_id, "extend", REASON | {"seconds": 400}).status_code == 200
    assert act(centre, attempt_id, "extend", REASON | {"seconds": 3600}).status_code == 200
    refused(act(invigilator, attempt_id, "extend", REASON | {"seconds": 201}), 403, "grant_too_long")
    assert act(invigilator, attempt_id, "extend", REASON | {"seconds": 200}).json["remaining_seconds"] == 15_000
    refused(act(invigilator, attempt_id, "extend", REASON | {"seconds": 1}), 403, "grant_too_long")


# --- who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("login", "allowed"),
    [
        ("admin", {"pause", "cancel", "extend", "unpause"}),
        ("centre", {"pause", "cancel", "extend", "unpause"}),
        ("invigilator", {"pause", "extend", "unpause"}),
        ("marks", set()),
        ("auditor", set()),
        ("N001", set()),
        ("N002", set()),
    ],
)
def test_each_role_may_what_its_capabilities_say(app, attempt_id, login, allowed):
    who = Program(app, login)
    done = {call for call in ("pause", "unpause", "extend", "cancel") if act(who, attempt_id, call).status_code == 200}
    assert done == allowed
    for call in set(BODIES) - allowed:
        refused(act(who, attempt_id, call), 403, "not_allowed")


@pytest.mark.parametrize("call", BODIES)
def test_another_centres_and_organisations_attempt_does_not_exist(app, hall, attempt_id, centre, call):
    refused(act(Program(app, "centre2"), attempt_id, call), 404, "not_found")
    refused(act(centre, NOBODY, call), 404, "not_found")
    refused(act(centre, "7", call), 404, "not_found")
    db.session.execute(
        update(User).where(User.login == "auditor").values(organisation_id=hall.stranger["organisation"], role="admin")
    )
    db.session.commit()
    refused(act(Program(app, "auditor"), attempt_id, call), 404, "not_found")
    db.session.execute(update(User).where(User.login == "invigilator").values(centre_id=None, role="centre_admin"))
    db.session.commit()
    refused(act(Program(app, "invigilator"), attempt_id, call), 404, "not_found")
    assert row_of(attempt_id).status == "in_progress"


@pytest.mark.parametrize("change", [{"deactivated_at": "now"}, {"session_epoch": 5}])
def test_a_user_whose_sign_ins_were_ended_is_out_at_the_next_call(hall, centre, attempt_id, change):
    values = {name: hall.MORNING if value == "now" else value for name, value in change.items()}
    db.session.execute(update(User).where(User.login == "centre").values(**values))
    db.session.commit()
    refused(act(centre, attempt_id, "pause"), 401, "signed_out")


def test_a_password_that_others_know_is_changed_before_anything_else(centre, attempt_id):
    db.session.execute(update(User).where(User.login == "centre").values(must_change_password=True))
    db.session.commit()
    refused(act(centre, attempt_id, "pause"), 403, "password_change_needed")


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["pause", "cancel", "extend"])
@pytest.mark.parametrize(
    ("reason", "code"),
    [(..., "bad_input"), ("", "reason_missing"), ("   ", "reason_missing"), (5, "bad_input"), (None, "bad_input"),
     ("x" * 501, "bad_input"), ("a\0b", "bad_input"), ("\ud800", "bad_input")],
)  # fmt: skip
def test_without_a_good_reason_nothing_is_done(centre, attempt_id, call, reason, code):
    body = {name: value for name, value in (BODIES[call] | {"reason": reason}).items() if value is not ...}
    refused(act(centre, attempt_id, call, body), 400, code)
    assert row_of(attempt_id).version == 1


@pytest.mark.parametrize("seconds", [..., 0, -5, 86_401, 2**63, 1.5, "300", True, None, [], {}])
def test_a_grant_is_a_positive_whole_number(centre, attempt_id, seconds):
    body = {name: value for name, value in (REASON | {"seconds": seconds}).items() if value is not ...}
    refused(act(centre, attempt_id, "extend", body), 400, "bad_input")
    assert count(TimeGrant) == 0


def test_what_has_ended_is_neither_paused_nor_extended_nor_cancelled(hall, program, centre, attempt_id):
    program.submit(attempt_id)
    for call in BODIES:
        refused(act(centre, attempt_id, call), 409, "attempt_not_running")


def test_what_is_over_is_over_for_staff_too(hall, app, attempt_id):
    clock.freeze(hall.after(hours=3, seconds=3))
    centre = Program(app, "centre")
    for call in BODIES:
        assert refused(act(centre, attempt_id, call), 409, "attempt_not_running")["attempt_status"] == "expired"


def test_between_deadline_and_grace_nothing_is_left_to_pause(hall, app, attempt_id):
    clock.freeze(hall.after(hours=3, seconds=1))
    centre = Program(app, "centre")
    refused(act(centre, attempt_id, "pause"), 410, "time_over")


def test_what_runs_is_not_unpaused_and_what_is_paused_not_paused_again(centre, attempt_id):
    refused(act(centre, attempt_id, "unpause"), 409, "transition_refused")
    act(centre, attempt_id, "pause")
    assert refused(act(centre, attempt_id, "pause"), 409, "attempt_not_running")["attempt_status"] == "paused"
