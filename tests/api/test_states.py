"""The table by state of 4-interfaces.md: what each call answers in each state of an attempt."""

from __future__ import annotations

import pytest

from kiosk import clock
from kiosk.services import attempts, cancelling
from tests.api.program import Program, refused, row_of

FULL = 3 * 3600


@pytest.fixture
def program(app, hall):
    return Program(app, "N001")


def in_state(state, hall, program):
    """An attempt of N001 in a state, and one of its single-choice questions."""
    if state == "initiated":
        attempt_id = program.post("/api/test-attempts", {"paper_id": str(hall.paper_id)}).json["attempt_id"]
        return attempt_id, question_of(attempt_id)
    attempt_id = program.began()
    clock.freeze(hall.after(minutes=30))
    admin = hall.admin
    if state == "paused":
        cancelling.pause(row_of(attempt_id).id, reason="fire drill", by=admin, now=hall.after(minutes=30))
    elif state == "cancelled":
        cancelling.cancel(row_of(attempt_id).id, reason="wrong paper", by=admin, now=hall.after(minutes=30))
    elif state == "submitted":
        attempts.submit(row_of(attempt_id).id, by=admin, now=hall.after(minutes=30))
    elif state == "over":
        clock.freeze(hall.after(hours=4))
    elif state == "expired":
        clock.freeze(hall.after(hours=4))
        attempts.submit(row_of(attempt_id).id, by=admin, now=hall.after(hours=4))
    return attempt_id, question_of(attempt_id)


def question_of(attempt_id):
    """A single-choice question: the first of every paper is one."""
    from sqlalchemy import select

    from kiosk.extensions import db
    from kiosk.models import Answer

    return str(
        db.session.execute(
            select(Answer.question_id).where(Answer.attempt_id == row_of(attempt_id).id, Answer.number == 1)
        ).scalar_one()
    )


@pytest.mark.parametrize(
    ("state", "status", "seconds", "has_deadline"),
    [
        ("initiated", "initiated", FULL, False),
        ("running", "in_progress", FULL - 1800, True),
        ("paused", "paused", FULL - 1800, False),
        ("submitted", "submitted", 0, True),
        ("expired", "expired", 0, True),
        ("over", "expired", 0, True),
        ("cancelled", "cancelled", 0, True),
    ],
)
def test_the_time_left_is_told_in_every_state(hall, program, state, status, seconds, has_deadline):
    attempt_id, _ = in_state(state, hall, program)
    body = program.remaining(attempt_id).json
    assert (body["attempt_id"], body["remaining_seconds"]) == (attempt_id, seconds)
    assert body["status"] in (status, "completed" if status in ("submitted", "expired") and state != "over" else status)
    assert (body["deadline_at"] is not None) == has_deadline
    beat = program.put(f"/api/test-attempts/{attempt_id}/heartbeat")
    assert (beat.status_code, beat.data) == (204, b"")
    assert beat.headers["X-Remaining-Seconds"] == str(seconds)
    assert beat.headers["X-Attempt-Status"] == body["status"]
    status_call = program.get(f"/api/test-attempts/{attempt_id}/status").json
    assert {name: status_call[name] for name in body} == body


@pytest.mark.parametrize(
    ("state", "code", "status"),
    [
        ("initiated", 409, "initiated"),
        ("paused", 409, "paused"),
        ("submitted", 409, "submitted"),
        ("cancelled", 409, "cancelled"),
        ("expired", 410, None),
        ("over", 410, None),
    ],
)
def test_saves_questions_and_progress_are_refused_where_the_clock_does_not_run(hall, program, state, code, status):
    attempt_id, question_id = in_state(state, hall, program)
    for answer in (
        program.save(attempt_id, question_id, "A"),
        program.questions(attempt_id),
        program.put(f"/api/test-attempts/{attempt_id}/progress", {"current_question_index": 1}),
    ):
        problem = refused(answer, code, "time_over" if code == 410 else "attempt_not_running")
        if status:
            assert problem["attempt_status"] in (status, "completed" if status == "submitted" else status)
        assert problem.get("reason") == ("staff" if state == "cancelled" else None)
    assert row_of(attempt_id).version <= 4


@pytest.mark.parametrize("call", ["submit", "complete"])
@pytest.mark.parametrize("state", ["initiated", "paused", "cancelled"])
def test_what_does_not_run_cannot_be_handed_in(hall, program, state, call):
    attempt_id, _ = in_state(state, hall, program)
    answer = (
        program.submit(attempt_id) if call == "submit" else program.post(f"/api/test-attempts/{attempt_id}/complete")
    )
    problem = refused(answer, 409, "attempt_not_running")
    assert problem["attempt_status"] == state


@pytest.mark.parametrize(("state", "status"), [("submitted", "submitted"), ("expired", "expired"), ("over", "expired")])
def test_a_hand_in_of_what_has_ended_gives_the_first_receipt(hall, program, state, status):
    attempt_id, _ = in_state(state, hall, program)
    body = program.submit(attempt_id).json
    assert (body["status"], body["receipt"]) == (status, row_of(attempt_id).receipt)
    assert program.post(f"/api/test-attempts/{attempt_id}/complete").json == body


@pytest.mark.parametrize(("state", "status"), [("submitted", "submitted"), ("expired", "expired")])
def test_the_marking_changes_nothing_of_a_receipt(hall, program, state, status):
    attempt_id, question_id = in_state(state, hall, program)
    body = program.submit(attempt_id).json
    row = row_of(attempt_id)
    from kiosk.extensions import transaction
    from kiosk.services import _transitions
    from kiosk.states import AttemptAction

    if row.status != "completed":
        with transaction():
            _transitions.move_attempts([row.id], AttemptAction.COMPLETE, by=hall.admin, now=hall.after(hours=5))
    assert row_of(attempt_id).status == "completed"
    assert program.submit(attempt_id).json == body
    assert body["status"] == status
    refused(
        program.save(attempt_id, question_id, "A"),
        410 if state == "expired" else 409,
        "time_over" if state == "expired" else "attempt_not_running",
    )


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [
        ("initiated", 201, None),
        ("running", 200, None),
        ("paused", 409, "attempt_not_running"),
        ("submitted", 409, "slot_consumed"),
        ("expired", 409, "slot_consumed"),
        ("over", 409, "slot_consumed"),
        ("cancelled", 201, None),
    ],
)
def test_a_start_in_every_state(hall, program, state, status, code):
    attempt_id, _ = in_state(state, hall, program)
    answer = program.start()
    assert answer.status_code == status
    if code:
        refused(answer, status, code)
    else:
        # a cancelled one has released its slot: that start is a new attempt
        assert (answer.json["attempt_id"] == attempt_id) == (state != "cancelled")


@pytest.mark.parametrize(
    ("state", "can"),
    [
        ("initiated", False),
        ("running", True),
        ("paused", False),
        ("submitted", False),
        ("expired", False),
        ("over", False),
    ],
)
def test_the_recovery_call_says_whether_the_attempt_goes_on(hall, program, state, can):
    attempt_id, _ = in_state(state, hall, program)
    body = program.post(f"/api/test-attempts/{attempt_id}/resume").json
    assert body["can_resume"] is can
    assert body["remaining_seconds"] == program.remaining(attempt_id).json["remaining_seconds"]


def test_a_cancelled_attempt_answers_the_recovery_call_with_its_reason(hall, program):
    attempt_id, _ = in_state("cancelled", hall, program)
    problem = refused(program.post(f"/api/test-attempts/{attempt_id}/resume"), 409, "attempt_not_running")
    assert (problem["attempt_status"], problem["reason"]) == ("cancelled", "staff")
