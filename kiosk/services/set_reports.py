"""What the table of active sets shows: trade × paper, completeness, who waits and who writes."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from kiosk.extensions import db
from kiosk.models import Activation, Attempt, Candidate, Paper, QuestionSet, Slot, Trade
from kiosk.services.completeness import PartCount, completeness, problems
from kiosk.states import AttemptStatus, SlotStatus

WRITING = (AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)


@dataclass(frozen=True)
class ActiveSet:
    """One row of the table. Without an active set `label` is None."""

    trade_id: UUID
    trade_code: str
    trade_name: str
    paper_type: str
    paper_id: UUID | None
    is_common: bool
    set_id: UUID | None
    label: str | None
    version: int | None
    since: datetime | None
    activated_by: str | None
    parts: tuple[PartCount, ...]
    problems: tuple[str, ...]
    waiting: int
    writing: int

    @property
    def is_complete(self) -> bool:
        """Whether a candidate can start with this set."""
        return self.set_id is not None and not self.problems


@dataclass(frozen=True)
class SetChoice:
    """A set that could be activated for a paper."""

    set_id: UUID
    label: str
    version: int
    status: str
    published_at: datetime | None
    parts: tuple[PartCount, ...]
    is_complete: bool
    is_active: bool


def active_sets(organisation_id: UUID) -> list[ActiveSet]:
    """Return one row for each trade and paper type that the trade has."""
    trades = db.session.execute(
        select(Trade).where(Trade.organisation_id == organisation_id, Trade.archived_at.is_(None)).order_by(Trade.code)
    ).scalars()
    papers = {
        (row.trade_id, row.paper_type): row
        for row in db.session.execute(
            select(Paper).where(Paper.organisation_id == organisation_id, Paper.status == "in_use")
        ).scalars()
    }
    active = _activations(organisation_id)
    waiting, writing = _counts(organisation_id)
    judged: dict[UUID, tuple[tuple[PartCount, ...], tuple[str, ...]]] = {}
    rows = []
    for trade in trades:
        for paper_type in ("primary", "secondary") if trade.has_primary else ("secondary",):
            paper = papers.get((trade.id, paper_type)) or papers.get((None, paper_type))
            row = active.get((trade.id, paper_type))
            if row and row.set_id not in judged:
                judged[row.set_id] = (completeness(row.set_id), tuple(problems(row.set_id)))
            parts, wrong = judged[row.set_id] if row else ((), ())
            key = (trade.id, paper.id if paper else None)
            rows.append(
                ActiveSet(
                    trade_id=trade.id,
                    trade_code=trade.code,
                    trade_name=trade.name,
                    paper_type=paper_type,
                    paper_id=paper.id if paper else None,
                    is_common=bool(paper and paper.trade_id is None),
                    set_id=row.set_id if row else None,
                    label=row.label if row else None,
                    version=row.version if row else None,
                    since=row.activated_at if row else None,
                    activated_by=row.activated_by if row else None,
                    parts=parts,
                    problems=wrong,
                    waiting=waiting[key],
                    writing=writing[key],
                )
            )
    return rows


def choices(trade_id: UUID, paper_type: str, *, organisation_id: UUID) -> list[SetChoice]:
    """Return the sets of the paper that this trade sits, newest version of each label first."""
    paper_id = _paper_of(trade_id, paper_type, organisation_id)
    current = _activations(organisation_id).get((trade_id, paper_type))
    rows = db.session.execute(
        select(QuestionSet)
        .where(QuestionSet.paper_id == paper_id)
        .order_by(QuestionSet.label, QuestionSet.version.desc())
    ).scalars()
    return [
        SetChoice(
            set_id=row.id,
            label=row.label,
            version=row.version,
            status=row.status,
            published_at=row.published_at,
            parts=completeness(row.id),
            is_complete=not problems(row.id),
            is_active=bool(current and current.set_id == row.id),
        )
        for row in rows
    ]


def sets_to_activate(
    organisation_id: UUID, trade_code: str | None, paper_type: str, label: str
) -> list[tuple[UUID, list[UUID]]]:
    """Return (set, trades) pairs for the newest published version of a label; without a code for all trades.

    A pair without trades: the set is there, and active wherever it was asked for.
    """
    plan: dict[UUID, list[UUID]] = defaultdict(list)
    for row in active_sets(organisation_id):
        if row.paper_type != paper_type or row.paper_id is None or trade_code not in (None, row.trade_code):
            continue
        set_id = db.session.execute(
            select(QuestionSet.id)
            .where(QuestionSet.paper_id == row.paper_id, QuestionSet.label == label, QuestionSet.status == "published")
            .order_by(QuestionSet.version.desc())
            .limit(1)
        ).scalar_one_or_none()
        if set_id:
            plan[set_id] += [] if row.set_id == set_id else [row.trade_id]
    return list(plan.items())


def _paper_of(trade_id: UUID, paper_type: str, organisation_id: UUID) -> UUID | None:
    papers = db.session.execute(
        select(Paper.id, Paper.trade_id).where(
            Paper.organisation_id == organisation_id,
            Paper.paper_type == paper_type,
            Paper.status == "in_use",
            (Paper.trade_id == trade_id) | Paper.trade_id.is_(None),
        )
    ).all()
    # a trade's own paper goes before the common one
    return next((row.id for row in sorted(papers, key=lambda row: row.trade_id is None)), None)


def _activations(organisation_id: UUID) -> dict[tuple[UUID, str], Any]:
    rows = db.session.execute(
        select(
            Activation.trade_id,
            Activation.paper_type,
            Activation.activated_at,
            Activation.activated_by,
            QuestionSet.id.label("set_id"),
            QuestionSet.label,
            QuestionSet.version,
        )
        .join(QuestionSet, QuestionSet.id == Activation.question_set_id)
        .join(Trade, Trade.id == Activation.trade_id)
        .where(Activation.ended_at.is_(None), Trade.organisation_id == organisation_id)
    ).all()
    return {(row.trade_id, row.paper_type): row for row in rows}


def _counts(organisation_id: UUID) -> tuple[Counter[Any], Counter[Any]]:
    """Who waits and who writes, by trade and paper."""
    waiting = db.session.execute(
        select(Candidate.trade_id, Slot.paper_id, func.count())
        .join(Candidate, Candidate.id == Slot.candidate_id)
        .where(
            Slot.closed_at.is_(None),
            Slot.status == SlotStatus.AVAILABLE,
            Candidate.organisation_id == organisation_id,
        )
        .group_by(Candidate.trade_id, Slot.paper_id)
    )
    writing = db.session.execute(
        select(Candidate.trade_id, Attempt.paper_id, func.count())
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .where(Attempt.status.in_(WRITING), Candidate.organisation_id == organisation_id)
        .group_by(Candidate.trade_id, Attempt.paper_id)
    )
    return (
        Counter({(trade, paper): count for trade, paper, count in waiting}),
        Counter({(trade, paper): count for trade, paper, count in writing}),
    )
