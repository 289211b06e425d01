"""The one door: a move leaves alone what is no longer where the move begins."""

from __future__ import annotations

import pytest

from kiosk.extensions import transaction
from kiosk.services import _transitions
from kiosk.services.audit import SYSTEM
from kiosk.states import ATTEMPT_MOVES, SLOT_MOVES, AttemptAction, AttemptStatus, SlotAction, SlotStatus
from tests.cast import Hall

NOT_FROM_COMPLETED = [action for action in AttemptAction if (AttemptStatus.COMPLETED, action) not in ATTEMPT_MOVES]
NOT_FROM_CONSUMED = [action for action in SlotAction if (SlotStatus.CONSUMED, action) not in SLOT_MOVES]


@pytest.mark.parametrize("action", NOT_FROM_COMPLETED)
def test_an_attempt_that_was_ended_meanwhile_is_not_moved(hall: Hall, action: AttemptAction) -> None:
    player = hall.player()
    player.start()
    player.submit()
    attempt_id, before = player.attempt.id, hall.audit(player.attempt.id)
    with transaction():
        assert _transitions.move_attempts([attempt_id], action, by=SYSTEM, now=hall.MORNING) == []
    assert player.attempt.status == "completed"
    assert hall.audit(attempt_id) == before


@pytest.mark.parametrize("action", NOT_FROM_CONSUMED)
def test_a_slot_that_was_consumed_meanwhile_is_not_moved(hall: Hall, action: SlotAction) -> None:
    player = hall.player()
    player.start()
    player.submit()
    slot = player.slot
    assert slot is not None
    slot_id, before = slot.id, hall.audit(slot.id)
    with transaction():
        assert _transitions.move_slots([slot_id], action, by=SYSTEM, now=hall.MORNING) == []
    assert player.slot.status == "consumed"
    assert hall.audit(slot_id) == before
