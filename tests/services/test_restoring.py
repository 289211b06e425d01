"""Restore what was cancelled: the same paper, the same answers, exactly the time that is due; and who is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, text

from kiosk import timers
from kiosk.errors import NotFound, ReasonMissing
from kiosk.extensions import db
from kiosk.ids import uuid7
from kiosk.models import AuditEvent
from kiosk.services import cancelling, grants, invariants, pauses, reports, reviving, slots
from tests.cast import Hall
from tests.player import Player
from tests.services.ways_back import WHY, nothing_is_broken, reassign, refusal_of, reset, unpause, writer


@pytest.fixture
def player(hall: Hall) -> Player:
    """Somebody who has written for half an hour."""
    return writer(hall)


def restore(hall: Hall, player: Player, *, at: datetime, **more: Any) -> None:
    reviving.restore(player.attempt.id, reason=WHY, by=hall.admin, now=at, **more)


CANCELS: dict[str, Callable[[Hall, Player, datetime], Any]] = {
    "staff": lambda hall, one, at: cancelling.cancel(one.attempt.id, reason="a mistake", by=hall.admin, now=at),
    "cleared": lambda hall, one, at: slots.clear_incomplete([one.id], by=hall.admin, now=at),
    "set_switched": lambda hall, one, at: hall.activate("B", at=at),
}


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
