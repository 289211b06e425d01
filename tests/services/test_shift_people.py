"""Who is in a shift: as many as have room and belong there, nobody once it is closed, and late only who was let in."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import update

from kiosk.errors import ReasonMissing, TooLate, TransitionRefused
from kiosk.extensions import db, transaction
from kiosk.ids import uuid7
from kiosk.models import Candidate, Trade
from kiosk.services import shift_people, shifts
from kiosk.services.shifts import Plan
from tests.cast import Hall
from tests.services.test_shifts import candidate, close, planned


def test_candidates_are_put_into_a_shift_as_far_as_it_has_room(hall: Hall) -> None:
    shift_id = planned(hall, capacity=3)
    hall.player(0).start()
    ahead = shift_people.assign(shift_id, hall.candidate_ids, by=hall.centre_admin, now=hall.MORNING, dry_run=True)
    assert candidate(hall, 1).shift_id == hall.shift_id
    done = shift_people.assign(shift_id, hall.candidate_ids, by=hall.centre_admin, now=hall.MORNING)
    assert (done.changed, dict(done.skipped)) == (3, {"is_writing": 1, "shift_full": 2})
    assert ahead == done
    assert [place for place in range(6) if candidate(hall, place).shift_id == shift_id] == [1, 2, 3]
    assert hall.audit(hall.candidate_ids[1])[-1] == ("move_to_shift", str(hall.shift_id), str(shift_id))
    again = shift_people.assign(shift_id, hall.candidate_ids[1:2], by=hall.centre_admin, now=hall.MORNING)
    assert dict(again.skipped) == {"in_shift": 1}


def test_seat_and_presence_of_another_shift_do_not_come_along(hall: Hall) -> None:
    with transaction():
        values = {"seat": "7", "checked_in_at": hall.MORNING, "late_entry_shift_id": hall.shift_id}
        db.session.execute(update(Candidate).where(Candidate.id == hall.candidate_ids[0]).values(**values))
    shift_people.assign(planned(hall), hall.candidate_ids[:1], by=hall.centre_admin, now=hall.MORNING)
    moved = candidate(hall)
    assert (moved.seat, moved.checked_in_at, moved.late_entry_shift_id) == (None, None, None)


def test_a_shift_takes_only_its_trades_and_its_centres_candidates(hall: Hall) -> None:
    with transaction():
        other = Trade(id=uuid7(), organisation_id=hall.organisation_id, code="DMV", name="Driver")
        db.session.add(other)
        db.session.flush()
        driver = hall.add_candidate("D001", trade_id=other.id, shift_id=None)
        far = hall.add_candidate("F001", centre_id=hall.other_centre_id, shift_id=None)
    shift_id = planned(hall, trade_ids=(hall.trade_id,))
    people = [driver, far, hall.stranger["candidate"], uuid4()]
    report = shift_people.assign(shift_id, people, by=hall.centre_admin, now=hall.MORNING)
    assert (report.changed, dict(report.skipped)) == (0, {"wrong_trade": 1, "not_found": 3})


def test_nobody_comes_into_a_closed_shift(hall: Hall) -> None:
    close(hall)
    with pytest.raises(TransitionRefused):
        shift_people.assign(hall.shift_id, hall.candidate_ids, by=hall.centre_admin, now=hall.MORNING)
    with pytest.raises(TransitionRefused):
        shift_people.let_in_late(hall.candidate_ids[0], reason="train", by=hall.centre_admin, now=hall.MORNING)


def test_after_the_latest_entry_only_who_was_let_in_may_start(hall: Hall) -> None:
    shifts.edit(hall.shift_id, Plan(hall.MORNING, 60, 30), by=hall.centre_admin, now=hall.MORNING)
    late = hall.after(minutes=31)
    with pytest.raises(TooLate):
        hall.player(0).start(at=late)
    with pytest.raises(ReasonMissing):
        shift_people.let_in_late(hall.candidate_ids[0], reason=" ", by=hall.centre_admin, now=late)
    shift_people.let_in_late(hall.candidate_ids[0], reason="his train was late", by=hall.centre_admin, now=late)
    assert hall.player(0).start(at=late).is_new
    with pytest.raises(TooLate):
        hall.player(1).start(at=late)
