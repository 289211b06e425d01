"""What comes of it: results in versions, and what candidates say of the computer."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kiosk.models.base import Model
from kiosk.models.types import Instant, PublicId


class Result(Model):
    """The written marks of one completed attempt; versions, never overwritten, one current."""

    __tablename__ = "results"
    __table_args__ = (
        Index(
            "uq_results_one_current",
            "attempt_id",
            unique=True,
            postgresql_where=text("superseded_at IS NULL"),
            sqlite_where=text("superseded_at IS NULL"),
        ),
        Index("ix_results_attempt", "attempt_id"),
    )

    id: Mapped[PublicId]
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id"))
    version: Mapped[int] = mapped_column(default=1)
    score: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    max_score: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    computed_at: Mapped[Instant]
    superseded_at: Mapped[Instant | None]


class Feedback(Model):
    """What a candidate says of the computer after the exam; one per attempt."""

    __tablename__ = "feedback"
    __table_args__ = (CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),)

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id"), primary_key=True)
    rating: Mapped[int | None]
    comment: Mapped[str] = mapped_column(Text, default="")
    sent_at: Mapped[Instant]
