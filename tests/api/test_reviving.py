"""Restore and reopen over HTTP: who may, what is answered, and what is refused."""

from __future__ import annotations

import pytest

from kiosk import clock
from kiosk.jobs import sweeper
from tests.api.program import Program, refused, row_of

REASON = {"reason": "the wrong one was stopped"}
MORE = REASON | {"seconds": 600}


@pytest.fixture
def program(app, hall):
    return Program(app, "N001")


@pytest.fixture
def attempt_id(program):
    return program.began()


@pytest.fixture
def cancelled(app, hall, attempt_id):
    clock.freeze(hall.after(minutes=30))
    assert act(Program(app, "centre"), attempt_id, "cancel", REASON).status_code == 200
    return attempt_id


@pytest.fixture
def expired(hall, attempt_id):
    clock.freeze(hall.after(hours=3, minutes=1))
    sweeper.sweep(now=hall.after(hours=3, minutes=1), reconcile=False)
    return attempt_id


def act(who, attempt_id, call, body=None, **more):
    return who.post(f"/api/test-attempts/{attempt_id}/{call}", body, **more)


def test_a_restored_attempt_is_paused_with_the_time_it_had(hall, app, cancelled):
    clock.freeze(hall.after(minutes=40))
    admin = Program(app, "admin")
    body = act(admin, cancelled, "restore", REASON).json
    assert body == {"attempt_id": cancelled, "status": "paused", "remaining_seconds": 9000, "deadline_at": None}
    assert act(admin, cancelled, "unpause").json["deadline_at"] == "2026-11-21T07:40:00.000Z"


def test_a_reopened_attempt_is_paused_and_can_be_handed_in_again(hall, app, program, expired):
    centre = Program(app, "centre")
    first = program.submit(expired).json["receipt"]
    assert act(centre, expired, "reopen", MORE).json == {
        "attempt_id": expired,
        "status": "paused",
        "remaining_seconds": 600,
        "deadline_at": None,
    }
    assert act(centre, expired, "unpause").json["remaining_seconds"] == 600
    clock.freeze(hall.after(hours=3, minutes=5))
    again = program.submit(expired).json
    assert again["status"] in ("submitted", "completed")
    assert again["receipt"] != first


@pytest.mark.parametrize(
    ("login", "may_restore", "may_reopen"),
    [
        ("admin", True, True),
        ("centre", False, True),
        ("invigilator", False, False),
        ("marks", False, False),
        ("auditor", False, False),
        ("N001", False, False),
    ],
)
def test_only_an_admin_restores_and_only_who_runs_the_centre_reopens(app, attempt_id, login, may_restore, may_reopen):
    who = Program(app, login)
    for call, may, code in (("restore", may_restore, "not_cancelled"), ("reopen", may_reopen, "not_expired")):
        refused(act(who, attempt_id, call, MORE), *((409, code) if may else (403, "not_allowed")))


def test_the_same_key_restores_once_and_answers_twice(app, cancelled):
    admin, headers = Program(app, "admin"), {"Idempotency-Key": "once"}
    first = act(admin, cancelled, "restore", REASON, headers=headers)
    version = row_of(cancelled).version
    assert act(admin, cancelled, "restore", REASON, headers=headers).json == first.json
    assert row_of(cancelled).version == version
    refused(act(admin, cancelled, "restore", REASON), 409, "not_cancelled")


def test_another_centres_attempt_does_not_exist(app, expired):
    refused(act(Program(app, "centre2"), expired, "reopen", MORE), 404, "not_found")


@pytest.mark.parametrize("seconds", [..., 0, -5, 86_401, 1.5, "300", True, None])
def test_the_time_to_go_on_with_is_a_positive_whole_number(app, expired, seconds):
    body = {name: value for name, value in (REASON | {"seconds": seconds}).items() if value is not ...}
    refused(act(Program(app, "centre"), expired, "reopen", body), 400, "bad_input")


@pytest.mark.parametrize("reason", [None, "", "  ", "x" * 501])
def test_without_a_good_reason_nothing_comes_back(app, cancelled, reason):
    answer = act(Program(app, "admin"), cancelled, "restore", {"reason": reason})
    assert answer.status_code == 400
    assert row_of(cancelled).status == "cancelled"
