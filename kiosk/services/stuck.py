"""Tests that need somebody: past their time, silent, paused for long, never started, or not marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select

from kiosk.extensions import db
from kiosk.models import Answer, Attempt, Candidate, Paper, Trade
from kiosk.services.system import settings
from kiosk.states import AttemptStatus

OVERDUE, MARKING, SILENT, PAUSED, NOT_STARTED = KINDS = ("overdue", "marking", "silent", "paused", "not_started")
SILENT_AFTER, LOST_AFTER = timedelta(minutes=5), timedelta(minutes=15)
LONG = timedelta(minutes=15)
LATE = timedelta(seconds=5)
PAGE_ROWS = 50


@dataclass(frozen=True)
class StuckFilters:
    """Which of them are asked for. Page 0 is all of them, for an export."""

    kind: str = ""
    q: str = ""
    page: int = 1


@dataclass(frozen=True)
class StuckRow:
    """One test that needs somebody: why, since when, and how far it is."""

    attempt_id: UUID
    candidate_id: UUID
    service_no: str
    name: str
    seat: str | None
    trade_code: str
    paper_type: str
    kind: str
    since: datetime
    is_lost: bool
    answered: int
    total: int
    tries: int
    retry_at: datetime | None
    trouble: str | None


@dataclass(frozen=True)
class StuckPage:
    """One page of them, and how many there are of each kind."""

    rows: Sequence[StuckRow]
    by_kind: dict[str, int]
    matching: int
    page: int
    pages: int


def stuck(centre_id: UUID, filters: StuckFilters, *, now: datetime) -> StuckPage:
    """Return the tests of a centre that need somebody, those that have waited longest first."""
    kind, since = _kind(now), _since(now)
    base = _matching(centre_id, filters.q, kind)
    counted = db.session.execute(base.with_only_columns(kind, func.count()).group_by(kind)).all()
    by_kind = {name: next((row[1] for row in counted if row[0] == name), 0) for name in KINDS}
    matching = by_kind[filters.kind] if filters.kind else sum(by_kind.values())
    pages = max(1, math.ceil(matching / PAGE_ROWS))
    page = min(max(1, filters.page), pages)
    if filters.kind:
        base = base.where(kind == filters.kind)
    if filters.page:
        base = base.limit(PAGE_ROWS).offset((page - 1) * PAGE_ROWS)
    rows = db.session.execute(
        base.with_only_columns(
            *(Attempt.id, Attempt.candidate_id, Attempt.marking_tries, Attempt.retry_at, Attempt.trouble),
            *(Candidate.service_no, Candidate.name, Candidate.seat, Trade.code.label("trade_code"), Paper.paper_type),
            *(kind.label("kind"), since.label("since"), _answered(True), _answered(False)),
        ).order_by(since, Attempt.id)
    )
    return StuckPage([_row(row, now) for row in rows], by_kind, matching, page, pages)


def _row(row: Any, now: datetime) -> StuckRow:
    return StuckRow(
        attempt_id=row.id,
        candidate_id=row.candidate_id,
        service_no=row.service_no,
        name=row.name,
        seat=row.seat,
        trade_code=row.trade_code,
        paper_type=row.paper_type,
        kind=row.kind,
        since=row.since,
        is_lost=row.kind == SILENT and now - row.since > LOST_AFTER,
        answered=row.answered,
        total=row.total,
        tries=row.marking_tries,
        retry_at=row.retry_at,
        trouble=row.trouble,
    )


def _matching(centre_id: UUID, q: str, kind: Any) -> Select[Any]:
    query = (
        select(Attempt.id)
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .join(Trade, Trade.id == Candidate.trade_id)
        .join(Paper, Paper.id == Attempt.paper_id)
        .where(
            Attempt.centre_id == centre_id,
            or_(
                Attempt.status.in_((AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED, AttemptStatus.INITIATED)),
                and_(Attempt.status.in_((AttemptStatus.SUBMITTED, AttemptStatus.EXPIRED)), Attempt.marked_at.is_(None)),
            ),
            kind.is_not(None),
        )
    )
    if q:
        says = [one.icontains(q, autoescape=True) for one in (Candidate.service_no, Candidate.name)]
        query = query.where(or_(*says))
    return query


def _kind(now: datetime) -> Any:
    limit = now - timedelta(seconds=settings().save_grace_seconds) - LATE
    runs = Attempt.status == AttemptStatus.IN_PROGRESS
    over: ColumnElement[bool] = Attempt.status.in_((AttemptStatus.SUBMITTED, AttemptStatus.EXPIRED))
    return case(
        (and_(runs, Attempt.deadline_at < limit), literal(OVERDUE)),
        (and_(runs, _heard() < now - SILENT_AFTER), literal(SILENT)),
        (and_(Attempt.status == AttemptStatus.PAUSED, Attempt.paused_at < now - LONG), literal(PAUSED)),
        (and_(Attempt.status == AttemptStatus.INITIATED, Attempt.created_at < now - LONG), literal(NOT_STARTED)),
        (and_(over, or_(Attempt.marking_tries > 0, Attempt.closed_at < now - SILENT_AFTER)), literal(MARKING)),
        else_=None,
    )


def _since(now: datetime) -> Any:
    limit = now - timedelta(seconds=settings().save_grace_seconds) - LATE
    return case(
        (and_(Attempt.status == AttemptStatus.IN_PROGRESS, Attempt.deadline_at < limit), Attempt.deadline_at),
        (Attempt.status == AttemptStatus.IN_PROGRESS, _heard()),
        (Attempt.status == AttemptStatus.PAUSED, Attempt.paused_at),
        (Attempt.status == AttemptStatus.INITIATED, Attempt.created_at),
        else_=Attempt.closed_at,
    )


def _heard() -> Any:
    return func.coalesce(Attempt.last_seen_at, Attempt.started_at)


def _answered(only: bool) -> Any:
    counted = select(func.count()).where(Answer.attempt_id == Attempt.id)
    if only:
        return counted.where(Answer.response.is_not(None)).scalar_subquery().label("answered")
    return counted.scalar_subquery().label("total")
