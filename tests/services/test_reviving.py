"""Restore and reopen: the same paper, the same answers, exactly the time that is due; and everybody who is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from kiosk import timers
from kiosk.errors import BadInput, KioskError, NotFound, ReasonMissing
from kiosk.extensions import db, transaction
from kiosk.ids import uuid7
from kiosk.jobs import sweeper
from kiosk.models import Attempt, AuditEvent, Result, Shift, TimeGrant
from kiosk.services import cancelling, grants, invariants, pauses, reports, reviving, slots
from tests.cast import Hall
from tests.player import Player

WHY = "the wrong one was stopped"
AFTER_THE_END = {"hours": 3, "minutes": 1}


def restore(hall: Hall, player: Player, *, at: datetime, **more: Any) -> None:
    reviving.restore(player.attempt.id, reason=WHY, by=hall.admin, now=at, **more)


def reopen(hall: Hall, player: Player, *, at: datetime, seconds: int = 600) -> None:
    reviving.reopen(player.attempt.id, seconds, reason=WHY, by=hall.centre_admin, now=at)


def unpause(hall: Hall, player: Player, *, at: datetime) -> None:
    assert pauses.unpause([player.attempt.id], by=hall.admin, now=at) == 1


def nothing_is_broken(at: datetime) -> bool:
    db.session.rollback()
    return all(one.holds for one in invariants.check(now=at))


@pytest.fixture
def player(hall: Hall) -> Player:
    """Somebody who has written for half an hour."""
    found = hall.player()
    found.start()
    found.save(1, "A")
    return found


@pytest.fixture
def late(hall: Hall, player: Player) -> Player:
    """Somebody whose time ran out, marked and with a result."""
    sweeper.sweep(now=hall.after(**AFTER_THE_END), reconcile=False)
    assert player.attempt.status == "completed"
    return player


CANCELS: dict[str, Callable[[Hall, Player, datetime], Any]] = {
    "staff": lambda hall, one, at: cancelling.cancel(one.attempt.id, reason="a mistake", by=hall.admin, now=at),
    "cleared": lambda hall, one, at: slots.clear_incomplete([one.id], by=hall.admin, now=at),
    "set_switched": lambda hall, one, at: hall.activate("B", at=at),
}


# --- restore --------------------------------------------------------------------------------------


@pytest.mark.parametrize("why", CANCELS)
def test_a_restored_test_is_paused_with_its_paper_its_answers_and_its_time(
    hall: Hall, player: Player, why: str
) -> None:
    paper, first, slot = player.paper(), player.attempt, player.slot
    CANCELS[why](hall, player, hall.after(minutes=30))
    assert player.attempt.cancel_reason == why
    restore(hall, player, at=hall.after(minutes=45))
    assert (player.attempt.id, player.attempt.status, player.paper()) == (first.id, "paused", paper)
    assert (player.slot.id, player.slot.status) == (slot.id, "attempting")
    assert player.attempt.remaining_ms == 150 * 60_000
    assert nothing_is_broken(hall.after(minutes=45))
    unpause(hall, player, at=hall.after(minutes=50))
    assert player.attempt.deadline_at == hall.after(hours=3, minutes=20)
    player.save(1, "B", at=hall.after(minutes=51))
    player.submit(at=hall.after(minutes=52))
    assert player.attempt.status == "completed"
    assert nothing_is_broken(hall.after(minutes=52))


def test_what_was_paused_when_it_was_cancelled_keeps_what_the_pause_kept(hall: Hall, player: Player) -> None:
    pauses.pause([player.attempt.id], kind="staff", reason="a cold", by=hall.admin, now=hall.after(minutes=10))
    CANCELS["staff"](hall, player, hall.after(minutes=30))
    restore(hall, player, at=hall.after(minutes=40))
    assert player.attempt.remaining_ms == 170 * 60_000
    assert nothing_is_broken(hall.after(minutes=40))
    unpause(hall, player, at=hall.after(minutes=50))
    assert player.attempt.deadline_at == hall.after(hours=3, minutes=40)
    assert nothing_is_broken(hall.after(minutes=50))


def test_time_is_never_negative(hall: Hall, player: Player) -> None:
    at = hall.after(hours=3, seconds=1.5)
    CANCELS["staff"](hall, player, at)
    restore(hall, player, at=hall.after(hours=4))
    assert player.attempt.remaining_ms == 0
    assert nothing_is_broken(hall.after(hours=4))


def test_restored_and_granted_time_add_up(hall: Hall, player: Player) -> None:
    CANCELS["staff"](hall, player, hall.after(minutes=30))
    restore(hall, player, at=hall.after(minutes=31))
    grants.extend(player.attempt.id, 60, reason=WHY, is_short=False, by=hall.admin, now=hall.after(minutes=32))
    assert player.attempt.remaining_ms == 151 * 60_000
    assert nothing_is_broken(hall.after(minutes=32))


def test_the_key_of_a_restored_test_says_paused_and_then_the_new_deadline(hall: Hall, player: Player) -> None:
    CANCELS["staff"](hall, player, hall.after(minutes=30))
    restore(hall, player, at=hall.after(minutes=31))
    timer = timers.read_timer(player.attempt.id)
    assert timer == timers.Timer(None, player.attempt.version, None)
    unpause(hall, player, at=hall.after(minutes=40))
    timer = timers.read_timer(player.attempt.id)
    assert timer.deadline_ms == timers.to_ms(player.attempt.deadline_at)
    assert timer.version == player.attempt.version


def test_the_log_says_who_restored_it_and_what_had_been(hall: Hall, player: Player) -> None:
    CANCELS["staff"](hall, player, hall.after(minutes=30))
    restore(hall, player, at=hall.after(minutes=31))
    assert hall.audit(player.attempt.id)[-1] == ("restore", "cancelled", "paused")
    assert hall.audit(player.slot.id)[-1] == ("restore_exam_slot", "available", "attempting")
    details = db.session.execute(select(AuditEvent.details).where(AuditEvent.action == "restore")).scalar_one()
    assert (details["cancel_reason"], details["reason_text"]) == ("staff", "a mistake")


def test_the_candidate_sees_the_pause_at_the_next_poll(hall: Hall, player: Player) -> None:
    CANCELS["set_switched"](hall, player, hall.after(minutes=30))
    assert reports.standing(player.id, now=hall.after(minutes=30)).kind == "cancelled"
    restore(hall, player, at=hall.after(minutes=31))
    assert reports.standing(player.id, now=hall.after(minutes=31)).kind == "paused"
    unpause(hall, player, at=hall.after(minutes=32))
    assert player.resume(at=hall.after(minutes=32)).attempt_id == player.attempt.id


def test_a_later_void_switch_cancels_what_was_restored(hall: Hall, player: Player) -> None:
    CANCELS["set_switched"](hall, player, hall.after(minutes=30))
    restore(hall, player, at=hall.after(minutes=31))
    hall.activate("C", at=hall.after(minutes=40))
    assert player.attempt.status == "cancelled"
    restore(hall, player, at=hall.after(minutes=41))
    assert player.attempt.remaining_ms == 150 * 60_000
    assert nothing_is_broken(hall.after(minutes=41))


@pytest.mark.harms_the_database
def test_nobody_else_stays_on_the_old_set(hall: Hall, player: Player) -> None:
    CANCELS["set_switched"](hall, player, hall.after(minutes=30))
    back = "status = 'paused', closed_at = NULL, cancel_reason = NULL, deadline_at = NULL, remaining_ms = 1"
    with db.engine.begin() as connection:
        connection.execute(text(f"UPDATE attempts SET {back}"))
    found = [one.sentence for one in invariants.check(now=hall.after(minutes=31)) if not one.holds]
    assert any("void switch" in sentence for sentence in found)


def refusal_of(call: Callable[[], Any]) -> str:
    """The code with which a call is refused; a refused call leaves nothing behind."""
    before = db.session.execute(select(Attempt.version, Attempt.status).order_by(Attempt.id)).all()
    with pytest.raises(KioskError) as met:
        call()
    db.session.rollback()
    assert db.session.execute(select(Attempt.version, Attempt.status).order_by(Attempt.id)).all() == before
    return met.value.code


def reset(hall: Hall, one: Player) -> None:
    slots.reset([one.id], reason=WHY, by=hall.admin, now=hall.after(minutes=30))


def reassign(hall: Hall, one: Player) -> None:
    slots.reassign([one.id], reason=WHY, by=hall.admin, now=hall.after(minutes=30))


def cancel_and(then: Callable[[Hall, Player], Any]) -> Callable[[Hall, Player], Any]:
    def both(hall: Hall, one: Player) -> None:
        CANCELS["staff"](hall, one, hall.after(minutes=30))
        then(hall, one)

    return both


REFUSED_RESTORES: list[tuple[str, Callable[[Hall, Player], Any]]] = [
    ("not_cancelled", lambda hall, one: None),
    ("not_cancelled", lambda hall, one: one.submit()),
    ("not_restorable", reset),
    ("not_restorable", reassign),
    ("slot_taken", cancel_and(reset)),
    ("slot_taken", cancel_and(reassign)),
    ("newer_attempt", cancel_and(lambda hall, one: hall.player().start(at=hall.after(minutes=31)))),
]


@pytest.mark.parametrize(("code", "before"), REFUSED_RESTORES)
def test_what_cannot_be_restored_is_refused_in_words(
    hall: Hall, player: Player, code: str, before: Callable[[Hall, Player], Any]
) -> None:
    attempt_id = player.attempt.id
    before(hall, player)
    at = hall.after(minutes=40)
    assert refusal_of(lambda: reviving.restore(attempt_id, reason=WHY, by=hall.admin, now=at)) == code


def test_a_restore_needs_a_reason_an_attempt_and_the_row_that_was_seen(hall: Hall, player: Player) -> None:
    CANCELS["staff"](hall, player, hall.after(minutes=30))
    at, seen = hall.after(minutes=31), player.attempt.version
    with pytest.raises(ReasonMissing):
        reviving.restore(player.attempt.id, reason=" ", by=hall.admin, now=at)
    with pytest.raises(NotFound):
        reviving.restore(uuid7(), reason=WHY, by=hall.admin, now=at)
    assert refusal_of(lambda: restore(hall, player, at=at, version=seen - 1)) == "transition_refused"
    restore(hall, player, at=at, version=seen)
    assert refusal_of(lambda: restore(hall, player, at=at)) == "not_cancelled"


# --- reopen ---------------------------------------------------------------------------------------


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
