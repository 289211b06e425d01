"""A shift's life: planned in the centre's time, opened, filled, closed when nobody writes, deleted when it is empty."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from kiosk import shift_states
from kiosk.errors import BadInput, NotFound, ReasonMissing, ShiftNotOpen, TooLate, TransitionRefused, WrongStartCode
from kiosk.extensions import db, transaction
from kiosk.models import Attempt, AuditEvent, Candidate, Shift, ShiftTrade
from kiosk.services import attempts, closing, entry, outages, preparing, shift_people, shifts, system
from kiosk.services.closing import StillWriting
from kiosk.services.shifts import Plan, ShiftInUse, TimeTaken, WrongPlan
from kiosk.shift_states import ShiftAction, ShiftStatus
from kiosk.sign_in_errors import TooManyStartCodes
from tests.cast import Hall
from tests.player import START_CODE

TOMORROW = timedelta(days=1)


def planned(hall: Hall, *, capacity: int = 60, after: timedelta = TOMORROW, **more: object) -> UUID:
    """A further shift of the centre."""
    plan = Plan(hall.MORNING + after, capacity, **more)  # type: ignore[arg-type]
    return shifts.create(hall.centre_id, plan, by=hall.centre_admin, now=hall.MORNING)


def shift(shift_id: UUID) -> Shift:
    """The shift as the database has it now."""
    db.session.rollback()
    return db.session.execute(
        select(Shift).where(Shift.id == shift_id).execution_options(populate_existing=True)
    ).scalar_one()


def candidate(hall: Hall, place: int = 0) -> Candidate:
    """The candidate as the database has them now."""
    db.session.rollback()
    return db.session.get_one(Candidate, hall.candidate_ids[place], populate_existing=True)


def move(hall: Hall, shift_id: UUID, *actions: ShiftAction) -> None:
    for action in actions:
        shifts.move_on(shift_id, action, by=hall.centre_admin, now=hall.MORNING)


def close(hall: Hall, *, at: datetime | None = None) -> closing.Closed:
    return closing.close(hall.shift_id, by=hall.centre_admin, now=at or hall.MORNING)


# --- planning -------------------------------------------------------------------------------------


def test_a_new_shift_is_planned_and_has_a_code_of_six_digits(hall: Hall) -> None:
    shift_id = planned(hall, entry_minutes=30, trade_ids=(hall.trade_id,))
    made = shift(shift_id)
    assert (made.status, made.capacity) == ("planned", 60)
    assert made.start_code is not None
    assert len(made.start_code) == 6
    assert made.start_code.isdigit()
    assert made.latest_entry_at == made.starts_at + timedelta(minutes=30)
    assert db.session.execute(select(ShiftTrade.trade_id)).scalars().all() == [hall.trade_id]
    assert hall.audit(shift_id) == [("create_shift", None, "planned")]


def test_a_centre_has_one_shift_at_a_time(hall: Hall) -> None:
    planned(hall)
    with pytest.raises(TimeTaken):
        planned(hall)
    with pytest.raises(TimeTaken):
        shifts.edit(planned(hall, after=TOMORROW * 2), Plan(hall.MORNING, 9), by=hall.centre_admin, now=hall.MORNING)


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ({"capacity": -1}, "capacity"),
        ({"capacity": 10_001}, "capacity"),
        ({"entry_minutes": -1}, "entry_minutes"),
        ({"entry_minutes": 1441}, "entry_minutes"),
    ],
)
def test_numbers_that_make_no_sense_are_refused_by_their_field(hall: Hall, plan: dict[str, int], field: str) -> None:
    with pytest.raises(WrongPlan) as refused:
        planned(hall, **plan)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_a_trade_of_another_organisation_does_not_exist(hall: Hall) -> None:
    with pytest.raises(NotFound):
        planned(hall, trade_ids=(hall.stranger["trade"],))


@pytest.mark.parametrize(
    ("zone", "text", "utc"),
    [
        ("Asia/Kolkata", "2026-11-21T10:00", "2026-11-21T04:30"),
        ("Europe/Berlin", "2026-07-01T10:00", "2026-07-01T08:00"),
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30"),  # comes twice: the first one
    ],
)
def test_a_start_is_what_the_centres_clock_shows(zone: str, text: str, utc: str) -> None:
    assert shifts.local_start(text, zone) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("Europe/Berlin", "2026-03-29T02:30"),  # the clocks go from 2:00 to 3:00
        ("Asia/Kolkata", "tomorrow"),
        ("Asia/Kolkata", ""),
        ("Asia/Kolkata", "2026-11-21T10:00+05:30"),
        ("Asia/Kolkata", "0001-01-01T00:00"),
        ("Asia/Kolkata", "9999-12-31T23:59"),
    ],
)
def test_a_time_that_does_not_exist_is_refused(app: object, zone: str, text: str) -> None:
    with app.test_request_context(), pytest.raises(WrongPlan):  # type: ignore[attr-defined]
        shifts.local_start(text, zone)


def test_an_open_shift_keeps_its_start_and_a_closed_one_everything(hall: Hall) -> None:
    with pytest.raises(WrongPlan):
        shifts.edit(hall.shift_id, Plan(hall.after(hours=1), 60), by=hall.centre_admin, now=hall.MORNING)
    with pytest.raises(WrongPlan) as refused:
        shifts.edit(hall.shift_id, Plan(hall.MORNING, 5), by=hall.centre_admin, now=hall.MORNING)
    assert refused.value.field == "capacity"
    shifts.edit(hall.shift_id, Plan(hall.MORNING, 6, 15), by=hall.centre_admin, now=hall.MORNING)
    assert shift(hall.shift_id).latest_entry_at == hall.after(minutes=15)
    close(hall)
    with pytest.raises(TransitionRefused):
        shifts.edit(hall.shift_id, Plan(hall.MORNING, 60), by=hall.centre_admin, now=hall.MORNING)
    with pytest.raises(TransitionRefused):
        shifts.change_code(hall.shift_id, by=hall.centre_admin, now=hall.MORNING)


# --- its life ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ShiftStatus)
@pytest.mark.parametrize("action", ShiftAction)
def test_only_the_listed_moves_are_possible(hall: Hall, status: ShiftStatus, action: ShiftAction) -> None:
    with transaction():
        db.session.execute(update(Shift).where(Shift.id == hall.shift_id).values(status=status))
    target = shift_states.SHIFT_MOVES.get((status, action))
    go = closing.close if action is ShiftAction.CLOSE else shifts.move_on
    arguments = (hall.shift_id,) if action is ShiftAction.CLOSE else (hall.shift_id, action)
    if target is None:
        with pytest.raises(TransitionRefused):
            go(*arguments, by=hall.centre_admin, now=hall.MORNING)  # type: ignore[arg-type]
        assert shift(hall.shift_id).status == status
        return
    go(*arguments, by=hall.centre_admin, now=hall.MORNING)  # type: ignore[arg-type]
    assert shift(hall.shift_id).status == target
    assert hall.audit(hall.shift_id) == [(action, status, target)]


def test_a_shift_that_is_not_there_is_not_moved(hall: Hall) -> None:
    with pytest.raises(NotFound):
        move(hall, uuid4(), ShiftAction.OPEN_GATE)


def test_a_new_code_counts_at_once_and_stands_in_no_log(hall: Hall) -> None:
    code = shifts.change_code(hall.shift_id, by=hall.centre_admin, now=hall.MORNING)
    with pytest.raises(WrongStartCode):
        hall.player(0).start(code=START_CODE)
    hall.player(0).start(code=code)
    logged = db.session.execute(select(AuditEvent.details, AuditEvent.reason)).all()
    assert not any(code in str(row) for row in logged)


def test_start_codes_are_not_found_by_trying(hall: Hall) -> None:
    player, other = hall.player(0), hall.player(1)
    for _try in range(10):
        with pytest.raises(WrongStartCode):
            player.start(code="000000")
    with pytest.raises(TooManyStartCodes):
        player.start(code=START_CODE)
    other.start()  # nobody else waits for it
    assert player.slot is not None
    assert player.slot.status == "available"
    assert player.start(at=hall.after(minutes=11)).is_new


def test_an_empty_code_is_no_try(hall: Hall) -> None:
    for _try in range(12):
        with pytest.raises(WrongStartCode):
            hall.player(0).start(code=" ")
    assert hall.player(0).start().is_new


# --- closing ----------------------------------------------------------------------------------------


def test_a_shift_stays_open_while_somebody_writes_or_is_paused(hall: Hall) -> None:
    writing, paused = hall.player(0), hall.player(1)
    writing.start()
    paused.start()
    from kiosk.services import cancelling

    cancelling.pause(paused.attempt.id, reason="ill", by=hall.admin, now=hall.after(minutes=1))
    with pytest.raises(StillWriting) as refused:
        close(hall, at=hall.after(minutes=2))
    assert refused.value.details == {"writing": 1, "paused": 1}
    assert shift(hall.shift_id).status == "open"
    ahead = closing.outlook(hall.shift_id, now=hall.after(minutes=2))
    assert [one.service_no for one in (*ahead.writing, *ahead.paused)] == ["N001", "N002"]


def test_what_was_drawn_and_never_begun_is_cancelled_and_the_slot_stays(hall: Hall) -> None:
    player, moved = hall.player(0), hall.player(1)
    for one in (player, moved):
        preparing.prepare(one.id, hall.paper_id, lease=one.lease, by=one.actor, now=hall.MORNING)
    shift_people.assign(planned(hall), [moved.id], by=hall.centre_admin, now=hall.MORNING)
    assert close(hall) == closing.Closed(ended=0, cancelled=1)
    assert (player.attempt.status, player.attempt.cancel_reason) == ("cancelled", "not_started")
    assert player.slot is not None
    assert player.slot.status == "available"
    assert moved.attempt.status == "initiated"
    with pytest.raises(ShiftNotOpen):
        player.start()


def test_who_starts_while_the_shift_closes_finds_it_closed(hall: Hall) -> None:
    player = hall.player(0)
    found = entry.read(player.id, by=player.actor)
    close(hall)
    with pytest.raises(TransitionRefused), transaction():
        attempts._begin(found, uuid4(), hall.after(hours=3), lease=1, language="en", by=player.actor, now=hall.MORNING)


def test_starts_and_a_closing_at_the_same_moment_leave_nobody_writing_in_a_closed_shift(hall: Hall) -> None:
    players = [hall.player(place) for place in range(6)]
    surprises: list[BaseException] = []

    def at_once(work: Callable[[], object]) -> None:
        with hall.app.app_context():
            try:
                work()
            except (ShiftNotOpen, StillWriting, TransitionRefused):
                pass
            except BaseException as error:
                surprises.append(error)

    works = [player.start for player in players]
    works.insert(3, lambda: close(hall))  # type: ignore[arg-type, return-value]
    threads = [threading.Thread(target=at_once, args=(work,)) for work in works]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert surprises == []
    if shift(hall.shift_id).status == "closed":
        assert db.session.execute(select(Attempt.id)).first() is None
    else:
        assert db.session.execute(select(Attempt.id)).first() is not None


def test_tests_that_an_outage_paused_end_as_of_their_deadline_once_it_has_passed(hall: Hall) -> None:
    player = hall.player(0)
    player.start()
    player.save(1, "A", at=hall.after(minutes=1))
    system.stamp("server", now=hall.after(minutes=10))
    assert outages.recover(now=hall.after(minutes=30)) == 1
    with pytest.raises(StillWriting):  # there is time left that somebody may resume
        close(hall, at=hall.after(hours=2))
    assert close(hall, at=hall.after(hours=4)) == closing.Closed(ended=1, cancelled=0)
    attempt = player.attempt
    assert (attempt.status, attempt.ended_by) == ("completed", "expired")
    assert attempt.closed_at == hall.MORNING + hall.DURATION
    assert player.slot is not None
    assert player.slot.status == "consumed"


# --- who is in it -----------------------------------------------------------------------------------


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
    from kiosk.ids import uuid7
    from kiosk.models import Trade

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


# --- deleting ----------------------------------------------------------------------------------------


def test_a_shift_with_tests_is_not_deleted(hall: Hall) -> None:
    hall.player(0).start()
    with pytest.raises(ShiftInUse) as refused:
        shifts.remove(hall.shift_id, by=hall.centre_admin, now=hall.MORNING)
    assert refused.value.details == {"attempts": 1, "incidents": 0}
    assert shift(hall.shift_id).status == "open"


def test_a_shift_without_tests_goes_and_its_candidates_stay(hall: Hall) -> None:
    shift_id = planned(hall, trade_ids=(hall.trade_id,))
    shift_people.assign(shift_id, hall.candidate_ids, by=hall.centre_admin, now=hall.MORNING)
    shifts.remove(shift_id, by=hall.centre_admin, now=hall.MORNING)
    assert db.session.execute(select(Shift.id).where(Shift.id == shift_id)).first() is None
    assert candidate(hall).shift_id is None
    assert hall.audit(shift_id)[-1] == ("delete_shift", "planned", None)
    with pytest.raises(NotFound):
        shifts.remove(shift_id, by=hall.centre_admin, now=hall.MORNING)


def test_a_refusal_is_a_kind_of_bad_input() -> None:
    assert issubclass(WrongPlan, BadInput)
