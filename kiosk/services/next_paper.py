"""Which paper is next for a candidate: decided when a slot is assigned, and frozen on the slot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from kiosk.extensions import db
from kiosk.models import Activation, Attempt, Paper, Slot
from kiosk.states import AttemptStatus, SlotStatus


@dataclass(frozen=True)
class Plan:
    """What decides for a batch of candidates, read in four statements."""

    papers: dict[tuple[UUID | None, str], Any]
    done: set[tuple[UUID, UUID]]
    made: dict[tuple[UUID, UUID], int]
    active: set[tuple[UUID, str]]

    def next_for(self, candidate: Any, slot: Any) -> tuple[Any, str | None]:
        """Return the candidate's next paper, or why there is none to assign now."""
        if slot is not None and slot.status != SlotStatus.CONSUMED:
            return None, "has_slot" if slot.status == SlotStatus.AVAILABLE else "is_writing"
        paper = self._paper(candidate)
        if paper is None:
            return None, "no_paper"
        if (candidate.id, paper.id) in self.done:
            return None, "all_done"
        if (candidate.trade_id, paper.paper_type) not in self.active:
            return None, "no_active_set"
        if self.made.get((candidate.id, paper.id), 0) >= paper.max_attempts:
            return None, "attempt_limit"
        return paper, None

    def _paper(self, candidate: Any) -> Any:
        """The primary, if the trade has one, it is not done and no bypass is recorded; else the secondary."""
        if candidate.has_primary and not candidate.primary_bypassed_at:
            primary = self.papers.get((candidate.trade_id, "primary"))
            if primary is None or (candidate.id, primary.id) not in self.done:
                return primary
        return self.papers.get((candidate.trade_id, "secondary")) or self.papers.get((None, "secondary"))


def plan(candidate_ids: list[UUID], organisation_ids: list[UUID]) -> Plan:
    """Return what decides for these candidates."""
    return Plan(_papers(organisation_ids), _done(candidate_ids), _attempts_made(candidate_ids), _active())


def _papers(organisation_ids: list[UUID]) -> dict[tuple[UUID | None, str], Any]:
    rows = db.session.execute(
        select(Paper.id, Paper.trade_id, Paper.paper_type, Paper.max_attempts).where(
            Paper.organisation_id.in_(set(organisation_ids)), Paper.status == "in_use"
        )
    ).all()
    return {(row.trade_id, row.paper_type): row for row in rows}


def _done(ids: list[UUID]) -> set[tuple[UUID, UUID]]:
    """(candidate, paper) of consumed slots that were not closed by reset or reassign."""
    rows = db.session.execute(
        select(Slot.candidate_id, Slot.paper_id).where(
            Slot.candidate_id.in_(ids),
            Slot.status == SlotStatus.CONSUMED,
            Slot.closed_as.is_(None) | (Slot.closed_as == "done"),
        )
    )
    return {(row.candidate_id, row.paper_id) for row in rows}


def _attempts_made(ids: list[UUID]) -> dict[tuple[UUID, UUID], int]:
    rows = db.session.execute(
        select(Attempt.candidate_id, Attempt.paper_id, func.count().label("made"))
        .where(Attempt.candidate_id.in_(ids), Attempt.status != AttemptStatus.CANCELLED)
        .group_by(Attempt.candidate_id, Attempt.paper_id)
    )
    return {(row.candidate_id, row.paper_id): row.made for row in rows}


def _active() -> set[tuple[UUID, str]]:
    rows = db.session.execute(select(Activation.trade_id, Activation.paper_type).where(Activation.ended_at.is_(None)))
    return {(row.trade_id, row.paper_type) for row in rows}
