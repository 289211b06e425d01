"""The two life cycles as tables, and the one door: what is not listed is refused and changes nothing."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from sqlalchemy import func, select, update

from kiosk.extensions import db, transaction
from kiosk.models import Attempt, AuditEvent, Slot
from kiosk.services import _transitions
from kiosk.states import (
    ATTEMPT_MOVES,
    SLOT_MOVES,
    AttemptAction,
    AttemptStatus,
    CancelReason,
    SlotAction,
    SlotStatus,
    attempt_target,
    slot_actions_from,
)
from tests.cast import Hall

UNLISTED_SLOT_MOVES = [
    (status, action)
    for status, action in product(SlotStatus, SlotAction)
    if (status, action) not in SLOT_MOVES and status is not SlotStatus.NONE
]
UNLISTED_ATTEMPT_MOVES = [move for move in product(AttemptStatus, AttemptAction) if move not in ATTEMPT_MOVES]


def test_every_action_leads_to_one_state() -> None:
    for moves in (SLOT_MOVES, ATTEMPT_MOVES):
        targets: dict[Any, set[Any]] = {}
        for (_, action), target in moves.items():
            targets.setdefault(action, set()).add(target)
        # a closed row leaves no state behind: reset leads to none, reassign and assign open a new row
        assert all(len(found) == 1 for found in targets.values())


def test_a_consumed_slot_can_be_assigned_reset_reassigned_and_reopened() -> None:
    assert set(slot_actions_from(SlotStatus.CONSUMED)) == {
        SlotAction.ASSIGN,
        SlotAction.REOPEN,
        SlotAction.RESET,
        SlotAction.REASSIGN,
    }


@pytest.mark.harms_the_database
@pytest.mark.parametrize(("status", "action"), UNLISTED_SLOT_MOVES, ids=lambda part: str(part))
def test_every_unlisted_slot_move_is_refused(hall: Hall, status: SlotStatus, action: SlotAction) -> None:
    player = hall.player()
    slot_id = player.slot.id
    _force_slot(slot_id, status)
    before = _rows(Slot)
    with transaction():
        moved = _transitions.move_slots([slot_id], action, by=hall.admin, now=hall.MORNING)
    assert not moved
    assert _rows(Slot) == before


@pytest.mark.harms_the_database
@pytest.mark.parametrize(("status", "action"), UNLISTED_ATTEMPT_MOVES, ids=lambda part: str(part))
def test_every_unlisted_attempt_move_is_refused(hall: Hall, status: AttemptStatus, action: AttemptAction) -> None:
    player = hall.player()
    player.start()
    attempt_id = player.attempt.id
    _force_attempt(attempt_id, status, hall)
    before, audited = _rows(Attempt), _count(AuditEvent)
    with transaction():
        moved = _transitions.move_attempts([attempt_id], action, by=hall.admin, now=hall.MORNING)
    assert not moved
    assert (_rows(Attempt), _count(AuditEvent)) == (before, audited)


@pytest.mark.parametrize("action", [AttemptAction.SUBMIT, AttemptAction.EXPIRE])
def test_a_move_and_its_audit_row_stand_or_fall_together(hall: Hall, action: AttemptAction) -> None:
    player = hall.player()
    player.start()
    before, audited = _rows(Attempt), _count(AuditEvent)
    attempt_id = player.attempt.id

    def move_and_fail() -> None:
        with transaction():
            _transitions.move_attempts([attempt_id], action, by=hall.admin, now=hall.MORNING, closed_at=hall.MORNING)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        move_and_fail()
    assert (_rows(Attempt), _count(AuditEvent)) == (before, audited)


def test_the_database_refuses_to_change_the_audit_log(hall: Hall) -> None:
    for statement in (update(AuditEvent).values(reason="forged"), AuditEvent.__table__.delete()):
        with pytest.raises(Exception, match="append-only"), transaction():
            db.session.execute(statement)
    assert _count(AuditEvent) > 0


def _force_slot(slot_id: Any, status: SlotStatus) -> None:
    """Put a row into a state without the door, for the test's sake."""
    consumed = status is SlotStatus.CONSUMED
    with transaction():
        db.session.execute(
            update(Slot)
            .where(Slot.id == slot_id)
            .values(
                status=status,
                consumed_at=Hall.MORNING if consumed else None,
                consumed_how="submitted" if consumed else None,
            )
        )


def _force_attempt(attempt_id: Any, status: AttemptStatus, hall: Hall) -> None:
    is_open = status in (AttemptStatus.INITIATED, AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)
    with transaction():
        db.session.execute(
            update(Attempt)
            .where(Attempt.id == attempt_id)
            .values(
                status=status,
                deadline_at=hall.after(hours=3) if status is AttemptStatus.IN_PROGRESS else None,
                remaining_ms=1000 if status is AttemptStatus.PAUSED else None,
                closed_at=None if is_open else hall.MORNING,
                cancel_reason=CancelReason.STAFF if status is AttemptStatus.CANCELLED else None,
            )
        )


def _rows(model: Any) -> list[tuple[Any, ...]]:
    db.session.expire_all()
    return [tuple(row) for row in db.session.execute(select(model.__table__).order_by(model.__table__.c.id))]


def _count(model: Any) -> int:
    return db.session.execute(select(func.count()).select_from(model)).scalar_one()


def test_the_target_of_every_attempt_action_is_known() -> None:
    assert {attempt_target(action) for action in AttemptAction} <= set(AttemptStatus)
