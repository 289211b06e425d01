"""Thousands end in the same second: few statements for each batch, and with `--long` the seconds."""

from __future__ import annotations

import os
import threading
import time
from datetime import timedelta

import pytest
from flask import Flask

from kiosk.extensions import db
from kiosk.jobs import sweeper
from kiosk.services import expiring, invariants
from tests.cast import Hall
from tests.counting import counting
from tests.faults import crowd

AFTER_THE_GRACE = timedelta(seconds=2, milliseconds=1)


def test_I4_a_batch_costs_the_same_few_statements_however_many_end(hall: Hall) -> None:
    def statements(count: int) -> tuple[int, int]:
        now = crowd.gather(hall, count, questions=3) + AFTER_THE_GRACE
        with counting() as counted:
            assert sweeper.sweep(now=now, reconcile=False) == count
        return counted.statements, counted.commits

    few, many = statements(5), statements(60)
    assert many == few


@pytest.mark.skipif(not os.environ.get("KIOSK_TEST_LONG"), reason="takes a minute: manage.py test --long")
def test_I4_ten_thousand_ending_in_the_same_second_are_closed_at_once_and_marked_within_a_minute(
    app: Flask, hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    now = crowd.gather(hall, 10_000) + AFTER_THE_GRACE
    begun_at, closed_after = time.monotonic(), 0.0

    def watch() -> None:
        nonlocal closed_after
        with app.app_context():
            while expiring.overdue(now=now, most=1):
                db.session.rollback()
                time.sleep(0.2)
            closed_after = time.monotonic() - begun_at

    watcher = threading.Thread(target=watch)
    watcher.start()
    sweeper.sweep(now=now)
    marked_after = time.monotonic() - begun_at
    watcher.join()
    with capsys.disabled():
        # wanted on a machine that has nothing else to do: 5 s and 60 s
        print(f"\n10,000 ended: closed and audited after {closed_after:.1f} s, marked after {marked_after:.1f} s")
    assert crowd.statuses() == {"completed": 10_000}
    assert [one.name for one in invariants.check(now=now) if not one.holds] == []
