"""Slots: assign, reset, reassign, clear. For one candidate and for many, and what is skipped."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from kiosk.errors import BadInput, ReasonMissing, ReasonTooLong
from kiosk.extensions import db, transaction
from kiosk.models import Activation, Answer, Attempt, Candidate, Slot
from kiosk.services import reports, slots
from kiosk.states import AttemptStatus, SlotStatus
from tests.cast import Hall
from tests.conftest import RedisServer
from tests.counting import counting


def test_a_reset_takes_the_slot_away_and_keeps_every_answer(hall: Hall) -> None:
    player = hall.player()
    player.start()
    player.save(1, "A")
    slot_id = player.slot.id
    report = slots.reset([player.id], reason="wrong person", by=hall.centre_admin, now=hall.after(minutes=5))
    assert (report.changed, report.sessions_cancelled) == (1, 1)
    assert player.slot is None
    attempt = player.attempt
    assert (attempt.status, attempt.cancel_reason, attempt.reason_text) == ("cancelled", "slot_reset", "wrong person")
    assert next(row[3] for row in player.paper() if row[0] == 1) == "A"
    assert hall.audit(slot_id)[-1] == ("reset_exam_slot", "attempting", "none")
    assert hall.audit(attempt.id)[-1] == ("cancel", "in_progress", "cancelled")


def test_a_candidate_whose_slot_was_reset_is_told_so(hall: Hall) -> None:
    player = hall.player()
    attempt_id = player.start().attempt_id
    slots.reset([player.id], reason="wrong person", by=hall.centre_admin, now=hall.MORNING)
    assert not reports.clock(attempt_id, lease=player.lease, now=hall.MORNING).is_running
    standing = reports.standing(player.id, now=hall.MORNING)
    assert (standing.kind, standing.attempt.cancel_reason) == ("cancelled", "slot_reset")


def test_a_reassign_gives_the_same_paper_again_with_the_full_time(hall: Hall) -> None:
    player = hall.player()
    first = player.start()
    paper_id = player.slot.paper_id
    slots.reassign([player.id], reason="computer broke", by=hall.centre_admin, now=hall.after(hours=1))
    slot = player.slot
    assert (slot.status, slot.paper_id, slot.extra_attempts) == (SlotStatus.AVAILABLE, paper_id, 0)
    second = player.start(at=hall.after(hours=2))
    assert second.attempt_id != first.attempt_id
    assert second.deadline_at == hall.after(hours=2) + hall.DURATION


def test_a_reassign_of_a_consumed_slot_allows_one_attempt_more_and_keeps_the_first_result(hall: Hall) -> None:
    player = hall.player()
    first = player.start().attempt_id
    player.save(1, "A")
    player.submit()
    receipt = reports.receipt(first, candidate_id=player.id)
    slots.reassign([player.id], reason="appeal", by=hall.admin, now=hall.after(hours=4))
    assert player.slot.extra_attempts == 1
    second = player.start(at=hall.after(hours=4))
    assert second.is_new
    assert player.attempt.number == 2
    assert reports.receipt(first, candidate_id=player.id) == receipt


def test_after_the_primary_the_secondary_is_assigned(hall: Hall) -> None:
    player = hall.player()
    player.start()
    player.submit()
    closed = player.slot.id
    assert slots.assign([player.id], by=hall.centre_admin, now=hall.after(hours=1)).changed == 1
    assert player.slot.paper_id == hall.secondary_id
    assert db.session.get(Slot, closed).closed_as == "done"
    assert player.start(at=hall.after(hours=1)).is_new
    player.submit(at=hall.after(hours=2))
    assert slots.assign([player.id], by=hall.centre_admin, now=hall.after(hours=3)).skipped == {"all_done": 1}


def test_a_recorded_bypass_leads_to_the_secondary(hall: Hall) -> None:
    slots.reset(hall.candidate_ids, reason="bypass", by=hall.admin, now=hall.MORNING)
    with transaction():
        db.session.execute(update(Candidate).values(primary_bypassed_at=hall.MORNING))
    slots.assign(hall.candidate_ids, by=hall.admin, now=hall.MORNING)
    assert hall.player().slot.paper_id == hall.secondary_id


def test_assigning_twice_changes_nothing_and_says_so(hall: Hall) -> None:
    writing = hall.player(0)
    writing.start()
    report = slots.assign(hall.candidate_ids, by=hall.centre_admin, now=hall.MORNING)
    assert (report.changed, report.skipped) == (0, {"is_writing": 1, "has_slot": hall.CANDIDATES - 1})
    assert _count(Slot) == hall.CANDIDATES


def test_nothing_is_assigned_without_an_active_set(hall: Hall) -> None:
    slots.reset(hall.candidate_ids, reason="no exam", by=hall.admin, now=hall.MORNING)
    with transaction():
        db.session.execute(update(Activation).values(ended_at=hall.MORNING))
    report = slots.assign(hall.candidate_ids, by=hall.centre_admin, now=hall.MORNING)
    assert report.skipped == {"no_active_set": hall.CANDIDATES}


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_reset_and_reassign_need_a_reason(hall: Hall, reason: str) -> None:
    for operation in (slots.reset, slots.reassign):
        with pytest.raises(ReasonMissing):
            operation(hall.candidate_ids, reason=reason, by=hall.admin, now=hall.MORNING)
    with pytest.raises(ReasonTooLong):
        slots.reset(hall.candidate_ids, reason="x" * 10_000, by=hall.admin, now=hall.MORNING)
    assert _count(Slot) == hall.CANDIDATES


def test_a_reset_without_a_slot_is_skipped(hall: Hall) -> None:
    slots.reset(hall.candidate_ids, reason="once", by=hall.admin, now=hall.MORNING)
    report = slots.reset(hall.candidate_ids, reason="twice", by=hall.admin, now=hall.MORNING)
    assert (report.changed, report.skipped) == (0, {"no_slot": hall.CANDIDATES})


def test_clearing_cancels_what_is_open_and_releases_the_slots(hall: Hall) -> None:
    writing, done = hall.player(0), hall.player(1)
    writing.start()
    done.start()
    done.submit()
    report = slots.clear_incomplete(hall.candidate_ids, reason="after the power cut", by=hall.admin, now=hall.MORNING)
    assert (report.changed, report.skipped) == (1, {"no_session": hall.CANDIDATES - 1})
    assert writing.slot.status == SlotStatus.AVAILABLE
    assert writing.attempt.cancel_reason == "cleared"
    assert done.slot.status == SlotStatus.CONSUMED
    assert _count(Answer) == 20


def test_a_dry_run_tells_the_numbers_and_changes_nothing(hall: Hall) -> None:
    hall.player(0).start()
    for operation in (slots.reset, slots.reassign):
        report = operation(hall.candidate_ids, reason="", by=hall.admin, now=hall.MORNING, dry_run=True)
        assert (report.changed, report.writing) == (hall.CANDIDATES, 1)
    assert slots.clear_incomplete(hall.candidate_ids, by=hall.admin, now=hall.MORNING, dry_run=True).changed == 1
    assert hall.player(0).attempt.status == AttemptStatus.IN_PROGRESS
    assert hall.player(0).slot.status == SlotStatus.ATTEMPTING


def test_the_kiosk_learns_of_a_reset_from_redis_alone(hall: Hall, redis_server: RedisServer) -> None:
    player = hall.player()
    attempt_id = player.start().attempt_id
    version = player.attempt.version
    slots.reset([player.id], reason="wrong person", by=hall.admin, now=hall.MORNING)
    assert redis_server.client().get(f"exam:timer:{attempt_id}") == f"-:{version + 1}:-"


@pytest.mark.parametrize("operation", ["assign", "reset", "reassign", "clear_incomplete"])
def test_the_number_of_statements_does_not_grow_with_the_candidates(hall: Hall, operation: str) -> None:
    more = [hall.add_candidate(f"M{place:04}") for place in range(120)]
    db.session.commit()
    if operation != "assign":
        slots.assign(more, by=hall.admin, now=hall.MORNING)
    how = {} if operation == "assign" else {"reason": "a test"}
    counts = []
    for ids in (more[:3], more[3:]):
        with counting() as counted:
            getattr(slots, operation)(ids, by=hall.admin, now=hall.MORNING, **how)
        counts.append(counted.statements)
    assert counts[0] == counts[1]


def _count(model) -> int:  # type: ignore[no-untyped-def]
    return db.session.execute(select(func.count()).select_from(model)).scalar_one()


def test_every_attempt_that_was_open_is_closed_after_a_reset_of_all(hall: Hall) -> None:
    for place in range(3):
        hall.player(place).start()
    slots.reset(hall.candidate_ids, reason="all", by=hall.admin, now=hall.MORNING)
    assert set(db.session.execute(select(Attempt.status)).scalars()) == {"cancelled"}


@pytest.mark.parametrize("reason", ["a\0b", "a\ud800b"])
def test_a_reason_that_no_database_can_hold_is_refused(hall: Hall, reason: str) -> None:
    for operation in (slots.reset, slots.reassign, slots.clear_incomplete):
        with pytest.raises(BadInput):
            operation(hall.candidate_ids, reason=reason, by=hall.admin, now=hall.MORNING)
    assert _count(Slot) == hall.CANDIDATES
