"""A shift's life: planned in the centre's time, moved on step by step, its start code, deleted when it is empty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from kiosk import shift_states
from kiosk.errors import BadInput, NotFound, TransitionRefused, WrongStartCode
from kiosk.extensions import db, transaction
from kiosk.models import AuditEvent, Candidate, Shift, ShiftTrade
from kiosk.services import closing, shift_people, shifts
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
