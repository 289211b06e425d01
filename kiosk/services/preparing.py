"""Before the clock runs: which paper a candidate may start, and the attempt that waits for it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from kiosk.errors import AttemptNotRunning, NoSlot, NotFound, SlotConsumed
from kiosk.models import Attempt
from kiosk.services import attempts, entry, sitting_reports
from kiosk.services.attempts import Started
from kiosk.services.audit import Actor
from kiosk.services.entry import Entry
from kiosk.states import AttemptStatus


def start_paper(candidate_id: UUID, paper_id: UUID, *, lease: int, by: Actor, now: datetime) -> Started:
    """Start the paper of the candidate's current slot without a start code; while it runs: that attempt.

    Raises NotFound (no such paper), NoSlot (another paper), AttemptNotRunning (paused), and what
    `attempts.start` raises.
    """
    found = _entry_to(paper_id, candidate_id, by)
    if found.attempt is not None:
        found = _still_open(found, found.attempt, by=by, now=now)
    return attempts.start(
        candidate_id, lease=lease, by=by, now=now, demands_start_code=False, language=found.candidate.language
    )


def _entry_to(paper_id: UUID, candidate_id: UUID, by: Actor) -> Entry:
    """What decides about the candidate's start of this paper. Raises NotFound, NoSlot."""
    found = entry.read(candidate_id)
    if found.paper is not None and found.paper.id == paper_id:
        return found
    assert by.organisation_id is not None
    raise NoSlot if sitting_reports.paper_exists(paper_id, by.organisation_id) else NotFound


def _still_open(found: Entry, attempt: Attempt, *, by: Actor, now: datetime) -> Entry:
    """The same entry if its attempt can go on. One past its time is ended here. Raises AttemptNotRunning."""
    if attempt.status == AttemptStatus.PAUSED:
        raise AttemptNotRunning(attempt_status=attempt.status)
    if not sitting_reports.is_over(attempt, now):
        return found
    attempts.submit(attempt.id, by=by, now=now)
    ended = entry.read(found.candidate.id)
    raise entry.refusal(ended, now=now) or SlotConsumed(at=now, clock_time=ended.at_centre(now), is_time_over=True)
