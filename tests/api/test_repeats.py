"""Calls with an Idempotency-Key: one effect, and every repetition gets the first answer."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, update

from kiosk import clock
from kiosk.extensions import db
from kiosk.models import AuditEvent, IdempotencyKey, TimeGrant, User
from kiosk.services import attempts, idempotency
from kiosk.services.idempotency import InProgress, Repeatable
from tests.api.program import Program, refused, row_of
from tests.api.test_staff import REASON, act, count


@pytest.fixture
def program(app, hall):
    return Program(app, "N001")


@pytest.fixture
def attempt_id(program):
    return program.began()


@pytest.fixture
def centre(app, hall):
    return Program(app, "centre")


def keyed(who, attempt_id, call, key, body=...):
    return act(who, attempt_id, call, body, headers={"Idempotency-Key": key})


def test_I7_a_repeated_call_has_one_effect_and_the_first_answer(hall, centre, attempt_id):
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
    from kiosk.extensions import last_of_all, transaction
    from kiosk.services import grants

    with last_of_all(None), transaction():
        db.session.execute(
            update(IdempotencyKey).where(IdempotencyKey.call == call).values(made_at=hall.after(seconds=62))
        )
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
