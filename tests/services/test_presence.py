"""Signs of life and the way through the paper are written in batches, off the hot path."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from kiosk.extensions import db
from kiosk.ids import uuid7
from kiosk.models import Visit
from kiosk.services import answers, presence, progress
from tests.cast import Hall
from tests.counting import counting


@pytest.fixture(autouse=True)
def nothing_left_over(hall: Hall) -> None:
    presence.flush()


def test_the_way_through_the_paper_is_kept_in_order(hall: Hall) -> None:
    player = hall.player()
    started = player.start()
    for place, number in enumerate((3, 2, 3)):
        at = hall.MORNING + timedelta(seconds=10 * (place + 1))
        answers.go(started.attempt_id, lease=player.lease, by=player.actor, now=at, to_number=number)
    assert presence.way_through(started.attempt_id) == []
    presence.flush()
    assert [number for number, _at in presence.way_through(started.attempt_id)] == [1, 3, 2, 3]
    assert player.attempt.last_seen_at == hall.MORNING + timedelta(seconds=30)


def test_the_time_for_each_question_follows_from_the_way(hall: Hall) -> None:
    player = hall.player()
    started = player.start()
    for number, seconds in ((3, 40), (1, 60), (2, 75)):
        at = hall.MORNING + timedelta(seconds=seconds)
        answers.go(started.attempt_id, lease=player.lease, by=player.actor, now=at, to_number=number)
    presence.flush()
    ids = {number: str(question_id) for number, question_id, *_ in player.paper()}
    assert progress.of(started.attempt_id).time_spent == {ids[1]: 55, ids[3]: 20}


def test_a_save_leaves_a_sign_of_life(hall: Hall) -> None:
    player = hall.player()
    player.start()
    player.save(1, "A", at=hall.MORNING + timedelta(minutes=7))
    presence.flush()
    assert player.attempt.last_seen_at == hall.MORNING + timedelta(minutes=7)


def test_a_refused_save_leaves_none(hall: Hall) -> None:
    player, other = hall.player(), hall.player()
    player.start()
    with pytest.raises(Exception, match="open"):
        other.save(1, "A", at=hall.MORNING + timedelta(minutes=7))
    presence.flush()
    assert player.attempt.last_seen_at == hall.MORNING


def test_a_batch_costs_the_same_however_many_are_in_it(hall: Hall) -> None:
    costs = []
    for many in (1, presence.BATCH):
        for _ in range(many):
            presence.visited(uuid7(), 1, now=hall.MORNING)
        with counting() as counted:
            assert presence.flush() == many
        costs.append((counted.statements, counted.commits))
    assert costs[0] == costs[1] == (2, 2)


def test_what_the_page_could_not_save_is_written_with_its_sign_of_life(hall: Hall) -> None:
    player, other = hall.player(0), hall.player(1)
    for one in (player, other):
        one.start()
    for count, known in ((3, 3), (None, 3), (0, 0)):
        for one in (player, other):
            presence.seen(one.attempt.id, now=hall.MORNING)
        if count is not None:
            presence.unsaved(player.attempt.id, count)
        presence.flush()
        db.session.rollback()
        assert (player.attempt.unsaved, other.attempt.unsaved) == (known, 0)


def test_whoever_takes_the_test_over_has_nothing_unsaved(hall: Hall) -> None:
    player = hall.player()
    player.start()
    presence.seen(player.attempt.id, now=hall.MORNING)
    presence.unsaved(player.attempt.id, 3)
    presence.flush()
    hall.player().resume(at=hall.after(minutes=1))
    assert player.attempt.unsaved == 0


def test_what_could_not_be_written_is_written_later(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    started = hall.player().start()
    presence.visited(started.attempt_id, 4, now=hall.MORNING + timedelta(minutes=1))

    def away(_statement: object, _given: object) -> None:
        raise OperationalError("insert", {}, Exception("away"))

    with monkeypatch.context() as broken:
        broken.setattr(presence, "execute", away)
        with pytest.raises(OperationalError):
            presence.flush()
    presence.flush()
    assert presence.way_through(started.attempt_id)[-1][0] == 4
    assert db.session.execute(select(func.count()).select_from(Visit)).scalar_one() == 2
