"""Starting, going on, pausing: what a start draws, who is refused and loses nothing, and time that stands still."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import inspect

from kiosk import timers
from kiosk.errors import (
    AttemptLimit,
    AttemptNotRunning,
    KioskRequired,
    NoActiveSet,
    NoSlot,
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
from kiosk.extensions import db
from kiosk.models import Activation, Candidate, Centre, Paper, Pause, Shift
from kiosk.services import expiring, pauses, reports, slots
from kiosk.states import AttemptStatus, SlotStatus
from tests.cast import Hall
from tests.conftest import RedisServer
from tests.player import START_CODE
from tests.rows import change


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


@pytest.mark.usefixtures("hall")
def test_a_start_locks_no_question() -> None:
    """Everybody starts with the same ones: a foreign key would be a lock on each of them, for each start."""
    assert {key["referred_table"] for key in inspect(db.engine).get_foreign_keys("answers")} == {"attempts"}
