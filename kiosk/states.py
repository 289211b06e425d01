"""The two life cycles: slots and attempts. Pure tables; they guard the services and draw the buttons."""

from __future__ import annotations

from enum import StrEnum


class SlotStatus(StrEnum):
    """A candidate's entitlement to sit one paper once. NONE is shown where there is no current row."""

    NONE = "none"
    AVAILABLE = "available"
    ATTEMPTING = "attempting"
    CONSUMED = "consumed"


class SlotAction(StrEnum):
    """What can happen to a slot."""

    ASSIGN = "assign_exam_slot"
    START = "start_exam_attempt"
    CONSUME = "consume_exam_slot"
    RELEASE = "release_exam_slot"
    RESTORE = "restore_exam_slot"
    REOPEN = "reopen_exam_slot"
    RESET = "reset_exam_slot"
    REASSIGN = "reassign_exam_slot"


class AttemptStatus(StrEnum):
    """One sitting. INITIATED, IN_PROGRESS and PAUSED are open."""

    INITIATED = "initiated"
    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    SUBMITTED = "submitted"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


class AttemptAction(StrEnum):
    """What can happen to an attempt."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    SUBMIT = "submit"
    EXPIRE = "expire"
    CANCEL = "cancel"
    COMPLETE = "complete"
    RESTORE = "restore"
    REOPEN = "reopen"


class CancelReason(StrEnum):
    """Why an attempt ended without a result."""

    SLOT_RESET = "slot_reset"
    SLOT_REASSIGNED = "slot_reassigned"
    SET_SWITCHED = "set_switched"
    CLEARED = "cleared"
    NOT_STARTED = "not_started"
    STAFF = "staff"


_S, _A = SlotStatus, SlotAction

SLOT_MOVES: dict[tuple[SlotStatus, SlotAction], SlotStatus] = {
    (_S.NONE, _A.ASSIGN): _S.AVAILABLE,
    (_S.CONSUMED, _A.ASSIGN): _S.AVAILABLE,
    (_S.AVAILABLE, _A.START): _S.ATTEMPTING,
    (_S.ATTEMPTING, _A.CONSUME): _S.CONSUMED,
    (_S.ATTEMPTING, _A.RELEASE): _S.AVAILABLE,
    (_S.AVAILABLE, _A.RESTORE): _S.ATTEMPTING,
    (_S.CONSUMED, _A.REOPEN): _S.ATTEMPTING,
    (_S.AVAILABLE, _A.RESET): _S.NONE,
    (_S.ATTEMPTING, _A.RESET): _S.NONE,
    (_S.CONSUMED, _A.RESET): _S.NONE,
    (_S.AVAILABLE, _A.REASSIGN): _S.AVAILABLE,
    (_S.ATTEMPTING, _A.REASSIGN): _S.AVAILABLE,
    (_S.CONSUMED, _A.REASSIGN): _S.AVAILABLE,
}

_T, _B = AttemptStatus, AttemptAction

ATTEMPT_MOVES: dict[tuple[AttemptStatus, AttemptAction], AttemptStatus] = {
    (_T.INITIATED, _B.START): _T.IN_PROGRESS,
    (_T.IN_PROGRESS, _B.PAUSE): _T.PAUSED,
    (_T.PAUSED, _B.RESUME): _T.IN_PROGRESS,
    (_T.IN_PROGRESS, _B.SUBMIT): _T.SUBMITTED,
    (_T.IN_PROGRESS, _B.EXPIRE): _T.EXPIRED,
    (_T.INITIATED, _B.CANCEL): _T.CANCELLED,
    (_T.IN_PROGRESS, _B.CANCEL): _T.CANCELLED,
    (_T.PAUSED, _B.CANCEL): _T.CANCELLED,
    (_T.SUBMITTED, _B.COMPLETE): _T.COMPLETED,
    (_T.EXPIRED, _B.COMPLETE): _T.COMPLETED,
    (_T.CANCELLED, _B.RESTORE): _T.PAUSED,
    (_T.EXPIRED, _B.REOPEN): _T.PAUSED,
    (_T.COMPLETED, _B.REOPEN): _T.PAUSED,
}

OPEN_ATTEMPT = (AttemptStatus.INITIATED, AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)
HANDED_IN = (AttemptStatus.SUBMITTED, AttemptStatus.EXPIRED, AttemptStatus.COMPLETED)

# these close the current slot row; where the move leads to a state, a new row takes its place
CLOSING_SLOT_ACTIONS = {SlotAction.RESET: "reset", SlotAction.REASSIGN: "reassigned", SlotAction.ASSIGN: "done"}


def slot_sources(action: SlotAction) -> tuple[SlotStatus, ...]:
    """The states from which `action` is allowed."""
    return tuple(source for source, listed in SLOT_MOVES if listed is action)


def attempt_sources(action: AttemptAction) -> tuple[AttemptStatus, ...]:
    """The states from which `action` is allowed."""
    return tuple(source for source, listed in ATTEMPT_MOVES if listed is action)


def attempt_target(action: AttemptAction) -> AttemptStatus:
    """The one state that `action` leads to."""
    return next(target for (_, listed), target in ATTEMPT_MOVES.items() if listed is action)


def slot_target(action: SlotAction) -> SlotStatus:
    """The one state that `action` leads to."""
    return next(target for (_, listed), target in SLOT_MOVES.items() if listed is action)


def slot_actions_from(status: SlotStatus) -> tuple[SlotAction, ...]:
    """What is allowed from `status`; the staff's buttons come from here."""
    return tuple(action for source, action in SLOT_MOVES if source is status)
