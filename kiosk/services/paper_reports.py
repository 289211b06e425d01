"""Papers as the admin's pages show them: the list, and one paper with its parts, its sets and what is fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from kiosk.errors import NotFound
from kiosk.extensions import db
from kiosk.models import Attempt, Paper, Part, QuestionSet, Slot, Trade
from kiosk.services import completeness, holders
from kiosk.services.completeness import PartCount
from kiosk.services.listing import Listed, Order, listed
from kiosk.services.paper_values import PaperValues, PartValues, Structure, plain

STATUSES = ("draft", "in_use", "archived")
SORTS = {
    "title": (Paper.title,),
    "trade": (Trade.code, Paper.paper_type),
    "status": (Paper.status, Paper.title),
}


@dataclass(frozen=True)
class PaperFilters:
    """Which papers are asked for; empty values ask for all."""

    q: str = ""
    trade: UUID | None = None
    paper_type: str = ""
    status: str = ""


@dataclass(frozen=True)
class PaperRow:
    """One paper in the list. Without a trade it is common to all."""

    paper_id: UUID
    title: str
    trade_code: str | None
    paper_type: str
    status: str
    duration_minutes: int
    written_marks: int
    practical_marks: int
    viva_marks: int
    questions: int
    published_sets: int


@dataclass(frozen=True)
class SetRow:
    """One version of a question set of a paper, and what it has of each part."""

    set_id: UUID
    label: str
    version: int
    status: str
    parts: tuple[PartCount, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every part is as the paper demands."""
        return bool(self.parts) and all(part.is_ok for part in self.parts)


@dataclass(frozen=True)
class PaperView:
    """One paper's page. `is_fixed`: its parts and marks can no longer change."""

    paper_id: UUID
    trade_id: UUID | None
    trade_code: str | None
    paper_type: str
    status: str
    values: PaperValues
    structure: Structure
    sets: tuple[SetRow, ...]
    attempts: int
    waiting: int
    published_sets: int

    @property
    def is_fixed(self) -> bool:
        """Whether sets were published for these parts, or somebody has sat them."""
        return self.attempts > 0 or self.published_sets > 0


def papers(organisation_id: UUID, filters: PaperFilters, order: Order) -> Listed[PaperRow]:
    """Return a page of the organisation's papers."""
    questions = select(func.coalesce(func.sum(Part.question_count), 0)).where(Part.paper_id == Paper.id)
    published = select(func.count()).where(QuestionSet.paper_id == Paper.id, QuestionSet.status == "published")
    query = _matching(
        organisation_id,
        filters,
        Paper,
        Trade.code,
        questions.scalar_subquery().label("questions"),
        published.scalar_subquery().label("published"),
    )
    return listed(query, order, SORTS, _row)


def matching_ids(organisation_id: UUID, filters: PaperFilters) -> list[UUID]:
    """Return every paper that the same filters ask for."""
    return list(db.session.execute(_matching(organisation_id, filters, Paper.id)).scalars())


def paper(paper_id: UUID, *, organisation_id: UUID) -> PaperView:
    """Return one paper of the organisation. Raises NotFound."""
    row = db.session.execute(
        select(Paper, Trade.code)
        .outerjoin(Trade, Trade.id == Paper.trade_id)
        .where(Paper.id == paper_id, Paper.organisation_id == organisation_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    found: Paper = row.Paper
    sets = _sets(paper_id)
    return PaperView(
        paper_id=paper_id,
        trade_id=found.trade_id,
        trade_code=row.code,
        paper_type=found.paper_type,
        status=found.status,
        values=values_of(found),
        structure=structure_of(found),
        sets=sets,
        attempts=attempts_at(paper_id),
        waiting=holders.holding(Slot.paper_id == paper_id),
        published_sets=sum(one.status != "draft" for one in sets),
    )


def values_of(found: Paper) -> PaperValues:
    """Return what may be changed at any time."""
    return PaperValues(
        title=found.title,
        duration_minutes=found.duration_seconds // 60,
        pass_percentage=found.pass_percentage,
        max_attempts=found.max_attempts,
        counting_attempt=found.counting_attempt,
        score_release=found.score_release,
        languages=found.languages,
    )


def structure_of(found: Paper) -> Structure:
    """Return the parts and marks of a paper."""
    return structures_of([found])[found.id]


def structures_of(found: Sequence[Paper]) -> dict[UUID, Structure]:
    """Return the parts and marks of each of these papers: one statement."""
    parts: dict[UUID, list[PartValues]] = {paper.id: [] for paper in found}
    for part in db.session.execute(select(Part).where(Part.paper_id.in_(parts)).order_by(Part.letter)).scalars():
        parts[part.paper_id].append(
            PartValues(
                letter=part.letter,
                question_type=part.question_type,
                question_count=part.question_count,
                marks_each=plain(part.marks_each),
                negative_marks=plain(part.negative_marks),
                min_words=part.min_words,
                max_words=part.max_words,
            )
        )
    return {paper.id: Structure(tuple(parts[paper.id]), paper.practical_marks, paper.viva_marks) for paper in found}


def attempts_at(paper_id: UUID) -> int:
    """Return how many attempts at a paper there are, cancelled ones included."""
    return db.session.execute(
        select(func.count()).select_from(Attempt).where(Attempt.paper_id == paper_id)
    ).scalar_one()


def published_sets(paper_id: UUID) -> int:
    """Return how many sets of a paper are or were published."""
    return db.session.execute(
        select(func.count())
        .select_from(QuestionSet)
        .where(QuestionSet.paper_id == paper_id, QuestionSet.status != "draft")
    ).scalar_one()


def _matching(organisation_id: UUID, filters: PaperFilters, *columns: Any) -> Select[Any]:
    query = (
        select(*columns)
        .select_from(Paper)
        .outerjoin(Trade, Trade.id == Paper.trade_id)
        .where(Paper.organisation_id == organisation_id)
    )
    if filters.q:
        query = query.where(
            Paper.title.icontains(filters.q, autoescape=True) | Trade.code.icontains(filters.q, autoescape=True)
        )
    if filters.trade:
        query = query.where(Paper.trade_id == filters.trade)
    if filters.paper_type:
        query = query.where(Paper.paper_type == filters.paper_type)
    if filters.status:
        query = query.where(Paper.status == filters.status)
    return query


def _sets(paper_id: UUID) -> tuple[SetRow, ...]:
    rows = db.session.execute(
        select(QuestionSet.id, QuestionSet.label, QuestionSet.version, QuestionSet.status)
        .where(QuestionSet.paper_id == paper_id)
        .order_by(QuestionSet.label, QuestionSet.version.desc())
    ).all()
    return tuple(SetRow(row.id, row.label, row.version, row.status, completeness.completeness(row.id)) for row in rows)


def _row(row: Any) -> PaperRow:
    found: Paper = row.Paper
    return PaperRow(
        paper_id=found.id,
        title=found.title,
        trade_code=row.code,
        paper_type=found.paper_type,
        status=found.status,
        duration_minutes=found.duration_seconds // 60,
        written_marks=found.written_marks,
        practical_marks=found.practical_marks,
        viva_marks=found.viva_marks,
        questions=row.questions,
        published_sets=row.published,
    )
