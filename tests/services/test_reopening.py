"""Reopen what ran out of time: as long as was granted, a new receipt and a new result; and who is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from kiosk.errors import BadInput
from kiosk.extensions import db, transaction
from kiosk.jobs import sweeper
from kiosk.models import AuditEvent, Result, Shift, TimeGrant
from kiosk.services import reviving
from tests.cast import Hall
from tests.player import Player
from tests.services.ways_back import WHY, nothing_is_broken, reassign, refusal_of, reset, unpause, writer

AFTER_THE_END = {"hours": 3, "minutes": 1}


@pytest.fixture
def player(hall: Hall) -> Player:
    """Somebody who has written for half an hour."""
    return writer(hall)


@pytest.fixture
def late(hall: Hall, player: Player) -> Player:
    """Somebody whose time ran out, marked and with a result."""
    sweeper.sweep(now=hall.after(**AFTER_THE_END), reconcile=False)
    assert player.attempt.status == "completed"
    return player


def reopen(hall: Hall, player: Player, *, at: datetime, seconds: int = 600) -> None:
    reviving.reopen(player.attempt.id, seconds, reason=WHY, by=hall.centre_admin, now=at)


def test_a_reopened_test_has_the_time_that_was_granted_and_its_result_is_withdrawn(hall: Hall, late: Player) -> None:
    paper, receipt = late.paper(), late.attempt.receipt
    reopen(hall, late, at=hall.after(hours=4))
    row = late.attempt
    assert (row.status, row.remaining_ms, row.receipt, row.ended_by, row.marked_at) == ("paused", 600_000, *[None] * 3)
    assert (late.paper(), late.slot.status, late.slot.consumed_at) == (paper, "attempting", None)
    assert nothing_is_broken(hall.after(hours=4))
    details = db.session.execute(select(AuditEvent.details).where(AuditEvent.action == "reopen")).scalar_one()
    assert details["receipt"] == receipt
    grant = db.session.execute(select(TimeGrant)).scalar_one()
    assert (grant.seconds, grant.kind, grant.reason) == (600, "reopen", WHY)


def test_whoever_goes_on_hands_in_again_with_a_new_receipt_and_a_new_version_of_the_result(
    hall: Hall, late: Player
) -> None:
    receipt = late.attempt.receipt
    reopen(hall, late, at=hall.after(hours=4))
    unpause(hall, late, at=hall.after(hours=5))
    assert late.attempt.deadline_at == hall.after(hours=5, minutes=10)
    late.save(1, "B", at=hall.after(hours=5, minutes=5))
    late.submit(at=hall.after(hours=5, minutes=6))
    assert late.attempt.status == "completed"
    assert late.attempt.receipt not in (None, receipt)
    versions = db.session.execute(select(Result.version, Result.superseded_at).order_by(Result.version)).all()
    assert [(row.version, row.superseded_at is None) for row in versions] == [(1, False), (2, True)]
    assert nothing_is_broken(hall.after(hours=5, minutes=6))


def test_a_test_can_run_out_of_time_and_be_reopened_twice(hall: Hall, late: Player) -> None:
    for hours in (4, 5):
        reopen(hall, late, at=hall.after(hours=hours))
        unpause(hall, late, at=hall.after(hours=hours))
        sweeper.sweep(now=hall.after(hours=hours, minutes=11), reconcile=False)
        assert late.attempt.status == "completed"
        assert late.attempt.closed_at == hall.after(hours=hours, minutes=10)
    versions = db.session.execute(select(Result.version).order_by(Result.version)).scalars().all()
    assert versions == [1, 2, 3]
    assert nothing_is_broken(hall.after(hours=5, minutes=11))


def test_what_waits_for_people_can_be_reopened_as_well(hall: Hall, player: Player) -> None:
    player.save(8, "an essay")
    sweeper.sweep(now=hall.after(**AFTER_THE_END), reconcile=False)
    assert player.attempt.status == "expired"
    reopen(hall, player, at=hall.after(hours=4))
    assert player.attempt.status == "paused"
    assert nothing_is_broken(hall.after(hours=4))


def close_shift(hall: Hall) -> None:
    with transaction():
        db.session.execute(update(Shift).where(Shift.id == hall.shift_id).values(status="closed"))


def test_what_cannot_be_reopened_is_refused_in_words(hall: Hall, player: Player) -> None:
    at = hall.after(hours=4)
    assert refusal_of(lambda: reopen(hall, player, at=at)) == "not_expired"
    player.submit()
    assert refusal_of(lambda: reopen(hall, player, at=at)) == "not_expired"


def test_a_closed_shift_keeps_a_test_closed(hall: Hall, late: Player) -> None:
    close_shift(hall)
    assert refusal_of(lambda: reopen(hall, late, at=hall.after(hours=4))) == "shift_closed"


@pytest.mark.parametrize("end", [reset, reassign])
def test_a_slot_that_was_taken_away_is_not_reopened(hall: Hall, late: Player, end: Any) -> None:
    attempt_id = late.attempt.id
    end(hall, late)
    at = hall.after(hours=4)
    assert refusal_of(lambda: reviving.reopen(attempt_id, 60, reason=WHY, by=hall.admin, now=at)) == "slot_taken"


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
def test_time_to_go_on_with_is_bounded(hall: Hall, late: Player, seconds: int) -> None:
    with pytest.raises(BadInput):
        reopen(hall, late, at=hall.after(hours=4), seconds=seconds)


def test_reopening_twice_reopens_once(hall: Hall, late: Player) -> None:
    reopen(hall, late, at=hall.after(hours=4))
    assert refusal_of(lambda: reopen(hall, late, at=hall.after(hours=4))) == "not_expired"
    assert late.attempt.remaining_ms == timedelta(minutes=10) / timedelta(milliseconds=1)
