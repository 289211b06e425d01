"""Starting, going on, handing in, running out of time, pausing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from kiosk import timers
from kiosk.errors import (
    AttemptLimit,
    AttemptNotRunning,
    KioskRequired,
    NoActiveSet,
    NoSlot,
    NotAllowed,
    NotCheckedIn,
    OpenedElsewhere,
    PaperNotPublished,
    ShiftNotOpen,
    SlotConsumed,
    TimerUnavailable,
    TooEarly,
    TooLate,
    WrongShift,
    WrongStartCode,
)
from kiosk.extensions import db, transaction
from kiosk.models import Activation, Candidate, Centre, Paper, Pause, Shift
from kiosk.services import attempts, expiring, pauses, receipts, reports, slots
from kiosk.states import AttemptStatus, SlotStatus
from tests.cast import Hall
from tests.conftest import RedisServer
from tests.counting import counting
from tests.player import START_CODE
from tests.test_at_once import at_once


def change(model, **values) -> None:  # type: ignore[no-untyped-def]
    """Change every row of a table: an organisation's rule or a candidate's data."""
    with transaction():
        db.session.execute(update(model).values(**values))


def test_a_start_draws_every_question_and_sets_the_deadline(hall: Hall) -> None:
    player = hall.player()
    started = player.start()
    assert started.is_new
    assert started.deadline_at == hall.MORNING + hall.DURATION
    assert [row[0] for row in player.paper()] == list(range(1, 11))
    assert player.slot.status == SlotStatus.ATTEMPTING
    assert hall.audit(player.slot.id)[-1] == ("start_exam_attempt", "available", "attempting")
    assert hall.audit(started.attempt_id)[-1] == ("start", "initiated", "in_progress")


def test_I19_a_refresh_during_the_exam_returns_the_same_paper(hall: Hall) -> None:
    player = hall.player()
    first, paper = player.start(), player.paper()
    for _ in range(20):
        again = player.start(at=hall.after(minutes=5))
        assert (again.attempt_id, again.deadline_at, again.is_new) == (first.attempt_id, first.deadline_at, False)
    assert player.paper() == paper


def test_two_candidates_get_the_same_questions_in_their_own_order(hall: Hall) -> None:
    papers = []
    for place in range(hall.CANDIDATES):
        player = hall.player(place)
        player.start()
        papers.append([(row[1], row[2]) for row in player.paper()])
    assert all({row[0] for row in paper} == {row[0] for row in papers[0]} for paper in papers)
    assert any(paper != papers[0] for paper in papers)


def test_extra_time_is_frozen_at_the_start(hall: Hall) -> None:
    change(Candidate, extra_minutes_per_hour=20)
    player = hall.player()
    assert player.start().deadline_at == hall.MORNING + timedelta(hours=4)
    change(Candidate, extra_minutes_per_hour=0)
    assert player.start().deadline_at == hall.MORNING + timedelta(hours=4)


@pytest.mark.parametrize(
    ("model", "values", "refusal"),
    [
        (Shift, {"status": "closed"}, ShiftNotOpen),
        (Shift, {"status": "planned", "starts_at": Hall.MORNING + timedelta(hours=1)}, TooEarly),
        (Shift, {"latest_entry_at": Hall.MORNING - timedelta(minutes=1)}, TooLate),
        (Candidate, {"shift_id": None}, WrongShift),
        (Centre, {"demands_check_in": True}, NotCheckedIn),
        (Centre, {"demands_seat": True}, NotCheckedIn),
        (Centre, {"kiosk_rule": "enrolled"}, KioskRequired),
        (Paper, {"status": "draft"}, PaperNotPublished),
        (Activation, {"ended_at": Hall.MORNING}, NoActiveSet),
        (Candidate, {"archived_at": Hall.MORNING}, NoSlot),
    ],
    ids=lambda part: part.__name__ if isinstance(part, type) else "",
)
def test_a_start_is_refused_and_nothing_is_used_up(hall: Hall, model, values, refusal) -> None:  # type: ignore[no-untyped-def]
    change(model, **values)
    player = hall.player()
    with pytest.raises(refusal) as refused:
        player.start()
    assert refused.value.sentence
    assert player.slot.status == SlotStatus.AVAILABLE
    assert not hall.audit(player.slot.id)[1:]


def test_a_wrong_start_code_is_refused(hall: Hall) -> None:
    player = hall.player()
    for code in ("", "000000", START_CODE + "0", "२४६८१०"):
        with pytest.raises(WrongStartCode):
            player.start(code=code)
    assert player.start(code=f" {START_CODE} ").is_new


def test_a_candidate_without_a_slot_cannot_start(hall: Hall) -> None:
    slots.reset(hall.candidate_ids, reason="no exam today", by=hall.admin, now=hall.MORNING)
    with pytest.raises(NoSlot):
        hall.player().start()


def test_a_start_after_the_submission_says_when_it_was(hall: Hall) -> None:
    player = hall.player()
    player.start()
    player.submit(at=hall.after(minutes=65))
    with pytest.raises(SlotConsumed) as refused:
        player.start(at=hall.after(minutes=70))
    assert "11:05" in refused.value.sentence
    assert player.slot.status == SlotStatus.CONSUMED


def test_the_attempt_limit_holds(hall: Hall) -> None:
    player = hall.player()
    player.start()
    player.submit()
    slots.reset([player.id], reason="again", by=hall.admin, now=hall.MORNING)
    report = slots.assign([player.id], by=hall.admin, now=hall.MORNING)
    assert report.skipped == {"attempt_limit": 1}
    change(Paper, max_attempts=2)
    assert slots.assign([player.id], by=hall.admin, now=hall.MORNING).changed == 1
    change(Paper, max_attempts=1)
    with pytest.raises(AttemptLimit):
        player.start()


def test_without_redis_no_exam_starts_and_nothing_is_used_up(hall: Hall, redis_server: RedisServer) -> None:
    redis_server.stop()
    player = hall.player()
    with pytest.raises(TimerUnavailable):
        player.start()
    assert player.slot.status == SlotStatus.AVAILABLE


def test_without_redis_a_running_exam_goes_on_to_the_second(hall: Hall, redis_server: RedisServer) -> None:
    player = hall.player()
    attempt_id = player.start().attempt_id
    redis_server.stop()
    at = hall.after(hours=1)
    assert player.save(1, "A", at=at).remaining_ms == 2 * 3600 * 1000
    assert reports.clock(attempt_id, lease=player.lease, now=at).remaining_ms == 2 * 3600 * 1000
    assert hall.player().resume(at=at).attempt_id == attempt_id
    hall.player().resume(at=at)
    player.submit(at=at)
    assert player.attempt.status == AttemptStatus.SUBMITTED or player.attempt.status == AttemptStatus.COMPLETED


def test_K1_a_new_sign_in_takes_the_lease_and_the_old_page_is_fenced(hall: Hall) -> None:
    old, new = hall.player(), hall.player()
    old.start()
    old.save(1, "A")
    new.resume()
    with pytest.raises(OpenedElsewhere):
        old.save(1, "B")
    assert new.save(1, "C").saved
    clock = reports.clock(old.attempt.id, lease=old.lease, now=hall.MORNING)
    assert not clock.is_running
    assert ("take_lease", "in_progress", "in_progress") in hall.audit(new.attempt.id)


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


def test_a_paused_clock_stands_still_and_goes_on_with_exactly_that_time(hall: Hall) -> None:
    player = hall.player()
    attempt_id = player.start().attempt_id
    at = hall.after(hours=1, milliseconds=250)
    assert pauses.pause([attempt_id], kind="staff", reason="fire drill", by=hall.admin, now=at) == 1
    left = round((hall.MORNING + hall.DURATION - at).total_seconds() * 1000)
    for hours in (1, 2, 30):
        assert reports.clock(attempt_id, lease=player.lease, now=hall.after(hours=hours)).remaining_ms == left
    with pytest.raises(AttemptNotRunning):
        player.save(1, "A", at=hall.after(hours=2))
    with pytest.raises(AttemptNotRunning):
        player.submit(at=hall.after(hours=2))
    assert expiring.expire_overdue(now=hall.after(hours=9)) == 0
    again = hall.after(hours=10)
    assert pauses.unpause([attempt_id], by=hall.admin, now=again) == 1
    assert player.attempt.deadline_at == again + timedelta(milliseconds=left)
    pause = db.session.query(Pause).one()
    assert (pause.from_at, pause.to_at, pause.reason) == (at, again, "fire drill")


def test_nothing_is_paused_after_its_deadline(hall: Hall) -> None:
    player = hall.player()
    attempt_id = player.start().attempt_id
    late = hall.after(hours=3, seconds=1)
    assert pauses.pause([attempt_id], kind="staff", reason="too late", by=hall.admin, now=late) == 0
    assert player.attempt.status == AttemptStatus.IN_PROGRESS


def test_a_start_that_fails_leaves_no_key_behind(hall: Hall, redis_server: RedisServer) -> None:
    change(Activation, ended_at=hall.MORNING)
    with pytest.raises(NoActiveSet):
        hall.player().start()
    assert redis_server.client().keys("exam:timer:*") == []
    assert timers.is_up()


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
