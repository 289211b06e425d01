"""The attempt: one sitting, its drawn questions with the newest response to each, and its time."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from kiosk.models.base import Model, one_of
from kiosk.models.types import BigId, Code, Instant, JsonValue, Name, PublicId
from kiosk.states import AttemptStatus, CancelReason

OPEN = text("status IN ('initiated', 'in_progress', 'paused')")
HAS_RESULT = text("closed_at IS NOT NULL AND cancel_reason IS NULL")


def _one_open(name: str, column: str) -> Index:
    return Index(name, column, unique=True, postgresql_where=OPEN, sqlite_where=OPEN)


class Attempt(Model):
    """One sitting. `version` counts changes of time and state; `lease` is the page that may write.

    `kiosk_id`, `address` and `user_agent` are those of the page that holds the lease; `takeover_approved_at` is
    when staff agreed that another page may take it.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        _one_open("uq_attempts_one_open_per_slot", "slot_id"),
        _one_open("uq_attempts_one_open_per_candidate", "candidate_id"),
        Index("ix_attempts_status_deadline", "status", "deadline_at"),
        Index("ix_attempts_candidate_paper", "candidate_id", "paper_id"),
        Index("ix_attempts_slot", "slot_id"),
        Index("ix_attempts_changed", "changed_at"),
        # the list of results: the latest ones without a look at all others
        Index("ix_attempts_handed_in", "closed_at", "id", postgresql_where=HAS_RESULT, sqlite_where=HAS_RESULT),
        CheckConstraint(one_of("status", *AttemptStatus), name="status"),
        CheckConstraint(one_of("cancel_reason", *CancelReason), name="cancel_reason"),
        CheckConstraint("(status = 'in_progress') = (deadline_at IS NOT NULL AND closed_at IS NULL)", name="deadline"),
        CheckConstraint("status <> 'paused' OR (remaining_ms IS NOT NULL AND deadline_at IS NULL)", name="paused"),
        CheckConstraint("status <> 'in_progress' OR remaining_ms IS NULL", name="running"),
        CheckConstraint("(status IN ('initiated', 'in_progress', 'paused')) = (closed_at IS NULL)", name="closed"),
        CheckConstraint("(status = 'cancelled') = (cancel_reason IS NOT NULL)", name="cancelled"),
    )

    id: Mapped[PublicId]
    candidate_id: Mapped[UUID] = mapped_column(ForeignKey("candidates.id"))
    slot_id: Mapped[UUID] = mapped_column(ForeignKey("slots.id"))
    paper_id: Mapped[UUID] = mapped_column(ForeignKey("papers.id"))
    question_set_id: Mapped[UUID] = mapped_column(ForeignKey("question_sets.id"), index=True)
    centre_id: Mapped[UUID] = mapped_column(ForeignKey("centres.id"))
    shift_id: Mapped[UUID | None] = mapped_column(ForeignKey("shifts.id"), index=True)
    number: Mapped[int]
    status: Mapped[Code]
    version: Mapped[int] = mapped_column(BigInteger, default=1)
    lease: Mapped[int] = mapped_column(BigInteger, default=1)
    seed: Mapped[str] = mapped_column(String(32))
    allowed_seconds: Mapped[int]
    language: Mapped[Code] = mapped_column(default="en")
    created_at: Mapped[Instant]
    changed_at: Mapped[Instant]
    consented_at: Mapped[Instant | None]
    started_at: Mapped[Instant | None]
    deadline_at: Mapped[Instant | None]
    paused_at: Mapped[Instant | None]
    remaining_ms: Mapped[int | None] = mapped_column(BigInteger)
    closed_at: Mapped[Instant | None]
    ended_by: Mapped[Code | None]
    cancel_reason: Mapped[Code | None]
    reason_text: Mapped[str | None] = mapped_column(Text)
    receipt: Mapped[str | None] = mapped_column(String(19), index=True)
    marked_at: Mapped[Instant | None]
    marking_tries: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[Instant | None]
    trouble: Mapped[str | None] = mapped_column(String(200))  # why it could not be ended or marked the last time
    last_seen_at: Mapped[Instant | None]
    unsaved: Mapped[int] = mapped_column(default=0, server_default="0")  # answers only the page has, as it says
    kiosk_id: Mapped[UUID | None] = mapped_column(ForeignKey("kiosks.id"), index=True)
    address: Mapped[Code | None]
    user_agent: Mapped[str | None] = mapped_column(String(200))
    takeover_approved_at: Mapped[Instant | None]


class Answer(Model):
    """One drawn question of an attempt, with the newest response to it (NULL: none, or cleared).

    The row is made when the questions are drawn, so a save is one UPDATE by primary key. `option_order`
    lists the question's own option keys in the order in which this candidate sees them as A, B, C …
    """

    __tablename__ = "answers"
    __table_args__ = (Index("ix_answers_attempt_number", "attempt_id", "number", unique=True),)

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id"), primary_key=True)
    # no foreign key: PostgreSQL would lock all the questions for each start, and the others' starts want the same ones.
    # A set that somebody drew from can't go, for the attempt names it; the doctor asks for each answer's question (I16)
    question_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    number: Mapped[int]
    part: Mapped[str] = mapped_column(String(1))
    option_order: Mapped[str] = mapped_column(String(26), default="")
    response: Mapped[JsonValue | None]
    seq: Mapped[int] = mapped_column(BigInteger, default=0)
    saved_at: Mapped[Instant | None]
    visited_at: Mapped[Instant | None]
    is_marked: Mapped[bool] = mapped_column(default=False)
    time_spent_seconds: Mapped[int] = mapped_column(default=0, server_default="0")  # as programs report it
    marks: Mapped[Decimal | None] = mapped_column(Numeric(6, 2))


class AnswerSave(Model):
    """One save that arrived. Append-only; the refused ones are kept too, as not counted."""

    __tablename__ = "answer_saves"
    __table_args__ = (Index("ix_answer_saves_attempt_question", "attempt_id", "question_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    # no foreign keys: evidence of a stray save must never be refused, and inserts stay cheap
    attempt_id: Mapped[UUID] = mapped_column(Uuid)
    question_id: Mapped[UUID] = mapped_column(Uuid)
    seq: Mapped[int] = mapped_column(BigInteger)
    response: Mapped[JsonValue | None]
    arrived_at: Mapped[Instant]
    lease: Mapped[int | None] = mapped_column(BigInteger)
    is_counted: Mapped[bool] = mapped_column(default=True)
    refusal: Mapped[Code | None]


class Visit(Model):
    """One look at one question: the way a candidate took through the paper. Written in batches."""

    __tablename__ = "visits"
    __table_args__ = (Index("ix_visits_attempt", "attempt_id", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    # no foreign keys, as with the saves
    attempt_id: Mapped[UUID] = mapped_column(Uuid)
    number: Mapped[int]
    at: Mapped[Instant]


class Pause(Model):
    """A time in which the clock of an attempt stood still; open while `to_at` is empty."""

    __tablename__ = "pauses"
    __table_args__ = (Index("ix_pauses_attempt", "attempt_id"),)

    id: Mapped[PublicId]
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id"))
    kind: Mapped[Code]
    from_at: Mapped[Instant]
    to_at: Mapped[Instant | None]
    paused_by: Mapped[Name]
    resumed_by: Mapped[Name | None]
    reason: Mapped[str] = mapped_column(Text, default="")


class TimeGrant(Model):
    """Seconds added to an attempt."""

    __tablename__ = "time_grants"
    __table_args__ = (
        Index("ix_time_grants_attempt", "attempt_id"),
        CheckConstraint("seconds > 0", name="seconds"),
    )

    id: Mapped[PublicId]
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id"))
    seconds: Mapped[int]
    kind: Mapped[Code]
    reason: Mapped[str] = mapped_column(Text)
    granted_at: Mapped[Instant]
    granted_by: Mapped[Name]
