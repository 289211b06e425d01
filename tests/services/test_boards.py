"""The room board: each seat's state, who needs somebody first, and how little it costs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from kiosk.extensions import db, transaction
from kiosk.models import Candidate, Centre
from kiosk.services import boards, expiring, leases, pauses, presence, reports, slots
from kiosk.services.boards import Board, Seat
from tests.cast import Hall
from tests.counting import counting
from tests.plans import plans


def board(hall: Hall, **later: int) -> Board:
    """The room some time after the morning began."""
    return boards.board(hall.centre_id, None, now=hall.after(**later))


def seat_of(hall: Hall, place: int, **later: int) -> Seat:
    """One candidate's seat on it."""
    return next(seat for seat in board(hall, **later).seats if seat.candidate_id == hall.candidate_ids[place])


def alive(hall: Hall, place: int, **later: int) -> None:
    """The candidate's page asks for the time."""
    player = hall.player(place)
    attempt = player.attempt
    reports.clock(attempt.id, lease=attempt.lease, now=hall.after(**later))
    presence.flush()


def test_each_seat_has_the_state_of_its_candidate(hall: Hall) -> None:
    for place in range(4):
        hall.player(place).start()
    hall.player(1).submit()
    pauses.pause([hall.player(2).attempt.id], kind="invigilator", reason="ill", by=hall.centre_admin, now=hall.MORNING)
    slots.reset([hall.candidate_ids[5]], reason="left", by=hall.centre_admin, now=hall.MORNING)
    alive(hall, 0, minutes=1)
    room = board(hall, minutes=1, seconds=5)
    assert [seat.state for seat in room.seats] == ["writing", "submitted", "paused", "offline", "ready", "no_slot"]
    assert room.counts == {
        "expected": 6,
        "present": 4,
        "ready": 1,
        "writing": 2,
        "paused": 1,
        "submitted": 1,
        "expired": 0,
        "offline": 1,
        "alerts": 1,
    }


def test_a_test_past_its_time_shows_as_over_before_and_after_it_is_ended(hall: Hall) -> None:
    hall.player().start()
    assert seat_of(hall, 0, hours=3, seconds=1).state == "offline"
    assert seat_of(hall, 0, hours=3, seconds=3).state == "expired"
    expiring.expire_overdue(now=hall.after(hours=3, seconds=3))
    ended = seat_of(hall, 0, hours=3, seconds=3)
    assert (ended.state, ended.closed_at) == ("expired", hall.after(hours=3))


def test_where_check_in_is_demanded_whoever_is_missing_is_absent(hall: Hall) -> None:
    with transaction():
        db.session.execute(update(Centre).values(demands_check_in=True))
        db.session.execute(
            update(Candidate).where(Candidate.id == hall.candidate_ids[0]).values(checked_in_at=hall.MORNING)
        )
    room = board(hall)
    assert [seat.state for seat in room.seats[:2]] == ["ready", "absent"]
    assert [seat.is_present for seat in room.seats[:2]] == [True, False]
    assert not room.calls
    assert [seat.need for seat in board(hall, minutes=11).calls] == ["late"]


def test_the_most_urgent_comes_first_and_the_longest_wait_before_that(hall: Hall) -> None:
    for place in range(5):
        hall.player(place).start(at=hall.after(minutes=place))
    with transaction():
        db.session.execute(update(Centre).values(takeover="approval"))
    asks = hall.player(0)
    pauses.pause(
        [hall.player(1).attempt.id], kind="invigilator", reason="ill", by=hall.centre_admin, now=hall.after(minutes=5)
    )
    alive(hall, 0, hours=2, minutes=55)
    with pytest.raises(Exception, match="agree"):
        asks.resume(at=hall.after(hours=2, minutes=55))
    alive(hall, 4, hours=2, minutes=55)
    calls = board(hall, hours=2, minutes=55).calls
    assert [(seat.need, hall.candidate_ids.index(seat.candidate_id)) for seat in calls] == [
        ("offline", 2),
        ("offline", 3),
        ("asks", 0),
        ("blank", 4),
        ("paused_long", 1),
    ]
    room = board(hall, hours=2, minutes=55)
    listed = [hall.candidate_ids.index(seat.candidate_id) for seat in room.urgent_first("")]
    assert listed == [2, 3, 0, 4, 1, 5]
    leases.approve(hall.player(0).attempt.id, by=hall.centre_admin, now=hall.after(hours=2, minutes=55, seconds=1))
    assert seat_of(hall, 0, hours=2, minutes=55, seconds=2).need == "blank"


def test_who_answered_enough_needs_nobody_at_the_end(hall: Hall) -> None:
    player = hall.player()
    player.start()
    right = {1: "A", 2: "A", 3: "A", 4: ["A"], 5: "words", 8: "words", 9: True, 10: False}
    for number, response in right.items():
        player.save(number, response)
    alive(hall, 0, hours=2, minutes=55)
    assert seat_of(hall, 0, hours=2, minutes=55).need == ""


def test_answers_that_a_page_cannot_save_call_somebody_until_they_are_saved(hall: Hall) -> None:
    for place in range(3):
        hall.player(place).start()
    for place, count in ((0, 0), (1, 0), (2, 3)):
        presence.unsaved(hall.player(place).attempt.id, count)
        alive(hall, place, minutes=1)
    calls = board(hall, minutes=1).calls
    assert [(seat.need, seat.unsaved, seat.candidate_id) for seat in calls] == [("unsaved", 3, hall.candidate_ids[2])]
    # whoever is away altogether is called for that first; how many answers wait is known all the same
    away = board(hall, minutes=9).calls
    assert [(seat.need, seat.unsaved) for seat in away] == [("offline", 0), ("offline", 0), ("offline", 3)]
    presence.unsaved(hall.player(2).attempt.id, 0)
    alive(hall, 2, minutes=10)
    assert seat_of(hall, 2, minutes=10).need == ""


def test_a_paused_seat_shows_the_time_that_is_kept(hall: Hall) -> None:
    player = hall.player()
    player.start()
    pauses.pause([player.attempt.id], kind="room", reason="fire", by=hall.centre_admin, now=hall.after(minutes=30))
    kept = (hall.DURATION - timedelta(minutes=30)).total_seconds() * 1000
    assert seat_of(hall, 0, minutes=31).remaining_ms == seat_of(hall, 0, hours=9).remaining_ms == kept


def test_the_tiles_show_who_is_behind_them(hall: Hall) -> None:
    hall.player(0).start()
    room = board(hall, minutes=1)
    assert [len(room.shown(what)) for what in ("writing", "offline", "alerts", "ready", "", "nonsense")] == [
        1,
        1,
        1,
        5,
        6,
        6,
    ]


def test_the_map_is_in_the_order_of_the_seats(hall: Hall) -> None:
    with transaction():
        for place, seat in enumerate(("10", "2", "B1", None)):
            query = update(Candidate).where(Candidate.id == hall.candidate_ids[place])
            db.session.execute(query.values(seat=seat))
        db.session.execute(update(Candidate).where(Candidate.id.in_(hall.candidate_ids[4:])).values(seat=None))
        db.session.execute(update(Centre).values(seats=11))
    room = board(hall).places
    numbers = [number for number, _seat in room]
    assert numbers == [*map(str, range(1, 12)), "B1", None, None, None]
    assert [number for number, seat in room if seat] == ["2", "10", "B1", None, None, None]


def test_a_room_costs_five_statements_however_many_sit_in_it(hall: Hall) -> None:
    costs = []
    for places in (range(1), range(1, 6)):
        for place in places:
            hall.player(place).start()
        with counting() as counted:
            board(hall)
        costs.append((counted.statements, counted.round_trips))
    assert costs[0] == costs[1]
    assert costs[0][0] <= 5
    assert costs[0][1] == 0


def test_a_room_looks_at_nobody_who_is_on_the_books_without_a_shift(hall: Hall) -> None:
    found = plans(lambda: boards.board(hall.centre_id, hall.shift_id, now=hall.MORNING))
    (rows,) = [plan for statement, plan in found.items() if "demands_check_in" in statement]
    if db.engine.dialect.name == "sqlite":
        assert "ix_candidates_shift_login (shift_id=? AND centre_id=?)" in rows
    assert "SCAN " not in rows
    assert "Seq Scan on candidates" not in rows


def test_another_centre_has_a_room_of_its_own(hall: Hall) -> None:
    hall.player().start()
    room = boards.board(hall.other_centre_id, None, now=hall.MORNING)
    assert (room.shift, room.seats) == (None, ())
    assert boards.seat(hall.other_centre_id, hall.candidate_ids[0], now=hall.MORNING) is None
