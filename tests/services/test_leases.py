"""One page writes an attempt: which one, how another takes it, and when staff must agree first."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from kiosk.errors import AttemptNotRunning, OpenedElsewhere, SignedOut, TakeoverNeedsApproval
from kiosk.extensions import db, transaction
from kiosk.models import AnswerSave, AuditEvent, Candidate, Centre
from kiosk.services import attempts, leases, presence, reports
from kiosk.services.audit import Actor
from tests.cast import Hall
from tests.player import Player

SOON = timedelta(seconds=20)


@pytest.fixture
def careful(hall: Hall) -> Hall:
    """A hall whose centre wants to be asked before a test moves."""
    with transaction():
        db.session.execute(update(Centre).values(takeover="approval"))
    return hall


def actions_on(player: Player) -> list[str]:
    """What the audit log tells of the attempt's pages."""
    return list(
        db.session.execute(
            select(AuditEvent.action)
            .where(AuditEvent.object_id == player.attempt.id, AuditEvent.action.like("%take%"))
            .order_by(AuditEvent.id)
        ).scalars()
    )


def further_page(player: Player, *, at: datetime) -> int:
    """Open the exam in another tab of the same sign-in; return its lease."""
    taken = attempts.resume(player.id, lease=player.lease, by=player.actor, now=at, as_new_page=True)
    return taken.lease


def test_a_lease_tells_its_sign_in_and_its_page() -> None:
    lease = leases.of_page(0xFFFF_FFFF_FFFF, leases.PAGES - 1)
    assert leases.sign_in_of(lease) == 0xFFFF_FFFF_FFFF
    assert leases.page_of(lease) == leases.PAGES - 1
    assert lease < 10**18  # as many digits as a timer key may have
    assert leases.of_page(7, 0) == 7


def test_a_double_click_and_a_refresh_leave_the_lease_where_it_is(hall: Hall) -> None:
    player = hall.player()
    first = player.start()
    again, resumed = player.start(), player.resume()
    assert first.lease == again.lease == resumed.lease == player.attempt.lease
    assert actions_on(player) == []


def test_a_second_tab_takes_the_lease_and_the_first_one_is_fenced(hall: Hall) -> None:
    player = hall.player()
    player.start()
    player.save(1, "A")
    newer = further_page(player, at=hall.MORNING)
    with pytest.raises(OpenedElsewhere):
        player.save(1, "B")
    with pytest.raises(OpenedElsewhere):
        attempts.submit(player.attempt.id, by=player.actor, now=hall.MORNING, lease=player.lease)
    assert not reports.clock(player.attempt.id, lease=player.lease, now=hall.MORNING).holds_lease
    assert reports.clock(player.attempt.id, lease=newer, now=hall.MORNING).holds_lease
    assert player.paper()[0][3] == "A"
    late = db.session.execute(select(AnswerSave).where(~AnswerSave.is_counted)).scalar_one()
    assert (late.response, late.refusal) == ("B", "open_elsewhere")
    player.lease = newer
    assert player.save(1, "C").saved
    assert actions_on(player) == ["take_lease"]


def test_the_first_tab_may_take_it_back(hall: Hall) -> None:
    player = hall.player()
    player.start()
    taken = [further_page(player, at=hall.MORNING) for _ in range(3)]
    assert len({player.lease, *taken}) == 4
    assert player.attempt.lease == taken[-1]


def test_who_took_it_and_from_where_is_kept(hall: Hall) -> None:
    player = hall.player()
    player.start()
    other = hall.player()
    by = Actor("candidate", "x", player.id, hall.organisation_id, address="10.0.0.9", user_agent="Kiosk 2")
    attempts.resume(other.id, lease=other.lease, by=by, now=hall.MORNING)
    attempt = player.attempt
    assert (attempt.address, attempt.user_agent) == ("10.0.0.9", "Kiosk 2")
    event = db.session.execute(select(AuditEvent).where(AuditEvent.action == "take_lease")).scalar_one()
    assert event.address == "10.0.0.9"
    assert event.details["user_agent"] == "Kiosk 2"


def test_with_approval_a_live_page_is_not_taken_from(careful: Hall) -> None:
    player, other = careful.player(), careful.player()
    player.start()
    for take in (lambda: other.resume(at=careful.MORNING + SOON), lambda: other.start(at=careful.MORNING + SOON)):
        with pytest.raises(TakeoverNeedsApproval):
            take()
    with pytest.raises(TakeoverNeedsApproval):
        further_page(player, at=careful.MORNING + SOON)
    assert player.save(1, "A").saved
    assert actions_on(player) == ["ask_takeover"] * 3


def test_with_approval_a_silent_page_is_taken_from_without_asking(careful: Hall) -> None:
    player, other = careful.player(), careful.player()
    player.start()
    other.resume(at=careful.MORNING + leases.SEEN_LATELY + timedelta(seconds=1))
    assert player.attempt.lease == other.lease


def test_polls_keep_a_page_alive(careful: Hall) -> None:
    player, other = careful.player(), careful.player()
    started = player.start()
    later = careful.MORNING + timedelta(minutes=5)
    reports.clock(started.attempt_id, lease=player.lease, now=later)
    presence.flush()
    with pytest.raises(TakeoverNeedsApproval):
        other.resume(at=later + SOON)
    # a poll of a page that has lost the exam is no sign of life of the one that has it
    reports.clock(started.attempt_id, lease=other.lease, now=later + SOON)
    presence.flush()
    other.resume(at=later + timedelta(seconds=31))


def test_an_approval_counts_once_and_not_for_long(careful: Hall) -> None:
    player, other = careful.player(), careful.player()
    started = player.start()
    leases.approve(started.attempt_id, by=careful.centre_admin, now=careful.MORNING)
    other.resume(at=careful.MORNING + SOON)
    with pytest.raises(TakeoverNeedsApproval):
        player.resume(at=careful.MORNING + SOON)
    leases.approve(started.attempt_id, by=careful.centre_admin, now=careful.MORNING)
    late = careful.MORNING + leases.APPROVAL_HOLDS + SOON
    reports.clock(started.attempt_id, lease=other.lease, now=late)
    presence.flush()
    with pytest.raises(TakeoverNeedsApproval):
        player.resume(at=late)


def test_nothing_is_approved_for_an_exam_that_is_over(careful: Hall) -> None:
    player = careful.player()
    started = player.start()
    player.submit()
    with pytest.raises(AttemptNotRunning):
        leases.approve(started.attempt_id, by=careful.centre_admin, now=careful.MORNING)


def test_a_sign_in_that_was_ended_writes_nothing_more(hall: Hall) -> None:
    player = hall.player()
    started = player.start()
    player.actor = Actor("candidate", "x", player.id, hall.organisation_id, epoch=0)
    assert player.save(1, "A").saved
    with transaction():
        db.session.execute(update(Candidate).where(Candidate.id == player.id).values(session_epoch=1))
    with pytest.raises(SignedOut):
        player.save(1, "B")
    with pytest.raises(SignedOut):
        reports.standing(player.id, now=hall.MORNING, epoch=0)
    assert started.attempt_id == player.attempt.id
    assert player.paper()[0][3] == "A"
