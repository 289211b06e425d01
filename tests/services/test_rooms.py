"""A whole room is paused, resumed and given its time back: each exactly what is due, nobody twice."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from kiosk import timers
from kiosk.errors import BadInput, ReasonMissing, ServerBusy
from kiosk.extensions import db, last_of_all
from kiosk.services import centre_reports, giving_back, grants, invariants, pauses, rooms
from kiosk.services.centre_reports import Filters
from kiosk.services.giving_back import BackReport, Window
from tests.cast import Hall
from tests.counting import counting
from tests.player import Player

WHY = "the network was away"


@pytest.fixture
def writers(hall: Hall) -> list[Player]:
    """Three who write."""
    players = [hall.player(place) for place in range(3)]
    for player in players:
        player.start()
    return players


def everybody(hall: Hall, **filters: Any) -> list[Any]:
    return centre_reports.matching_ids(hall.centre_id, Filters(**filters))


def nothing_is_broken(at: datetime) -> bool:
    db.session.rollback()
    return all(one.holds for one in invariants.check(now=at))


# --- pause and resume -----------------------------------------------------------------------------


@pytest.mark.parametrize("of_shift", [True, False])
def test_a_room_is_paused_and_goes_on_with_the_time_it_had(hall: Hall, writers: list[Player], of_shift: bool) -> None:
    ids = everybody(hall, shift=hall.shift_id if of_shift else None)
    report = rooms.pause(ids, reason="fire alarm", by=hall.centre_admin, now=hall.after(minutes=30))
    assert (report.changed, report.skipped) == (3, Counter(not_writing=3))
    assert {one.attempt.status for one in writers} == {"paused"}
    assert timers.read_timer(writers[0].attempt.id).deadline_ms is None
    done = rooms.resume(ids, by=hall.centre_admin, now=hall.after(minutes=50))
    assert (done.changed, done.skipped) == (3, Counter(not_paused=3))
    for one in writers:
        assert one.attempt.deadline_at == hall.after(hours=3, minutes=20)
        timer = timers.read_timer(one.attempt.id)
        assert timer == timers.Timer(timers.to_ms(one.attempt.deadline_at), one.attempt.version, one.lease)
    assert nothing_is_broken(hall.after(minutes=50))


def test_a_dry_run_counts_and_stops_nobody(hall: Hall, writers: list[Player]) -> None:
    report = rooms.pause(everybody(hall), reason="", by=hall.admin, now=hall.MORNING, dry_run=True)
    assert report.changed == 3
    assert rooms.resume(everybody(hall), by=hall.admin, now=hall.MORNING, dry_run=True).changed == 0
    assert {one.attempt.status for one in writers} == {"in_progress"}


def test_a_pause_of_a_room_needs_a_reason(hall: Hall, writers: list[Player]) -> None:
    with pytest.raises(ReasonMissing):
        rooms.pause(everybody(hall), reason=" ", by=hall.admin, now=hall.MORNING)
    assert writers[0].attempt.status == "in_progress"


def test_the_statements_do_not_grow_with_the_room(hall: Hall, writers: list[Player]) -> None:
    def costs(ids: list[Any], at: datetime) -> list[int]:
        window = Window(hall.centre_id, None, hall.MORNING, at)
        found = []
        for work in (
            lambda: rooms.pause(ids, reason=WHY, by=hall.admin, now=at),
            lambda: rooms.resume(ids, by=hall.admin, now=at),
            lambda: giving_back.give_back(window, reason=WHY, is_short=False, by=hall.admin, now=at),
        ):
            with counting() as counted:
                work()
            found.append(counted.statements + counted.round_trips)
        return found

    one = costs([writers[0].id], hall.after(minutes=5))
    for place in (3, 4, 5):
        hall.player(place).start()
    assert costs(everybody(hall), hall.after(minutes=10))[:2] == one[:2]


# --- time given back ------------------------------------------------------------------------------


def give(hall: Hall, begin: float, end: float, *, at: float = 60, is_short: bool = False, **more: Any) -> BackReport:
    """Give the minutes from `begin` to `end` back."""
    window = Window(hall.centre_id, more.pop("shift", None), hall.after(minutes=begin), hall.after(minutes=end))
    how = {"reason": WHY, "is_short": is_short, "by": hall.centre_admin, "now": hall.after(minutes=at)} | more
    return giving_back.give_back(window, **how)


def test_everybody_gets_the_part_of_the_window_in_which_their_clock_ran(hall: Hall, writers: list[Player]) -> None:
    late = hall.player(3)
    late.start(at=hall.after(minutes=25))
    pauses.pause([writers[1].attempt.id], kind="staff", reason=WHY, by=hall.admin, now=hall.after(minutes=22))
    pauses.unpause([writers[1].attempt.id], by=hall.admin, now=hall.after(minutes=26))
    report = give(hall, 20, 30)
    assert (report.changed, report.most_seconds, report.skipped) == (4, 600, Counter())
    assert writers[0].attempt.deadline_at == hall.after(hours=3, minutes=10)
    assert writers[1].attempt.deadline_at == hall.after(hours=3, minutes=4 + 6)
    assert late.attempt.deadline_at == hall.after(hours=3, minutes=25 + 5)
    timer = timers.read_timer(late.attempt.id)
    assert timer == timers.Timer(timers.to_ms(late.attempt.deadline_at), late.attempt.version, late.lease)
    assert nothing_is_broken(hall.after(minutes=60))


def test_whoever_is_paused_now_gets_it_added_to_what_is_kept(hall: Hall, writers: list[Player]) -> None:
    pauses.pause([writers[0].attempt.id], kind="staff", reason=WHY, by=hall.admin, now=hall.after(minutes=25))
    give(hall, 20, 30)
    assert writers[0].attempt.remaining_ms == 160 * 60_000
    assert nothing_is_broken(hall.after(minutes=60))


@pytest.mark.parametrize(("begin", "end"), [(20, 30), (29, 40), (10, 21), (22, 24)])
def test_nobody_is_given_the_same_minutes_twice(hall: Hall, writers: list[Player], begin: float, end: float) -> None:
    give(hall, 20, 30)
    report = give(hall, begin, end)
    assert (report.changed, report.skipped) == (0, Counter(already_given=3))
    assert writers[0].attempt.deadline_at == hall.after(hours=3, minutes=10)


def test_other_minutes_can_be_given_as_well(hall: Hall, writers: list[Player]) -> None:
    give(hall, 20, 30)
    assert give(hall, 30, 35).changed == 3
    assert writers[0].attempt.deadline_at == hall.after(hours=3, minutes=15)


def test_who_had_not_begun_who_handed_in_and_who_was_out_of_time_gets_nothing(
    hall: Hall, writers: list[Player]
) -> None:
    writers[0].submit(at=hall.after(minutes=40))
    hall.player(3).start(at=hall.after(minutes=35))
    report = give(hall, 20, 30)
    assert (report.changed, report.skipped) == (2, Counter())
    assert give(hall, 42, 43, at=191).skipped == Counter(ended=2)


def test_another_centre_and_another_shift_get_nothing(hall: Hall, writers: list[Player]) -> None:
    window = Window(hall.other_centre_id, None, hall.after(minutes=20), hall.after(minutes=30))
    how = {"reason": WHY, "is_short": False, "by": hall.admin, "now": hall.after(minutes=60)}
    assert giving_back.give_back(window, **how).changed == 0
    assert give(hall, 20, 30, shift=hall.paper_id).changed == 0
    assert give(hall, 20, 30, shift=hall.shift_id).changed == 3


def test_an_invigilator_gives_ten_minutes_in_total_whichever_way(hall: Hall, writers: list[Player]) -> None:
    first = writers[0].attempt.id
    grants.extend(first, 200, reason=WHY, is_short=True, by=hall.centre_admin, now=hall.after(minutes=1))
    report = give(hall, 20, 27, is_short=True)
    assert (report.changed, report.skipped) == (2, Counter(over_limit=1))
    with pytest.raises(grants.GrantTooLong):
        grants.extend(
            writers[1].attempt.id, 181, reason=WHY, is_short=True, by=hall.centre_admin, now=hall.after(minutes=61)
        )
    assert give(hall, 30, 60).changed == 3


def test_a_dry_run_gives_nothing(hall: Hall, writers: list[Player]) -> None:
    assert give(hall, 20, 30, dry_run=True, reason="").changed == 3
    assert writers[0].attempt.deadline_at == hall.after(hours=3)


@pytest.mark.parametrize(("begin", "end"), [(30, 30), (30, 20), (50, 61), (-2000, 30)])
def test_a_window_that_is_none_is_refused(hall: Hall, begin: float, end: float) -> None:
    with pytest.raises(BadInput):
        give(hall, begin, end)


def test_time_back_needs_a_reason(hall: Hall, writers: list[Player]) -> None:
    with pytest.raises(ReasonMissing):
        give(hall, 20, 30, reason="")
    assert writers[0].attempt.deadline_at - hall.MORNING == timedelta(hours=3)


# --- the same time for everybody ------------------------------------------------------------------


def add_time(hall: Hall, minutes: int = 10, **how: Any) -> Any:
    common = {"reason": WHY, "is_short": False, "by": hall.centre_admin, "now": hall.after(minutes=30)}
    return rooms.add_time(everybody(hall, shift=hall.shift_id), minutes * 60, **(common | how))


def test_everybody_who_writes_or_is_paused_gets_the_same_minutes(hall: Hall, writers: list[Player]) -> None:
    pauses.pause([writers[1].attempt.id], kind="room", reason=WHY, by=hall.centre_admin, now=hall.after(minutes=20))
    writers[2].submit(at=hall.after(minutes=25))
    assert add_time(hall, dry_run=True).changed == 2
    assert writers[0].attempt.deadline_at == hall.after(hours=3)
    report = add_time(hall)
    assert (report.changed, report.skipped) == (2, Counter(not_writing=4))
    assert writers[0].attempt.deadline_at == hall.after(hours=3, minutes=10)
    assert writers[1].attempt.remaining_ms == 170 * 60_000
    timer = timers.read_timer(writers[0].attempt.id)
    assert timer == timers.Timer(
        timers.to_ms(writers[0].attempt.deadline_at), writers[0].attempt.version, writers[0].lease
    )
    assert ("extend", "in_progress", "in_progress") in hall.audit(writers[0].attempt.id)
    assert nothing_is_broken(hall.after(minutes=30))


def test_a_room_of_thousands_gets_its_minutes_at_once_or_not_at_all(
    hall: Hall, writers: list[Player], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks again after half of it would give the first half their time twice."""
    monkeypatch.setattr(rooms, "BATCH", 1)
    commits: list[int] = []

    def fail() -> None:
        raise ServerBusy

    with last_of_all(lambda: commits.append(1)):
        assert add_time(hall).changed == 3
    assert commits == [1]
    with pytest.raises(ServerBusy), last_of_all(fail):
        add_time(hall)
    for writer in writers:
        assert writer.attempt.deadline_at == hall.after(hours=3, minutes=10)
        assert timers.read_timer(writer.attempt.id).version == writer.attempt.version
    assert nothing_is_broken(hall.after(minutes=30))


def test_an_invigilator_adds_ten_minutes_to_a_room_in_all(hall: Hall, writers: list[Player]) -> None:
    grants.extend(
        writers[0].attempt.id, 300, reason=WHY, is_short=True, by=hall.centre_admin, now=hall.after(minutes=10)
    )
    report = add_time(hall, 6, is_short=True)
    assert (report.changed, report.skipped) == (2, Counter(not_writing=3, over_limit=1))
    assert add_time(hall, 6, is_short=True).changed == 0


def test_nobody_whose_time_is_up_gets_more_and_nothing_goes_without_a_reason(hall: Hall, writers: list[Player]) -> None:
    assert add_time(hall, now=hall.after(hours=3, seconds=5)).skipped == Counter(not_writing=3, ended=3)
    with pytest.raises(ReasonMissing):
        add_time(hall, reason=" ")


def test_one_seat_gets_its_lost_time_back_and_the_others_nothing(hall: Hall, writers: list[Player]) -> None:
    window = Window(hall.centre_id, None, hall.after(minutes=5), hall.after(minutes=9), writers[1].id)
    done = giving_back.give_back(window, reason=WHY, is_short=True, by=hall.centre_admin, now=hall.after(minutes=30))
    assert (done.changed, done.most_seconds) == (1, 240)
    assert [one.attempt.deadline_at - hall.after(hours=3) for one in writers] == [
        timedelta(0),
        timedelta(minutes=4),
        timedelta(0),
    ]
