"""Who may do what: role → named capabilities, in this one table."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Staff roles. Candidates are people of their own kind and have no role."""

    INVIGILATOR = "invigilator"
    CENTRE_ADMIN = "centre_admin"
    MARKS_OFFICER = "marks_officer"
    ADMIN = "admin"
    AUDITOR = "auditor"


_WATCH = {"centre.see", "candidate.see", "slot.see"}
_INVIGILATE = _WATCH | {
    "candidate.check_in",
    "candidate.unlock",
    "attempt.pause",
    "attempt.approve_takeover",
    "seat.move",
    "incident.write",
    "time.grant_short",
}
_RUN_CENTRE = _INVIGILATE | {
    "slot.assign",
    "slot.reset",
    "slot.reassign",
    "session.clear",
    "candidate.edit",
    "seat.edit",
    "kiosk.see",
    "shift.edit",
    "time.grant",
    "attempt.reopen",
}
_SEE_ALL = _WATCH | {"office.see", "kiosk.see", "set.see", "result.see", "audit.see", "answer.see", "system.see"}

CAPABILITIES: dict[Role, frozenset[str]] = {
    Role.INVIGILATOR: frozenset(_INVIGILATE),
    Role.CENTRE_ADMIN: frozenset(_RUN_CENTRE),
    Role.MARKS_OFFICER: frozenset({"marks.edit", "result.see"}),
    Role.ADMIN: frozenset(
        _RUN_CENTRE
        | _SEE_ALL
        | {"set.activate", "set.edit", "paper.edit", "centre.edit", "user.edit", "attempt.restore", "marks.edit"}
    ),
    Role.AUDITOR: frozenset(_SEE_ALL),
}

ORGANISATION_WIDE = frozenset({Role.ADMIN, Role.AUDITOR, Role.MARKS_OFFICER})


def may(role: Role, capability: str) -> bool:
    """Whether `role` has `capability`."""
    return capability in CAPABILITIES[role]
