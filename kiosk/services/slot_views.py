"""How a slot is shown to staff: its state in words to be, and what they could do to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kiosk.states import AttemptStatus, SlotAction, SlotStatus, slot_actions_from

# what staff can do to a slot, by the word in address and button
STAFF_ACTIONS = {
    SlotAction.ASSIGN: "assign",
    SlotAction.REASSIGN: "reassign",
    SlotAction.RELEASE: "clear",
    SlotAction.RESET: "reset",
}


@dataclass(frozen=True)
class SlotView:
    """A slot's state with since when, by whom and how it came about."""

    status: str
    since: datetime | None = None
    by: str | None = None
    how: str | None = None
    paused_at: datetime | None = None

    @property
    def is_paused(self) -> bool:
        """Whether the clock of the attempt stands still."""
        return self.paused_at is not None


def slot_view(slot: Any, attempt: Any = None) -> SlotView:
    """Return the state of a slot row (None, or without a status: no slot) as its chip says it."""
    if slot is None or slot.status is None:
        return SlotView(SlotStatus.NONE)
    paused_at = attempt.paused_at if attempt and attempt.status == AttemptStatus.PAUSED else None
    if slot.status == SlotStatus.AVAILABLE:
        return SlotView(slot.status, slot.assigned_at, by=slot.assigned_by)
    if slot.status == SlotStatus.ATTEMPTING:
        return SlotView(slot.status, slot.started_at, paused_at=paused_at)
    return SlotView(slot.status, slot.consumed_at, how=slot.consumed_how)


def actions_for(slot: SlotView, *, has_session: bool) -> tuple[str, ...]:
    """Return what staff could do to this slot now, from the table of the life cycle."""
    allowed = [
        STAFF_ACTIONS[action] for action in slot_actions_from(SlotStatus(slot.status)) if action in STAFF_ACTIONS
    ]
    if has_session and "clear" not in allowed:
        allowed.append("clear")
    if slot.status == SlotStatus.ATTEMPTING:
        allowed.insert(0, "resume" if slot.is_paused else "pause")
    return tuple(allowed)
