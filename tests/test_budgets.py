"""The hot paths have budgets: statements, commits and round trips, counted."""

from __future__ import annotations

from sqlalchemy import select

from kiosk.extensions import db
from kiosk.models import Answer
from kiosk.services import answers, attempts, reports
from tests.cast import Hall
from tests.counting import counting


def test_a_time_poll_costs_no_statement_and_one_round_trip(hall: Hall) -> None:
    player = hall.player()
    attempt_id = player.start().attempt_id
    with counting() as counted:
        assert reports.clock(attempt_id, lease=player.lease, now=hall.MORNING).is_running
    assert (counted.statements, counted.round_trips) == (0, 1)


def test_a_save_costs_one_statement_two_on_sqlite_and_the_commit(hall: Hall) -> None:
    player = hall.player()
    attempt_id = player.start().attempt_id
    question_id = player.paper()[0][1]
    for letter in "AB":
        with counting() as counted:
            answers.save(
                attempt_id, question_id, letter, seq=None, lease=player.lease, by=player.actor, now=hall.MORNING
            )
    assert counted.statements <= (2 if db.engine.dialect.name == "sqlite" else 1), counted.texts
    assert (counted.commits, counted.round_trips) == (1, 0)


def test_a_question_swap_costs_one_statement(hall: Hall) -> None:
    player = hall.player()
    attempt_id = player.start().attempt_id
    with counting() as counted:
        answers.go(
            attempt_id, lease=player.lease, by=player.actor, now=hall.MORNING, to_number=2, left_number=1, marked=True
        )
    assert counted.statements == 1
    assert counted.round_trips == 0


def test_a_start_costs_at_most_eight_statements_and_one_round_trip(hall: Hall) -> None:
    hall.player(0).start()
    player = hall.player(1)
    with counting() as counted:
        player.start()
    assert counted.statements <= 8, counted.texts
    assert counted.round_trips == 1


def test_a_hand_in_costs_at_most_nine_statements_and_one_round_trip_with_the_marking(hall: Hall) -> None:
    player = hall.player()
    attempt_id = player.start().attempt_id
    with counting() as counted:
        attempts.submit(attempt_id, by=player.actor, now=hall.MORNING)
    assert counted.statements <= 9, counted.texts
    assert counted.round_trips == 1
    assert len(db.session.execute(select(Answer.marks)).all()) == 10
