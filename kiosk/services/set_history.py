"""Which question set was active when, by whom and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from kiosk.models import Activation, QuestionSet, Trade
from kiosk.services.listing import Listed, Order, listed

LATEST = Order("since", True)
SORTS = {
    "since": (Activation.activated_at, Activation.id),
    "trade": (Trade.code, Activation.paper_type),
    "by": (Activation.activated_by,),
}


@dataclass(frozen=True)
class HistoryFilters:
    """Which activations are asked for; empty values ask for all."""

    q: str = ""
    paper: str = ""


@dataclass(frozen=True)
class PastActivation:
    """A row of the history: which set, from when to when, by whom, why."""

    trade_code: str
    paper_type: str
    label: str
    version: int
    activated_at: datetime
    activated_by: str
    ended_at: datetime | None
    reason: str


def history(
    organisation_id: UUID, filters: HistoryFilters | None = None, order: Order = LATEST
) -> Listed[PastActivation]:
    """Return a page of the activations, the newest first unless asked otherwise: two statements."""
    asked = filters or HistoryFilters()
    query: Any = (
        select(
            Trade.code,
            Activation.paper_type,
            QuestionSet.label,
            QuestionSet.version,
            Activation.activated_at,
            Activation.activated_by,
            Activation.ended_at,
            Activation.reason,
        )
        .join(Trade, Trade.id == Activation.trade_id)
        .join(QuestionSet, QuestionSet.id == Activation.question_set_id)
        .where(Trade.organisation_id == organisation_id)
    )
    if asked.q:
        words = (Trade.code, Trade.name, QuestionSet.label, Activation.activated_by, Activation.reason)
        query = query.where(or_(*(column.icontains(asked.q, autoescape=True) for column in words)))
    if asked.paper:
        query = query.where(Activation.paper_type == asked.paper)
    return listed(query, order, SORTS, lambda row: PastActivation(*row))
