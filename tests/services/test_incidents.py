"""Incidents and moves: what happened, what it cost, and the clock that waits while somebody changes seats."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from kiosk.errors import AttemptNotRunning, BadInput, NotFound, ReasonMissing
from kiosk.extensions import db, transaction
from kiosk.models import Attempt, Candidate, Centre, Incident, TimeGrant
from kiosk.services import accounts, cancelling, grants, incidents, moving, presence
from kiosk.services.grants import GrantTooLong
from kiosk.services.incidents import NothingToGrant, Told, WrongIncident
from kiosk.services.moving import Moved
from kiosk.services.seats import SeatTaken
from tests.cast import Hall
from tests.player import Player

WHY = "the screen went dark"


def told(hall: Hall, **more: Any) -> Told:
    values = {"kind": "kiosk", "words": WHY, "happened_at": hall.MORNING} | more
    return Told(**values)


def write(hall: Hall, *, at: Any = None, grants_time: bool = False, is_short: bool = False, **more: Any) -> UUID:
    return incidents.write(
        hall.centre_id,
        told(hall, **more),
        grants_time=grants_time,
        is_short=is_short,
        by=hall.centre_admin,
        now=at or hall.after(minutes=5),
    )


def row(incident_id: UUID) -> Incident:
    db.session.rollback()
    return db.session.get_one(Incident, incident_id, populate_existing=True)


def deadline(player: Player) -> Any:
    return player.attempt.deadline_at


# --- incidents ----------------------------------------------------------------------------------------


def test_an_incident_knows_the_shift_and_the_test_of_its_candidate(hall: Hall) -> None:
    player = hall.player(0)
    player.start()
    written = row(write(hall, candidate_id=player.id, seconds_lost=120))
    assert (written.shift_id, written.attempt_id) == (hall.shift_id, player.attempt.id)
    assert (written.written_by, written.seconds_lost, written.seconds_granted) == ("Centre", 120, 0)
    assert hall.audit(written.id) == [("write_incident", None, "kiosk")]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"kind": "alien"}, "kind"),
        ({"words": "  "}, "words"),
        ({"words": "x" * 2001}, "words"),
        ({"seconds_lost": -1}, "minutes"),
        ({"seconds_lost": 86_401}, "minutes"),
        ({"happened_at": Hall.MORNING - timedelta(days=8)}, "happened_at"),
        ({"happened_at": Hall.MORNING + timedelta(hours=1)}, "happened_at"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(hall: Hall, more: dict[str, Any], field: str) -> None:
    with pytest.raises(WrongIncident) as refused:
        write(hall, **more)
    assert refused.value.field == field
    assert db.session.execute(select(Incident.id)).first() is None


def test_another_centres_candidate_is_nobody_here(hall: Hall) -> None:
    with pytest.raises(NotFound):
        write(hall, candidate_id=hall.stranger["candidate"])


def test_lost_time_goes_back_once_and_in_one_step(hall: Hall) -> None:
    player = hall.player(0)
    player.start()
    incident_id = write(hall, candidate_id=player.id, seconds_lost=300, grants_time=True)
    assert deadline(player) == hall.MORNING + hall.DURATION + timedelta(minutes=5)
    assert row(incident_id).seconds_granted == 300
    with pytest.raises(NothingToGrant):
        incidents.grant(incident_id, is_short=False, by=hall.centre_admin, now=hall.after(minutes=6))
    assert db.session.execute(select(TimeGrant.reason)).scalars().all() == [WHY]


def test_an_invigilator_grants_ten_minutes_per_test_in_all(hall: Hall) -> None:
    player = hall.player(0)
    player.start()
    first = write(hall, candidate_id=player.id, seconds_lost=420)
    incidents.grant(first, is_short=True, by=hall.centre_admin, now=hall.after(minutes=5))
    with pytest.raises(GrantTooLong):
        write(hall, candidate_id=player.id, seconds_lost=240, grants_time=True, is_short=True)
    # nothing of the second one is left, neither time nor incident
    assert len(db.session.execute(select(Incident.id)).all()) == 1
    assert deadline(player) == hall.MORNING + hall.DURATION + timedelta(minutes=7)


def test_nothing_is_granted_to_nobody(hall: Hall) -> None:
    for more in ({"seconds_lost": 60}, {"candidate_id": hall.candidate_ids[0], "seconds_lost": 60}):
        with pytest.raises(NothingToGrant):
            write(hall, grants_time=True, **more)
    player = hall.player(1)
    player.start()
    with pytest.raises(NothingToGrant):
        write(hall, grants_time=True, candidate_id=player.id)


# --- moving -------------------------------------------------------------------------------------------


def move(hall: Hall, seat: str = "14", *, place: int = 0, reason: str = WHY, minutes: float = 30) -> Moved:
    return moving.move(
        hall.candidate_ids[place], seat, reason=reason, by=hall.centre_admin, now=hall.after(minutes=minutes)
    )


@pytest.fixture
def writer(hall: Hall) -> Player:
    """A candidate at seat 7 whose page was last heard from after 28 minutes."""
    player = hall.player(0)
    with transaction():
        db.session.execute(update(Candidate).where(Candidate.id == player.id).values(seat="7"))
    player.start()
    player.save(1, "A", at=hall.after(minutes=1))
    presence.seen(player.attempt.id, now=hall.after(minutes=28))
    return player


def test_a_move_stops_the_clock_frees_the_old_page_and_tells_why(hall: Hall, writer: Player) -> None:
    epoch = db.session.get_one(Candidate, writer.id).session_epoch
    moved = move(hall)
    attempt, person = writer.attempt, db.session.get_one(Candidate, writer.id, populate_existing=True)
    assert (attempt.status, attempt.remaining_ms) == ("paused", 150 * 60_000)
    assert (person.seat, person.session_epoch) == ("14", epoch + 1)
    assert not accounts.candidate_sign_in_holds(writer.id, epoch)
    incident = row(moved.incident_id)
    assert (incident.kind, incident.seconds_lost, moved.seconds_lost) == ("moved", 120, 120)
    assert WHY in incident.words
    with pytest.raises(AttemptNotRunning):
        writer.save(2, "A", at=hall.after(minutes=31))


def test_the_clock_goes_on_where_the_candidate_signs_in_again(hall: Hall, writer: Player) -> None:
    paper = writer.paper()
    with transaction():
        db.session.execute(update(Centre).values(takeover="approval"))
    moved = move(hall)
    again = hall.player(0)
    taken = again.resume(at=hall.after(minutes=40))
    assert taken.deadline_at == hall.MORNING + hall.DURATION + timedelta(minutes=10)
    assert (again.attempt.status, again.attempt.lease) == ("in_progress", again.lease)
    assert again.paper() == paper
    incidents.grant(moved.incident_id, is_short=True, by=hall.centre_admin, now=hall.after(minutes=41))
    assert deadline(again) == hall.MORNING + hall.DURATION + timedelta(minutes=12)
    again.save(2, "A", at=hall.after(minutes=42))


def test_who_was_paused_for_another_reason_stays_paused_after_a_move(hall: Hall, writer: Player) -> None:
    cancelling.pause(writer.attempt.id, reason="ill", by=hall.admin, now=hall.after(minutes=29))
    assert move(hall).seconds_lost == 60
    again = hall.player(0)
    again.resume(at=hall.after(minutes=40))
    assert again.attempt.status == "paused"
    assert again.attempt.remaining_ms == 151 * 60_000


def test_a_move_that_cannot_be_changes_nothing(hall: Hall, writer: Player) -> None:
    with transaction():
        db.session.execute(update(Candidate).where(Candidate.id == hall.candidate_ids[1]).values(seat="9"))
    for seat, refusal in (("9", SeatTaken), ("99", BadInput), ("7", BadInput), ("", BadInput)):
        with pytest.raises(refusal):
            move(hall, seat)
    with pytest.raises(ReasonMissing):
        move(hall, reason="")
    with pytest.raises(AttemptNotRunning):
        move(hall, place=2)
    with pytest.raises(AttemptNotRunning):
        move(hall, minutes=200)
    assert writer.attempt.status == "in_progress"
    assert db.session.execute(select(Incident.id)).first() is None
    assert db.session.execute(select(Attempt.lease)).scalar_one() == writer.lease


def test_the_form_knows_what_a_move_would_stop(hall: Hall, writer: Player) -> None:
    presence.flush()
    ahead = moving.sitting(writer.id, now=hall.after(minutes=30))
    assert ahead is not None
    assert (ahead.is_paused, ahead.seconds_lost) == (False, 120)
    assert moving.sitting(hall.candidate_ids[1], now=hall.MORNING) is None
    assert moving.sitting(writer.id, now=hall.after(hours=4)) is None
    assert grants.MOST_SECONDS == incidents.MOST_SECONDS
