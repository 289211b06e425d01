"""The slot: a candidate's entitlement to sit one paper once."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kiosk.models.base import Model, one_of
from kiosk.models.types import Code, Instant, Name, PublicId
from kiosk.states import SlotStatus


class Slot(Model):
    """One row is current (not closed); closed rows are the history. No row means: no slot."""

    __tablename__ = "slots"
    __table_args__ = (
        Index(
            "uq_slots_one_current",
            "candidate_id",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
            sqlite_where=text("closed_at IS NULL"),
        ),
        Index("ix_slots_candidate_paper", "candidate_id", "paper_id"),
        CheckConstraint(
            one_of("status", SlotStatus.AVAILABLE, SlotStatus.ATTEMPTING, SlotStatus.CONSUMED), name="status"
        ),
        CheckConstraint("(closed_at IS NULL) = (closed_as IS NULL)", name="closed"),
        CheckConstraint(one_of("closed_as", "done", "reset", "reassigned"), name="closed_as"),
        CheckConstraint("(status = 'consumed') = (consumed_at IS NOT NULL)", name="consumed"),
    )

    id: Mapped[PublicId]
    candidate_id: Mapped[UUID] = mapped_column(ForeignKey("candidates.id"))
    paper_id: Mapped[UUID] = mapped_column(ForeignKey("papers.id"))
    paper_type: Mapped[Code]
    status: Mapped[Code] = mapped_column(default=SlotStatus.AVAILABLE)
    version: Mapped[int] = mapped_column(default=1)
    assigned_at: Mapped[Instant]
    assigned_by: Mapped[Name]
    extra_attempts: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[Instant | None]
    consumed_at: Mapped[Instant | None]
    consumed_how: Mapped[Code | None]
    closed_at: Mapped[Instant | None]
    closed_by: Mapped[Name | None]
    closed_as: Mapped[Code | None]
    close_reason: Mapped[str | None] = mapped_column(Text)
