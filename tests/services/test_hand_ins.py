"""Handing in and running out of time: each test ends once, with all that was saved, and no hand-in is taken away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from kiosk.errors import NotAllowed, OpenedElsewhere, SlotConsumed
from kiosk.services import attempts, expiring, receipts, reports, slots
from kiosk.states import AttemptStatus, SlotStatus
from tests.cast import Hall
from tests.counting import counting
from tests.test_at_once import at_once


def test_a_hand_in_consumes_the_slot_and_marks_the_answers(hall: Hall) -> None:
    player = hall.player()
    player.start()
    player.save(1, "A")
    player.submit(at=hall.after(minutes=10))
    assert player.slot.consumed_how == "submitted"
    receipt = reports.receipt(player.attempt.id, candidate_id=player.id)
    assert (receipt.ended_by, receipt.answered, receipt.total) == ("submitted", 1, 10)
    assert receipt.closed_at == hall.after(minutes=10)
    assert receipt.score is None, "the paper does not release scores"


def test_a_second_submit_has_no_further_effect(hall: Hall) -> None:
    player = hall.player()
    player.start()
    player.submit(at=hall.after(minutes=10))
    first = reports.receipt(player.attempt.id, candidate_id=player.id)
    audited = hall.audit(player.attempt.id)
    player.submit(at=hall.after(minutes=11))
    assert reports.receipt(player.attempt.id, candidate_id=player.id) == first
    assert hall.audit(player.attempt.id) == audited


def test_nobody_hands_in_for_somebody_else(hall: Hall) -> None:
    mine, theirs = hall.player(0), hall.player(1)
    attempt_id = mine.start().attempt_id
    with pytest.raises(NotAllowed):
        attempts.submit(attempt_id, by=theirs.actor, now=hall.MORNING)
    with pytest.raises(NotAllowed):
        reports.exam_sheet(attempt_id, candidate_id=theirs.id, now=hall.MORNING, language="en")


@pytest.mark.parametrize(
    ("late_ms", "how"), [(-50, "submitted"), (0, "submitted"), (1950, "submitted"), (2050, "expired")]
)
def test_a_submit_counts_up_to_the_grace_and_is_an_expiry_after_it(hall: Hall, late_ms: int, how: str) -> None:
    player = hall.player()
    player.start()
    player.submit(at=hall.MORNING + hall.DURATION + timedelta(milliseconds=late_ms))
    attempt = player.attempt
    assert attempt.ended_by == how
    assert attempt.closed_at <= hall.MORNING + hall.DURATION


def test_nobody_is_ended_before_deadline_and_grace(hall: Hall) -> None:
    player = hall.player()
    player.start()
    end = hall.MORNING + hall.DURATION
    assert expiring.expire_overdue(now=end + timedelta(seconds=2)) == 0
    assert player.attempt.status == AttemptStatus.IN_PROGRESS
    assert reports.clock(player.attempt.id, lease=player.lease, now=end + timedelta(seconds=1)).remaining_ms == 0


def test_when_time_runs_out_what_was_saved_is_handed_in_as_by_a_submit(hall: Hall) -> None:
    player, other = hall.player(0), hall.player(1)
    for one in (player, other):
        one.start()
        one.save(1, "A")
    other.submit(at=hall.after(hours=1))
    assert expiring.expire_overdue(now=hall.after(hours=3, seconds=3)) == 1
    attempt = player.attempt
    assert (attempt.ended_by, attempt.closed_at) == ("expired", hall.MORNING + hall.DURATION)
    assert player.slot.status == SlotStatus.CONSUMED
    assert attempt.status == other.attempt.status, "marked alike"
    assert attempt.receipt
    assert expiring.expire_overdue(now=hall.after(hours=4)) == 0


def test_P3_a_poisoned_attempt_is_pushed_back_and_the_others_go_on(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    sick, well = hall.player(0), hall.player(1)
    sick_id = sick.start().attempt_id
    well.start()
    real = receipts.sealed_code

    def fail_for_the_sick(attempt_id, *rest):  # type: ignore[no-untyped-def]
        if attempt_id == sick_id:
            raise ValueError("a broken row")
        return real(attempt_id, *rest)

    for module in (receipts, expiring):
        monkeypatch.setattr(module, "sealed_code", fail_for_the_sick)
    late = hall.after(hours=3, minutes=1)
    assert expiring.expire_overdue(now=late) == 1
    assert sick.attempt.status == AttemptStatus.IN_PROGRESS
    assert sick.slot.status == SlotStatus.ATTEMPTING
    assert expiring.expire_overdue(now=late + timedelta(seconds=30)) == 0, "left alone for a minute"
    monkeypatch.undo()
    assert expiring.expire_overdue(now=late + timedelta(seconds=61)) == 1


def test_a_batch_ends_with_the_same_number_of_statements_however_many_end(hall: Hall) -> None:
    counts = []
    for places in ((0,), (1, 2, 3, 4, 5)):
        for place in places:
            hall.player(place).start()
        with counting() as counted:
            assert expiring.expire_overdue(now=hall.after(hours=4)) == len(places)
        counts.append([text for text in counted.texts if "marks" not in text and "results" not in text])
    endings = [sum(text.startswith("UPDATE") for text in texts) for texts in counts]
    assert endings[0] <= endings[1] <= endings[0] + 4, "marking takes one statement more for each"


def test_P2_two_sweepers_end_each_attempt_once(app: Flask, hall: Hall) -> None:
    for place in range(hall.CANDIDATES):
        hall.player(place).start()
    late = hall.after(hours=4)
    ended = at_once(app, *[lambda: expiring.expire_overdue(now=late)] * 5)
    assert sum(ended) == hall.CANDIDATES
    for place in range(hall.CANDIDATES):
        moves = [move for move in hall.audit(hall.player(place).attempt.id) if move[0] == "expire"]
        assert len(moves) == 1


def test_who_signs_in_after_the_end_but_before_the_sweeper_has_handed_in(hall: Hall) -> None:
    first, second = hall.player(0), hall.player(1)
    for player in (first, second):
        player.start()
    late = hall.after(hours=3, seconds=3)
    hall.player(0).resume(at=late)
    assert first.attempt.ended_by == "expired"
    with pytest.raises(SlotConsumed):
        second.start(at=late)
    assert second.attempt.closed_at == hall.after(hours=3)


@pytest.mark.parametrize("operation", [slots.reset, slots.reassign, slots.clear_incomplete])
def test_no_staff_action_takes_a_hand_in_away_whose_time_has_run_out(hall: Hall, operation) -> None:  # type: ignore[no-untyped-def]
    player = hall.player()
    player.start()
    player.save(1, "A")
    operation([player.id], reason="too late", by=hall.admin, now=hall.after(hours=4))
    assert (player.attempt.ended_by, player.attempt.cancel_reason) == ("expired", None)
    assert player.attempt.receipt


def test_a_switch_takes_no_hand_in_away_whose_time_has_run_out(hall: Hall) -> None:
    player = hall.player()
    player.start()
    assert hall.activate("B", at=hall.after(hours=4)).cancelled == 0
    assert player.attempt.ended_by == "expired"


def test_a_page_that_has_lost_the_exam_cannot_hand_it_in(hall: Hall) -> None:
    old, new = hall.player(), hall.player()
    attempt_id = old.start().attempt_id
    new.resume()
    with pytest.raises(OpenedElsewhere):
        attempts.submit(attempt_id, by=old.actor, now=hall.MORNING, lease=old.lease)
    assert new.attempt.status == AttemptStatus.IN_PROGRESS
    attempts.submit(attempt_id, by=new.actor, now=hall.MORNING, lease=new.lease)
    assert new.slot.status == SlotStatus.CONSUMED
