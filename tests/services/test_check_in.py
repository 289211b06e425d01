"""Who is here and where they sit: presence once, a seat for one person, and no change under somebody's hands."""

from __future__ import annotations

import threading
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from kiosk.errors import BadInput, KioskError, NotCheckedIn, NotFound
from kiosk.extensions import db, transaction
from kiosk.ids import uuid7
from kiosk.models import Candidate, Centre, Kiosk, Shift
from kiosk.services import check_in, seats
from kiosk.services.check_in import IsWriting, NoCheckIn
from kiosk.services.seats import SeatReport, SeatTaken
from tests.cast import Hall


def come(hall: Hall, *places: int) -> None:
    for place in places:
        check_in.check_in(hall.candidate_ids[place], by=hall.centre_admin, now=hall.MORNING)


def give(hall: Hall, place: int, seat: str) -> None:
    seats.give(hall.candidate_ids[place], seat, by=hall.centre_admin, now=hall.MORNING)


def seats_now(hall: Hall) -> list[str | None]:
    db.session.rollback()
    return list(
        db.session.execute(
            select(Candidate.seat).where(Candidate.shift_id == hall.shift_id).order_by(Candidate.login)
        ).scalars()
    )


def set_centre(**values: object) -> None:
    with transaction():
        db.session.execute(update(Centre).values(**values))


def test_a_candidate_comes_once_and_the_log_says_who_saw_them(hall: Hall) -> None:
    who = hall.candidate_ids[0]
    assert check_in.check_in(who, by=hall.centre_admin, now=hall.MORNING)
    assert not check_in.check_in(who, by=hall.centre_admin, now=hall.after(minutes=1))
    db.session.rollback()
    person = db.session.get_one(Candidate, who)
    assert (person.checked_in_at, person.checked_in_by) == (hall.MORNING, "Centre")
    assert hall.audit(who)[-1] == ("check_in", "absent", "present")


@pytest.mark.parametrize("status", ["planned", "closed"])
def test_nobody_is_checked_in_before_the_gate_opens_or_after_the_end(hall: Hall, status: str) -> None:
    with transaction():
        db.session.execute(update(Shift).where(Shift.id == hall.shift_id).values(status=status))
    with pytest.raises(NoCheckIn):
        come(hall, 0)
    assert db.session.get_one(Candidate, hall.candidate_ids[0], populate_existing=True).checked_in_at is None


def test_nobody_is_checked_in_without_a_shift_or_from_nowhere(hall: Hall) -> None:
    with transaction():
        lost = hall.add_candidate("L001", shift_id=None)
    with pytest.raises(NoCheckIn):
        check_in.check_in(lost, by=hall.centre_admin, now=hall.MORNING)
    with pytest.raises(NotFound):
        check_in.check_in(uuid4(), by=hall.centre_admin, now=hall.MORNING)


def test_undo_takes_presence_and_seat_back_but_not_from_somebody_who_writes(hall: Hall) -> None:
    come(hall, 0, 1)
    give(hall, 0, "7")
    assert check_in.undo(hall.candidate_ids[0], by=hall.centre_admin, now=hall.MORNING)
    assert not check_in.undo(hall.candidate_ids[0], by=hall.centre_admin, now=hall.MORNING)
    assert seats_now(hall)[0] is None
    hall.player(1).start()
    with pytest.raises(IsWriting):
        check_in.undo(hall.candidate_ids[1], by=hall.centre_admin, now=hall.MORNING)
    with pytest.raises(IsWriting):
        give(hall, 1, "9")


def test_a_centre_that_demands_check_in_and_seat_gets_both(hall: Hall) -> None:
    set_centre(demands_check_in=True, demands_seat=True)
    player = hall.player(0)
    for step in (lambda: None, lambda: come(hall, 0)):
        step()
        with pytest.raises(NotCheckedIn):
            player.start()
    give(hall, 0, "1")
    assert player.start().is_new


def test_two_people_cannot_have_one_seat_in_a_shift(hall: Hall) -> None:
    give(hall, 0, "7")
    with pytest.raises(SeatTaken):
        give(hall, 1, "7")
    give(hall, 0, "")
    give(hall, 1, "7")
    assert seats_now(hall)[:2] == [None, "7"]


@pytest.mark.parametrize("seat", ["0", "61", "07", "A1", "1" * 50, "💺"])
def test_a_seat_that_the_centre_does_not_have_is_refused(hall: Hall, seat: str) -> None:
    with pytest.raises(BadInput):
        give(hall, 0, seat)


def test_everybody_present_gets_a_seat_of_their_own_at_random(hall: Hall) -> None:
    come(hall, 0, 1, 2)
    give(hall, 0, "7")
    ahead = seats.give_at_random(hall.shift_id, by=hall.centre_admin, now=hall.MORNING, dry_run=True)
    assert seats_now(hall) == ["7", None, None, None, None, None]
    done = seats.give_at_random(hall.shift_id, by=hall.centre_admin, now=hall.MORNING)
    assert ahead == done == SeatReport(given=2, left_out=0)
    given = seats_now(hall)
    assert given[0] == "7"
    assert given[3:] == [None] * 3  # not here
    assert len({*given[:3]}) == 3
    assert hall.audit(hall.candidate_ids[1])[-1] == ("give_seat", None, given[1])


def test_whoever_finds_no_seat_is_told_of(hall: Hall) -> None:
    set_centre(seats=2)
    come(hall, 0, 1, 2)
    done = seats.give_at_random(hall.shift_id, by=hall.centre_admin, now=hall.MORNING)
    assert done == SeatReport(given=2, left_out=1)
    assert sorted(seat for seat in seats_now(hall) if seat) == ["1", "2"]


def test_where_kiosks_are_demanded_only_their_seats_are_given(hall: Hall) -> None:
    set_centre(kiosk_rule="enrolled")
    with transaction():
        for name, seat, token in (("K-1", "12", "a"), ("K-2", "13", None), ("K-3", None, "b")):
            db.session.add(Kiosk(id=uuid7(), centre_id=hall.centre_id, name=name, seat=seat, token_hash=token))
    assert seats.seats_of(hall.centre_id) == ["12"]
    with pytest.raises(BadInput):
        give(hall, 0, "1")
    give(hall, 0, "12")


def test_many_desks_at_once_give_every_seat_to_one_person(hall: Hall) -> None:
    set_centre(seats=4)
    come(hall, *range(6))
    refused: list[BaseException] = []

    def desk(work: object) -> None:
        with hall.app.app_context():
            try:
                work()  # type: ignore[operator]
            except KioskError as error:
                refused.append(error)

    def by_hand(who: UUID) -> None:
        seats.give(who, "3", by=hall.centre_admin, now=hall.MORNING)

    def at_random() -> None:
        seats.give_at_random(hall.shift_id, by=hall.centre_admin, now=hall.MORNING)

    work = [*(lambda who=who: by_hand(who) for who in hall.candidate_ids[:3]), at_random, at_random]
    desks = [threading.Thread(target=desk, args=(one,)) for one in work]
    for one in desks:
        one.start()
    for one in desks:
        one.join()
    given = [seat for seat in seats_now(hall) if seat]
    assert sorted(given) == ["1", "2", "3", "4"]
    assert all(isinstance(error, SeatTaken) for error in refused)
