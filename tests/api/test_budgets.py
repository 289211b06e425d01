"""The hot calls have budgets: statements and round trips, counted over HTTP, the check of the token apart."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from kiosk.extensions import db, transaction
from kiosk.models import Candidate
from tests.api.program import Program
from tests.counting import counting

SIGN_IN_CHECK = 1  # one statement by primary key: does this sign-in still hold?


@pytest.fixture
def program(app, hall):
    return Program(app, "N001")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/exam/timer/remaining/{}/"), ("PUT", "/api/test-attempts/{}/heartbeat")],
)
def test_a_poll_costs_no_statement_and_one_round_trip(program, method, path):
    attempt_id = program.began()
    with counting() as counted:
        answer = program.call(method, path.format(attempt_id))
    assert answer.status_code in (200, 204)
    assert (counted.statements, counted.commits, counted.round_trips) == (0, 0, 1), counted.texts


def test_a_save_costs_two_statements_and_one_commit(program):
    attempt_id = program.began()
    question_id = program.of_type(attempt_id, "single")
    for letter in "AB":
        with counting() as counted:
            assert program.save(attempt_id, question_id, letter).json["saved"]
    assert counted.statements <= 2, counted.texts
    assert (counted.commits, counted.round_trips) == (1, 0)


def test_a_save_asks_by_the_way_whether_the_sign_in_still_holds(program, hall):
    attempt_id = program.began()
    question_id = program.of_type(attempt_id, "single")
    with hall.app.app_context(), transaction():
        db.session.execute(update(Candidate).values(session_epoch=Candidate.session_epoch + 1))
    assert program.save(attempt_id, question_id, "A").status_code == 401
    assert all(response is None for *_, response in hall.player().paper())


def test_the_questions_cost_two_statements(program):
    attempt_id = program.began()
    program.questions(attempt_id)
    with counting() as counted:
        program.questions(attempt_id)
    assert counted.statements <= 2 + SIGN_IN_CHECK, counted.texts
