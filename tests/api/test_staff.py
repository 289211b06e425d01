"""What staff do to an attempt over HTTP: who may, in which centre, in which state; and calls that are repeated."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select, update

from kiosk import clock
from kiosk.extensions import db
from kiosk.models import AuditEvent, IdempotencyKey, Pause, TimeGrant, User
from kiosk.services import attempts, idempotency
from kiosk.services.idempotency import InProgress, Repeatable
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


# --- repeated calls -----------------------------------------------------------------------------


def keyed(who, attempt_id, call, key, body=...):
    return act(who, attempt_id, call, body, headers={"Idempotency-Key": key})


def test_a_repeated_call_has_one_effect_and_the_first_answer(hall, centre, attempt_id):
    first = keyed(centre, attempt_id, "extend", "k1")
    clock.freeze(hall.after(minutes=10))
    again = keyed(centre, attempt_id, "extend", "k1")
    assert (again.status_code, again.json) == (first.status_code, first.json)
    assert (count(TimeGrant), row_of(attempt_id).deadline_at) == (1, hall.after(hours=3, minutes=5))
    assert keyed(centre, attempt_id, "extend", "k2").json["remaining_seconds"] == 10_800
    assert act(centre, attempt_id, "extend").status_code == 200
    assert count(TimeGrant) == 3


def test_a_key_with_another_body_is_refused_and_nothing_is_done(centre, attempt_id):
    keyed(centre, attempt_id, "extend", "k1")
    refused(keyed(centre, attempt_id, "extend", "k1", REASON | {"seconds": 301}), 422, "key_reused")
    assert count(TimeGrant) == 1


def test_keys_of_others_and_of_other_calls_are_independent(app, centre, attempt_id):
    keyed(centre, attempt_id, "extend", "k1")
    assert keyed(Program(app, "admin"), attempt_id, "extend", "k1").json["remaining_seconds"] == 11_400
    assert keyed(centre, attempt_id, "pause", "k1").json["status"] == "paused"
    assert count(TimeGrant) == 2


@pytest.mark.parametrize(("length", "status"), [(200, 200), (201, 422), (1024, 422)])
def test_a_key_has_at_most_200_characters(centre, attempt_id, length, status):
    answer = keyed(centre, attempt_id, "extend", "k" * length)
    assert answer.status_code == status
    if status == 422:
        refused(answer, 422, "key_too_long")
        assert count(TimeGrant) == 0


def test_a_refusal_is_not_kept(hall, centre, attempt_id):
    refused(keyed(centre, attempt_id, "unpause", "k1", None), 409, "transition_refused")
    refused(keyed(centre, attempt_id, "pause", "k2", {"reason": " "}), 400, "reason_missing")
    assert count(IdempotencyKey) == 0
    act(centre, attempt_id, "pause")
    refused(keyed(centre, attempt_id, "pause", "k3"), 409, "attempt_not_running")
    assert count(IdempotencyKey) == 0
    assert keyed(centre, attempt_id, "unpause", "k1", None).json["status"] == "in_progress"


def test_a_key_is_forgotten_after_a_day(app, hall, centre, attempt_id):
    keyed(centre, attempt_id, "pause", "k1")
    clock.freeze(hall.after(hours=24))
    later = Program(app, "centre")
    problem = refused(keyed(later, attempt_id, "pause", "k1"), 409, "attempt_not_running")
    assert problem["attempt_status"] == "paused"


def test_a_call_that_is_still_working_is_told_so_and_an_abandoned_one_taken_over(hall, centre, attempt_id):
    user_id = db.session.execute(select(User.id).where(User.login == "centre")).scalar_one()
    called = Repeatable(
        user_id, "k1", f"POST /api/test-attempts/{attempt_id}/extend", {"seconds": "300", "reason": "a nose bleeds"}
    )
    assert idempotency._claim(called, hall.MORNING) is None, "a process died here"
    clock.freeze(hall.after(seconds=59))
    refused(keyed(centre, attempt_id, "extend", "k1"), 409, "in_progress")
    refused(keyed(centre, attempt_id, "extend", "k1", REASON | {"seconds": 5}), 422, "key_reused")
    clock.freeze(hall.after(seconds=60))
    assert keyed(centre, attempt_id, "extend", "k1").status_code == 200
    # what the dead one might still have tried is rolled back with its effect
    before = count(AuditEvent)
    with pytest.raises(InProgress):
        idempotency.once(
            Repeatable(user_id, "k1", called.call + "/other", called.body),
            lambda: steal_and_extend(user_id, called.call + "/other", hall, attempt_id),
            lambda _: ({}, 200),
            now=hall.after(seconds=61),
        )
    assert (count(TimeGrant), count(AuditEvent)) == (1, before)


def steal_and_extend(user_id, call, hall, attempt_id):
    """Another process takes the claim over before this one commits its effect."""
    from kiosk.extensions import transaction
    from kiosk.services import grants

    keep = db.session.info.pop("at_commit")
    with transaction():
        db.session.execute(
            update(IdempotencyKey).where(IdempotencyKey.call == call).values(made_at=hall.after(seconds=62))
        )
    db.session.info["at_commit"] = keep
    grants.extend(row_of(attempt_id).id, 300, reason="late", is_short=False, by=hall.admin, now=hall.after(seconds=61))


def test_of_many_repetitions_at_once_one_has_its_effect(centre, attempt_id):
    barrier, answers = threading.Barrier(10), []

    def work():
        barrier.wait()
        answers.append(keyed(centre, attempt_id, "extend", "k1"))

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [answer for answer in answers if answer.status_code == 200]
    assert done
    assert {answer.get_data() for answer in done} == {done[0].get_data()}
    for answer in answers:
        if answer.status_code != 200:
            refused(answer, 409, "in_progress")
    assert count(TimeGrant) == 1


def test_a_repeated_preparation_gives_the_first_answer(hall, program):
    body = {"paper_id": str(hall.paper_id)}
    first, again = (program.post("/api/test-attempts", body, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    other = {"paper_id": str(hall.secondary_id)}
    refused(program.post("/api/test-attempts", other, headers={"Idempotency-Key": "k"}), 422, "key_reused")
    known = program.post("/api/test-attempts", body, headers={"Idempotency-Key": "k2"})
    assert known.status_code == 200
    assert count(IdempotencyKey) == 2


def test_a_start_ignores_the_key(hall, program):
    headers = {"Idempotency-Key": "k" * 500}
    answers = [program.post(f"/api/exam/timer/start/{hall.paper_id}/", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    attempts.submit(row_of(answers[0].json["attempt_id"]).id, by=hall.admin, now=hall.MORNING)
    assert count(IdempotencyKey) == 0
