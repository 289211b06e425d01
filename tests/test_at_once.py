"""The same thing at the same moment from twenty sides: one effect, and an answer for everybody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from kiosk.errors import KioskError
from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt, AuditEvent, Candidate, Result, Slot
from kiosk.services import reports, sets, slots
from tests.cast import Hall

MANY = 20


def at_once(app: Flask, *works: Callable[[], Any]) -> list[Any]:
    """Run each in a thread of its own, all begun together; return what they returned or the refusal they met."""
    barrier = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)

    def run(place: int, work: Callable[[], Any]) -> None:
        with app.app_context():
            barrier.wait()
            try:
                results[place] = work()
            except KioskError as refusal:
                results[place] = refusal
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def count(query: Any) -> int:
    """How many rows there are."""
    db.session.rollback()
    return db.session.execute(select(func.count()).select_from(query)).scalar_one()


def test_I5_twenty_starts_at_the_same_moment_make_one_attempt(app: Flask, hall: Hall) -> None:
    player = hall.player()
    started = at_once(app, *[player.start] * MANY)
    assert len({one.attempt_id for one in started}) == 1
    assert sum(one.is_new for one in started) == 1
    assert count(Attempt) == 1
    assert player.slot.status == "attempting"
    assert reports.clock(started[0].attempt_id, lease=player.lease, now=hall.MORNING).is_running


def test_K5_twenty_submits_at_the_same_moment_make_one_result_and_one_receipt(app: Flask, hall: Hall) -> None:
    player = hall.player()
    attempt_id = player.start().attempt_id
    player.save(1, "A")

    def submit() -> str:
        player.submit()
        return reports.receipt(attempt_id, candidate_id=player.id).code

    assert len(set(at_once(app, *[submit] * MANY))) == 1
    assert count(Result) == 1
    consumed = select(AuditEvent).where(AuditEvent.action == "consume_exam_slot").subquery()
    assert count(consumed) == 1


def test_S2_a_submit_and_a_reset_have_one_winner(app: Flask, hall: Hall) -> None:
    for place in range(4):
        player = hall.player(place)
        player.start()
        player_slot = player.slot.id
        attempt_id = player.attempt.id
        at_once(
            app,
            player.submit,
            lambda player=player: slots.reset([player.id], reason="race", by=hall.admin, now=hall.MORNING),
        )
        db.session.rollback()
        attempt, slot = db.session.get(Attempt, attempt_id), db.session.get(Slot, player_slot)
        assert slot.closed_as == "reset"
        assert (attempt.status, slot.status) in (("cancelled", "attempting"), ("completed", "consumed"))
        db.session.expire_all()


def test_A1_a_start_and_a_switch_never_mix_sets(app: Flask, hall: Hall) -> None:
    for place, label in enumerate("BCBC"):
        player = hall.player(place)
        answers = at_once(app, player.start, lambda label=label: hall.activate(label))
        assert isinstance(answers[1], sets.Switched)
        db.session.rollback()
        attempt = player.attempt
        if attempt.status == "in_progress":
            assert attempt.question_set_id == hall.sets[label]
        else:
            assert (attempt.cancel_reason, player.slot.status) == ("set_switched", "available")


def test_saves_and_a_hand_in_at_once_hand_in_what_was_acknowledged(app: Flask, hall: Hall) -> None:
    from kiosk.services.answers import SavedAnswer

    player = hall.player()
    player.start()
    results = at_once(app, *[lambda n=number: player.save(n, "B") for number in (1, 2, 3)], player.submit)
    acknowledged = sum(isinstance(one, SavedAnswer) for one in results)
    assert reports.receipt(player.attempt.id, candidate_id=player.id).answered == acknowledged


def test_two_double_clicks_on_assign_make_one_slot(app: Flask, hall: Hall) -> None:
    slots.reset(hall.candidate_ids, reason="anew", by=hall.admin, now=hall.MORNING)
    at_once(app, *[lambda: slots.assign(hall.candidate_ids, by=hall.admin, now=hall.MORNING)] * 4)
    current = select(Slot).where(Slot.closed_at.is_(None)).subquery()
    assert count(current) == hall.CANDIDATES


def test_D4_of_two_that_lock_each_other_out_both_get_through(app: Flask, hall: Hall) -> None:
    first, second = hall.candidate_ids[:2]
    calls: list[UUID] = []

    @retried
    def touch(one: UUID, other: UUID) -> str:
        calls.append(one)
        with transaction():
            for candidate_id in (one, other):
                db.session.execute(update(Candidate).where(Candidate.id == candidate_id).values(rank="Naik"))
                time.sleep(0.05)
        return "done"

    results = at_once(app, lambda: touch(first, second), lambda: touch(second, first))
    assert results == ["done", "done"]
    assert len(calls) == (3 if db.engine.dialect.name == "postgresql" else 2), "SQLite queues its writers"


def test_what_the_database_refuses_for_good_is_not_tried_again(hall: Hall) -> None:
    calls = []

    @retried
    def insert_twice() -> None:
        calls.append(1)
        with transaction():
            db.session.execute(update(Candidate).values(login="the same"))

    with pytest.raises(IntegrityError):
        insert_twice()
    assert len(calls) == 1
