"""A shift is closed when nobody writes: who keeps it open, what is cancelled or ended by it, and who comes too late."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import select

from kiosk.errors import ShiftNotOpen, TransitionRefused
from kiosk.extensions import db, transaction
from kiosk.models import Attempt
from kiosk.services import attempts, cancelling, closing, entry, outages, preparing, shift_people, system
from kiosk.services.closing import StillWriting
from tests.cast import Hall
from tests.services.test_shifts import close, planned, shift


def test_a_shift_stays_open_while_somebody_writes_or_is_paused(hall: Hall) -> None:
    writing, paused = hall.player(0), hall.player(1)
    writing.start()
    paused.start()
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
