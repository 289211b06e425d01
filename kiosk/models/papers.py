"""What is asked: trades, papers and parts, question sets and questions, and which set is active."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kiosk.models.base import Model, one_of
from kiosk.models.types import Code, Instant, JsonValue, Name, PublicId

QUESTION_TYPES = ("single", "multiple", "true_false", "numeric", "fill", "short", "long")
PAPER_TYPES = ("primary", "secondary")


class Trade(Model):
    """What a candidate is tested in."""

    __tablename__ = "trades"
    __table_args__ = (UniqueConstraint("organisation_id", "code"),)

    id: Mapped[PublicId]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    code: Mapped[Code]
    name: Mapped[Name]
    has_primary: Mapped[bool] = mapped_column(default=True)
    archived_at: Mapped[Instant | None]


class Paper(Model):
    """Trade + paper type; without a trade it is common to all trades."""

    __tablename__ = "papers"
    __table_args__ = (
        CheckConstraint(one_of("paper_type", *PAPER_TYPES), name="paper_type"),
        CheckConstraint(one_of("status", "draft", "in_use", "archived"), name="status"),
        CheckConstraint(one_of("score_release", "never", "at_submit", "when_published"), name="score_release"),
        CheckConstraint(one_of("counting_attempt", "last", "best", "first"), name="counting_attempt"),
        CheckConstraint("written_marks + practical_marks + viva_marks = 100", name="marks_make_100"),
        CheckConstraint("duration_seconds BETWEEN 60 AND 86400", name="duration"),
        CheckConstraint("max_attempts >= 1", name="max_attempts"),
    )

    id: Mapped[PublicId]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    trade_id: Mapped[UUID | None] = mapped_column(ForeignKey("trades.id"))
    paper_type: Mapped[Code]
    title: Mapped[Name]
    status: Mapped[Code] = mapped_column(default="draft")
    duration_seconds: Mapped[int]
    written_marks: Mapped[int]
    practical_marks: Mapped[int]
    viva_marks: Mapped[int]
    pass_percentage: Mapped[int] = mapped_column(default=40)
    max_attempts: Mapped[int] = mapped_column(default=1)
    counting_attempt: Mapped[Code] = mapped_column(default="last")
    score_release: Mapped[Code] = mapped_column(default="never")
    languages: Mapped[Code] = mapped_column(default="en,hi")
    archived_at: Mapped[Instant | None]


class Part(Model):
    """A…F of a paper: what kind of questions, how many, for how many marks."""

    __tablename__ = "parts"
    __table_args__ = (
        UniqueConstraint("paper_id", "letter"),
        CheckConstraint(one_of("question_type", *QUESTION_TYPES), name="question_type"),
        CheckConstraint("question_count >= 1 AND marks_each > 0 AND negative_marks >= 0", name="numbers"),
    )

    id: Mapped[PublicId]
    paper_id: Mapped[UUID] = mapped_column(ForeignKey("papers.id"))
    letter: Mapped[str] = mapped_column(String(1))
    question_type: Mapped[Code]
    question_count: Mapped[int]
    marks_each: Mapped[Decimal] = mapped_column(Numeric(6, 2))
    negative_marks: Mapped[Decimal] = mapped_column(Numeric(6, 2), default=Decimal(0))
    min_words: Mapped[int | None]
    max_words: Mapped[int | None]


class QuestionSet(Model):
    """One complete set of questions for a paper. Published is frozen; a change makes a new version."""

    __tablename__ = "question_sets"
    __table_args__ = (
        UniqueConstraint("paper_id", "label", "version"),
        CheckConstraint(one_of("status", "draft", "published", "retired"), name="status"),
    )

    id: Mapped[PublicId]
    paper_id: Mapped[UUID] = mapped_column(ForeignKey("papers.id"))
    label: Mapped[Code]
    version: Mapped[int] = mapped_column(default=1)
    status: Mapped[Code] = mapped_column(default="draft")
    created_at: Mapped[Instant]
    published_at: Mapped[Instant | None]


class Question(Model):
    """One question of one set version. `options` is [{"key", "text", "text_hi"}]; `answer` holds the key.

    answer by type: single "B"; multiple ["A", "C"]; true_false true; numeric {"value", "tolerance"};
    fill ["form", …]; short and long: the model answer.
    """

    __tablename__ = "questions"
    __table_args__ = (
        UniqueConstraint("question_set_id", "number"),
        CheckConstraint(one_of("question_type", *QUESTION_TYPES), name="question_type"),
    )

    id: Mapped[PublicId]
    question_set_id: Mapped[UUID] = mapped_column(ForeignKey("question_sets.id"))
    part: Mapped[str] = mapped_column(String(1))
    number: Mapped[int]
    question_type: Mapped[Code]
    text: Mapped[str] = mapped_column(Text)
    text_hi: Mapped[str | None] = mapped_column(Text)
    options: Mapped[JsonValue | None]
    answer: Mapped[JsonValue]
    marks: Mapped[Decimal] = mapped_column(Numeric(6, 2))
    negative_marks: Mapped[Decimal] = mapped_column(Numeric(6, 2), default=Decimal(0))
    topic: Mapped[Name] = mapped_column(default="")


class Activation(Model):
    """Which set is active for a trade and paper type. The current row has no end."""

    __tablename__ = "activations"
    __table_args__ = (
        Index(
            "uq_activations_one_active_set",
            "trade_id",
            "paper_type",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
        CheckConstraint(one_of("paper_type", *PAPER_TYPES), name="paper_type"),
    )

    id: Mapped[PublicId]
    trade_id: Mapped[UUID] = mapped_column(ForeignKey("trades.id"))
    paper_type: Mapped[Code]
    question_set_id: Mapped[UUID] = mapped_column(ForeignKey("question_sets.id"), index=True)
    activated_at: Mapped[Instant]
    activated_by: Mapped[Name]
    reason: Mapped[str] = mapped_column(Text, default="")
    ended_at: Mapped[Instant | None]
