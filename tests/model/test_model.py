"""One candidate's exam against a model of it: any calls in any order, and the two agree after each.

Hypothesis chooses the calls; the clock is an argument, so a day of exams takes milliseconds. What happens at the same
moment is not tried here but in `tests/races`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.cast import Hall
from tests.conftest import RedisServer
from tests.model.accidents import Accidents
from tests.model.candidate import Candidate
from tests.model.staff import Staff
from tests.snapshot import Snapshot

PROFILE = settings(
    max_examples=20_000 if os.environ.get("KIOSK_TEST_LONG") else 20,
    stateful_step_count=30,
    deadline=None,
    derandomize=not os.environ.get("KIOSK_TEST_LONG"),
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


class Exam(Candidate, Staff, Accidents):
    """The candidate, the staff, the sweeper and the accidents of an exam hall."""


@pytest.fixture
def machine(app: Flask, hall: Hall, snapshot: Snapshot, redis_server: RedisServer) -> Iterator[Callable[[], Exam]]:
    """Makes machines, each on the database as it was at the beginning."""
    client = redis_server.client()
    yield lambda: Exam(hall, snapshot, client)
    # the check of `hall` looks at the morning
    snapshot.restore()


def test_any_calls_in_any_order_leave_what_the_model_says(machine: Callable[[], Exam]) -> None:
    run_state_machine_as_test(machine, settings=PROFILE)
