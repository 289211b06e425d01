"""How long finished tests took, pauses left out: per paper, with the spread that a chart can show."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from kiosk.extensions import db
from kiosk.models import Attempt, Paper, Pause
from kiosk.models.sqltime import milliseconds_between
from kiosk.states import HANDED_IN

MINUTE_MS = 60_000


@dataclass(frozen=True)
class PaperDurations:
    """One paper: how many finished it, and in how many minutes."""

    title: str
    paper_type: str
    allowed: float
    count: int
    ran_out: int
    shortest: float
    lower: float
    median: float
    upper: float
    longest: float


def per_paper(centre_id: UUID, shift_id: UUID | None = None) -> list[PaperDurations]:
    """Return the durations of a centre's finished tests, of one shift or of all, by the papers' titles."""
    paused = select(func.coalesce(func.sum(milliseconds_between(Pause.from_at, Pause.to_at)), 0)).where(
        Pause.attempt_id == Attempt.id, Pause.to_at.is_not(None)
    )
    net = milliseconds_between(Attempt.started_at, Attempt.closed_at) - paused.scalar_subquery()
    query = (
        select(Paper.id, Paper.title, Paper.paper_type, Paper.duration_seconds, Attempt.ended_by, net.label("net_ms"))
        .join(Paper, Paper.id == Attempt.paper_id)
        .where(Attempt.centre_id == centre_id, Attempt.status.in_(HANDED_IN), Attempt.started_at.is_not(None))
        .order_by(Paper.title, Paper.id)
    )
    if shift_id:
        query = query.where(Attempt.shift_id == shift_id)
    papers: dict[UUID, list[tuple[float, str]]] = {}
    about: dict[UUID, tuple[str, str, float]] = {}
    for row in db.session.execute(query):
        papers.setdefault(row.id, []).append((max(0.0, float(row.net_ms)) / MINUTE_MS, row.ended_by))
        about[row.id] = (row.title, row.paper_type, row.duration_seconds / 60)
    return [_summary(*about[paper_id], found) for paper_id, found in papers.items()]


def _summary(title: str, paper_type: str, allowed: float, found: Sequence[tuple[float, str]]) -> PaperDurations:
    minutes = sorted(one for one, _ in found)
    # quartiles of one are that one
    lower, median, upper = statistics.quantiles(minutes, method="inclusive") if len(minutes) > 1 else minutes * 3
    return PaperDurations(
        title=title,
        paper_type=paper_type,
        allowed=allowed,
        count=len(minutes),
        ran_out=sum(ended_by == "expired" for _, ended_by in found),
        shortest=minutes[0],
        lower=lower,
        median=median,
        upper=upper,
        longest=minutes[-1],
    )
