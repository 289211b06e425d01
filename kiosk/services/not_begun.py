"""Why somebody who has not begun can't, as the staff at the room board are told."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from kiosk.errors import (
    AttemptLimit,
    GoToSeat,
    KioskError,
    KioskRequired,
    LockdownRequired,
    NotCheckedIn,
    PaperNotPublished,
    ShiftNotOpen,
    TooLate,
    WrongShift,
)
from kiosk.services import entry
from kiosk.services.entry import Entry

Why = Literal["", "absent", "seat", "late", "no_shift", "closed", "paper", "limit", "other"]

_WORDS: tuple[tuple[type[KioskError], Why], ...] = (
    (TooLate, "late"),
    (WrongShift, "no_shift"),
    (ShiftNotOpen, "closed"),
    (PaperNotPublished, "paper"),
    (AttemptLimit, "limit"),
)


def why(candidate_id: UUID, *, now: datetime) -> Why:
    """Return what stands in the way of a start; empty if nothing but the candidate does. Raises NotFound.

    At which kiosk somebody sits is told there: the board can't know it.
    """
    found = entry.read(candidate_id)
    refusal = entry.refusal(found, now=now)
    if refusal is None or isinstance(refusal, GoToSeat | KioskRequired | LockdownRequired):
        return ""
    if isinstance(refusal, NotCheckedIn):
        return _at_the_door(found)
    return next((word for kind, word in _WORDS if isinstance(refusal, kind)), "other")


def _at_the_door(found: Entry) -> Why:
    is_absent = found.centre.demands_check_in and found.candidate.checked_in_at is None
    return "absent" if is_absent else "seat"
