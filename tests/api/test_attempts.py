"""The attempt life cycle over HTTP: prepare, start, progress, heartbeat, status, recovery."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select, update

from kiosk import clock
from kiosk.extensions import db
from kiosk.models import Activation, Attempt, Candidate, Paper, Shift
from tests.api.program import Program, refused, row_of

NOBODY = "00000000-0000-7000-8000-000000000000"
CREATE = "/api/test-attempts"


@pytest.fixture
def program(app, hall):
    return Program(app, "N001")


@pytest.fixture
def attempt_id(program):
    return program.began()


def create(program, **more):
    return program.post(CREATE, {"paper_id": str(program.hall.paper_id)}, **more)


def path(attempt_id, call):
    return f"{CREATE}/{attempt_id}/{call}"


# --- prepare and start --------------------------------------------------------------------------


def test_a_prepared_attempt_waits_with_its_full_time(hall, program):
    answer = create(program)
    assert answer.status_code == 201
    assert answer.json | {"attempt_id": ""} == {
        "attempt_id": "",
        "paper_id": str(hall.paper_id),
        "status": "initiated",
        "remaining_seconds": 10_800,
        "deadline_at": None,
        "total_questions": 10,
    }
    clock.freeze(hall.after(hours=1))
    again = create(program)
    assert (again.status_code, again.json) == (200, answer.json)
    row = row_of(answer.json["attempt_id"])
    assert (row.question_set_id, row.number, row.started_at) == (hall.sets["A"], 1, None)
    assert program.get("/api/exam/").json["items"][0]["slot_status"] == "available"


def test_a_prepared_attempt_is_started_once_and_keeps_its_paper(hall, program):
    attempt_id = create(program).json["attempt_id"]
    from tests.api.test_states import question_of

    first_question = question_of(attempt_id)
    clock.freeze(hall.after(minutes=10))
    first, again = program.post(path(attempt_id, "start")), program.post(path(attempt_id, "start"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json["deadline_at"] == "2026-11-21T07:40:00.000Z"
    assert (first.json["resumed"], again.json["resumed"]) == (False, True)
    assert program.questions(attempt_id).json["questions"][0]["question_id"] == first_question
    assert program.start().json["attempt_id"] == attempt_id
    assert create(program).json["status"] == "in_progress"
    assert hall.audit(row_of(attempt_id).id)[:2] == [("draw", None, "initiated"), ("start", "initiated", "in_progress")]


def test_of_many_preparations_at_once_one_draws(app, hall, program):
    barrier, answers = threading.Barrier(10), []

    def work():
        barrier.wait()
        answers.append(create(program))

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert db.session.execute(select(func.count()).select_from(Attempt)).scalar_one() == 1


def test_of_many_starts_of_a_prepared_attempt_at_once_one_starts_the_clock(program):
    attempt_id, barrier, answers = create(program).json["attempt_id"], threading.Barrier(10), []

    def work():
        barrier.wait()
        answers.append(program.post(path(attempt_id, "start")))

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]


def test_a_switch_of_sets_draws_a_prepared_attempt_again(hall, program):
    old = create(program).json["attempt_id"]
    hall.activate("B", keep_running=True)
    assert program.remaining(old).json["status"] == "cancelled"
    problem = refused(program.post(path(old, "start")), 409, "attempt_not_running")
    assert problem["reason"] == "set_switched"
    new = create(program)
    assert new.status_code == 201
    assert row_of(new.json["attempt_id"]).question_set_id == hall.sets["B"]
    assert program.post(path(new.json["attempt_id"], "start")).status_code == 201


def test_time_granted_between_preparation_and_start_counts(hall, program):
    attempt_id = create(program).json["attempt_id"]
    db.session.execute(update(Candidate).where(Candidate.id == hall.candidate_ids[0]).values(extra_minutes_per_hour=20))
    db.session.commit()
    assert program.post(path(attempt_id, "start")).json["remaining_seconds"] == 4 * 3600
    assert row_of(attempt_id).allowed_seconds == 4 * 3600


def test_preparing_needs_no_open_shift_and_starting_does(hall, program):
    db.session.execute(update(Shift).values(status="gate"))
    db.session.commit()
    attempt_id = create(program).json["attempt_id"]
    refused(program.post(path(attempt_id, "start")), 403, "shift_not_open")
    assert row_of(attempt_id).status == "initiated"


def test_preparing_is_refused_where_a_start_would_be(hall, program):
    refused(program.post(CREATE, {"paper_id": NOBODY}), 404, "not_found")
    refused(program.post(CREATE, {"paper_id": "x"}), 404, "not_found")
    refused(program.post(CREATE, {"paper_id": str(hall.secondary_id)}), 403, "no_slot")
    db.session.execute(update(Paper).where(Paper.id == hall.paper_id).values(status="draft"))
    db.session.commit()
    refused(create(program), 400, "paper_not_published")
    db.session.execute(update(Paper).where(Paper.id == hall.paper_id).values(status="in_use"))
    db.session.execute(update(Activation).values(ended_at=hall.MORNING))
    db.session.commit()
    refused(create(program), 400, "no_active_set")
    assert db.session.execute(select(func.count()).select_from(Attempt)).scalar_one() == 0


@pytest.mark.parametrize("body", [{}, {"paper_id": 1}, {"paper_id": None}, {"paper_id": ["x"]}])
def test_preparing_of_a_wrong_shape_is_malformed(program, body):
    refused(program.post(CREATE, body), 400, "bad_input")


def test_after_the_hand_in_and_after_the_time_nothing_is_prepared(hall, app, program, attempt_id):
    program.submit(attempt_id)
    refused(create(program), 409, "slot_consumed")
    other = Program(app, "N002")
    over = other.began()
    clock.freeze(hall.after(hours=4))
    refused(create(other), 409, "slot_consumed")
    assert row_of(over).ended_by == "expired"


def test_the_attempt_limit_counts(hall, program, attempt_id):
    program.submit(attempt_id)
    from kiosk.models import Slot
    from kiosk.services import slots

    slots.reassign([hall.candidate_ids[0]], reason="again", by=hall.admin, now=hall.MORNING)
    db.session.execute(update(Slot).values(extra_attempts=0))
    db.session.commit()
    refused(create(program), 409, "attempt_limit")
    refused(program.start(), 409, "attempt_limit")


@pytest.mark.parametrize(
    ("method", "call"),
    [("POST", "start"), ("PUT", "progress"), ("PUT", "heartbeat"), ("GET", "status"), ("POST", "resume"),
     ("POST", "complete")],
)  # fmt: skip
def test_every_call_is_closed_to_others(app, hall, attempt_id, method, call):
    body = {"current_question_index": 0} if call == "progress" else None
    refused(Program(app, "N002").call(method, path(attempt_id, call), body), 403, "not_allowed")
    assert hall.stranger
    refused(Program(app, "X001").call(method, path(attempt_id, call), body), 404, "not_found")
    refused(Program(app, "N002").call(method, path(NOBODY, call), body), 404, "not_found")
    refused(Program(app, "N002").call(method, path("7", call), body), 404, "not_found")
    refused(Program(app, "admin").call(method, path(attempt_id, call), body), 403, "not_allowed")
    refused(Program(app).call(method, path(attempt_id, call), body), 401, "signed_out")


# --- progress -----------------------------------------------------------------------------------


def test_progress_is_derived_from_answers_visits_and_reports(hall, program, attempt_id):
    ids = [question["question_id"] for question in program.questions(attempt_id).json["questions"]]
    program.save(attempt_id, ids[0], "A")
    clock.freeze(hall.after(seconds=10))
    body = {"current_question_index": 3, "time_spent": {ids[0]: 40, ids[3]: 5}, "marked_for_review": [ids[3]]}
    answer = program.put(path(attempt_id, "progress"), body | {"status": "completed", "answered": 10})
    assert answer.status_code == 200
    assert answer.json == {
        "current_question_index": 3,
        "answered": 1,
        "marked_for_review": 1,
        "not_visited": 8,
        "total_questions": 10,
        "percentage": 10.0,
        "time_spent": {ids[0]: 40, ids[3]: 5},
    }
    status = program.get(path(attempt_id, "status")).json
    assert (status["status"], status["progress"]) == ("in_progress", answer.json)
    assert row_of(attempt_id).status == "in_progress"


def test_time_spent_only_grows_and_marks_stay_without_a_list(program, attempt_id):
    ids = [question["question_id"] for question in program.questions(attempt_id).json["questions"]]
    url = path(attempt_id, "progress")
    program.put(url, {"current_question_index": 0, "time_spent": {ids[0]: 40}, "marked_for_review": ids[:2]})
    body = program.put(url, {"current_question_index": 0, "time_spent": {ids[0]: 30, ids[1]: 1}}).json
    assert (body["time_spent"], body["marked_for_review"]) == ({ids[0]: 40, ids[1]: 1}, 2)
    assert program.put(url, {"current_question_index": 0, "marked_for_review": []}).json["marked_for_review"] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"current_question_index": ...}, {"current_question_index": -1}, {"current_question_index": 500},
        {"current_question_index": 2**63}, {"current_question_index": "1"}, {"current_question_index": True},
        {"current_question_index": 1.5}, {"time_spent": []}, {"time_spent": {"q": -1}}, {"time_spent": 5},
        {"marked_for_review": "x"}, {"marked_for_review": [1]}, {"marked_for_review": None},
    ],
)  # fmt: skip
def test_progress_of_a_wrong_shape_is_malformed(program, attempt_id, change):
    body = {"current_question_index": 2} | change
    body = {
        name: ({NOBODY: value["q"]} if value and isinstance(value, dict) else value)
        for name, value in body.items()
        if value is not ...
    }
    refused(program.put(path(attempt_id, "progress"), body), 400, "bad_input")
    assert program.get(path(attempt_id, "status")).json["progress"]["current_question_index"] == 0


@pytest.mark.parametrize(
    "more", [{"time_spent": {NOBODY: 1}}, {"marked_for_review": [NOBODY]}, {"current_question_index": 10}]
)
def test_progress_knows_only_the_attempts_questions(program, attempt_id, more):
    answer = program.put(path(attempt_id, "progress"), {"current_question_index": 2} | more)
    refused(answer, 404, "question_not_in_attempt")


def test_progress_is_the_writers_alone(app, program, attempt_id):
    newer = Program(app, "N001")
    newer.start()
    refused(program.put(path(attempt_id, "progress"), {"current_question_index": 2}), 403, "open_elsewhere")


# --- recovery -----------------------------------------------------------------------------------


def test_after_a_crash_another_token_goes_on_where_it_was(app, hall, program, attempt_id):
    question_id = program.of_type(attempt_id, "single")
    program.save(attempt_id, question_id, "C", seq=4)
    clock.freeze(hall.after(minutes=1))
    program.put(path(attempt_id, "progress"), {"current_question_index": 5})
    clock.freeze(hall.after(minutes=20))
    newer = Program(app, "N001")
    body = newer.post(path(attempt_id, "resume")).json
    assert body["can_resume"] is True
    assert body["current_question_index"] == 5
    assert body["saved_answers"] == {question_id: "C"}
    assert body["saved_seqs"] == {question_id: 4}
    assert body["remaining_seconds"] == 10_800 - 1200
    assert newer.save(attempt_id, question_id, "D", seq=5).json["saved"]
    refused(program.save(attempt_id, question_id, "A", seq=6), 403, "open_elsewhere")


def test_recovery_needs_no_redis(app, program, attempt_id, redis_server):
    redis_server.stop()
    assert Program(app, "N001").post(path(attempt_id, "resume")).json["can_resume"] is True
