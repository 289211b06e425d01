"""The life of a shift. A pure table, as in `kiosk/states.py`; it guards the service and draws the buttons."""

from __future__ import annotations

from enum import StrEnum


class ShiftStatus(StrEnum):
    """PLANNED: nobody is let in. GATE: check-in runs. OPEN: exams may start. CLOSED: nothing begins any more."""

    PLANNED = "planned"
    GATE = "gate"
    OPEN = "open"
    CLOSED = "closed"


class ShownShift:
    """A shift as staff are shown it, in a list or alone: what its state means for the page."""

    status: str

    @property
    def is_open(self) -> bool:
        """Whether exams may start."""
        return self.status == ShiftStatus.OPEN

    @property
    def is_closed(self) -> bool:
        """Whether it is over for good."""
        return self.status == ShiftStatus.CLOSED


class ShiftAction(StrEnum):
    """What staff do to a shift."""

    OPEN_GATE = "open_gate"
    OPEN = "open_shift"
    CLOSE = "close_shift"


_S, _A = ShiftStatus, ShiftAction

SHIFT_MOVES: dict[tuple[ShiftStatus, ShiftAction], ShiftStatus] = {
    (_S.PLANNED, _A.OPEN_GATE): _S.GATE,
    (_S.GATE, _A.OPEN): _S.OPEN,
    (_S.OPEN, _A.CLOSE): _S.CLOSED,
}


def shift_source(action: ShiftAction) -> ShiftStatus:
    """The one state from which `action` is allowed."""
    return next(source for source, listed in SHIFT_MOVES if listed is action)


def shift_target(action: ShiftAction) -> ShiftStatus:
    """The one state that `action` leads to."""
    return next(target for (_, listed), target in SHIFT_MOVES.items() if listed is action)


def shift_action_from(status: str) -> ShiftAction | None:
    """What comes next for a shift in this state; None at the end of its life."""
    return next((action for source, action in SHIFT_MOVES if source == status), None)
