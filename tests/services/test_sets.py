"""Active question sets: what is complete, and the switch."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from kiosk.errors import NotFound, ReasonMissing, SetNotReady, WritingNow
from kiosk.extensions import db, transaction
from kiosk.models import Activation, AuditEvent
from kiosk.services import reports, set_history, set_reports, sets
from kiosk.states import AttemptStatus, SlotStatus
from tests.cast import Hall


def new_set(hall: Hall, label: str, **how) -> object:  # type: ignore[no-untyped-def]
    """Add a set in a transaction of its own."""
    with transaction():
        return hall.add_set(label, hall.paper_id, **how)


def test_A2_after_a_switch_a_candidate_starts_again_on_the_new_set_with_the_full_time(hall: Hall) -> None:
    hall.activate("C")
    player = hall.player()
    old = player.start()
    player.save(1, "A")
    set_e = new_set(hall, "E")
    done = hall.activate_set(set_e, at=hall.after(hours=1))
    assert (done.cancelled, done.released) == (1, 1)
    assert not reports.clock(old.attempt_id, lease=player.lease, now=hall.after(hours=1)).is_running
    assert player.slot.status == SlotStatus.AVAILABLE
    cancelled = player.attempt
    assert (cancelled.status, cancelled.cancel_reason) == ("cancelled", "set_switched")
    assert next(row[3] for row in player.paper() if row[0] == 1) == "A"
    again = player.start(at=hall.after(hours=2))
    assert again.deadline_at == hall.after(hours=2) + hall.DURATION
    assert player.attempt.question_set_id == set_e


def test_the_candidate_is_told_that_the_set_was_switched(hall: Hall) -> None:
    player = hall.player()
    player.start()
    hall.activate("B")
    standing = reports.standing(player.id, now=hall.MORNING)
    assert (standing.kind, standing.attempt.cancel_reason) == ("cancelled", "set_switched")
    assert standing.refusal is None, "the slot is available again"
    assert standing.paper.allowed_seconds == 3 * 3600


def test_who_writes_may_finish_on_the_old_set(hall: Hall) -> None:
    player, next_one = hall.player(0), hall.player(1)
    player.start()
    done = hall.activate("B", keep_running=True, confirmed=False)
    assert done.cancelled == 0
    assert player.save(1, "A").saved
    next_one.start()
    assert (player.attempt.question_set_id, next_one.attempt.question_set_id) == (hall.sets["A"], hall.sets["B"])


def test_a_switch_is_refused_without_confirmation_while_people_write(hall: Hall) -> None:
    player = hall.player()
    player.start()
    with pytest.raises(WritingNow) as refused:
        hall.activate("B", confirmed=False)
    assert refused.value.details == {"count": 1, "word": "TTC"}
    assert player.attempt.status == AttemptStatus.IN_PROGRESS
    assert active_label() == "A"


@pytest.mark.parametrize(
    ("how", "said"),
    [({"leave_out": 1}, "Part F: 1 of 2"), ({"publish": False}, "not published"), ({"leave_out": 9}, "Part E: 0 of 1")],
)
def test_an_incomplete_or_unpublished_set_is_refused_with_what_is_missing(hall: Hall, how, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SetNotReady) as refused:
        hall.activate_set(new_set(hall, "X", **how))
    assert said in refused.value.sentence
    assert active_label() == "A"


def test_a_set_that_is_active_already_is_refused(hall: Hall) -> None:
    with pytest.raises(SetNotReady, match="active already"):
        hall.activate("A")


def test_a_switch_needs_a_reason(hall: Hall) -> None:
    with pytest.raises(ReasonMissing):
        hall.activate("B", reason=" ")


def test_sets_and_trades_of_another_organisation_are_not_there(hall: Hall) -> None:
    with pytest.raises(NotFound):
        sets.preview(hall.sets["B"], [hall.stranger["trade"]], organisation_id=hall.organisation_id)
    with pytest.raises(NotFound):
        sets.preview(hall.sets["B"], [hall.trade_id], organisation_id=hall.stranger["organisation"])


def test_a_preview_counts_who_waits_and_who_writes(hall: Hall) -> None:
    hall.player(0).start()
    preview = sets.preview(hall.sets["B"], [hall.trade_id], organisation_id=hall.organisation_id)
    assert (preview.waiting, preview.writing, preview.problems) == (hall.CANDIDATES - 1, 1, ())
    assert preview.confirm_word == "TTC"


def test_every_switch_stays_in_the_history_with_one_current_row(hall: Hall) -> None:
    for label in "BCA":
        hall.activate(label)
    current = select(func.count()).select_from(Activation).where(Activation.ended_at.is_(None))
    assert db.session.execute(current).scalar_one() == 2, "the primary's and the secondary's"
    history = set_history.history(hall.organisation_id).rows
    assert [row.label for row in history if row.paper_type == "primary"].count("A") == 2
    switches = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == "activate_set")
    assert db.session.execute(switches).scalar_one() == 5


def test_the_table_shows_completeness_waiting_and_writing(hall: Hall) -> None:
    hall.player(0).start()
    rows = {row.paper_type: row for row in set_reports.active_sets(hall.organisation_id)}
    primary = rows["primary"]
    assert (primary.label, primary.is_complete, primary.waiting, primary.writing) == ("A", True, 5, 1)
    first = primary.parts[0]
    assert (first.letter, first.found, first.demanded) == ("A", 3, 3)
    assert rows["secondary"].is_common


def active_label() -> str:
    """The label of TTC's active primary set."""
    from kiosk.models import QuestionSet

    return db.session.execute(
        select(QuestionSet.label)
        .join(Activation, Activation.question_set_id == QuestionSet.id)
        .where(Activation.ended_at.is_(None), Activation.paper_type == "primary")
    ).scalar_one()
