"""Records: the audit log, and the signs of life of the server's processes."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from kiosk.models.base import Model
from kiosk.models.types import BigId, Code, Instant, JsonValue, Name, PublicId


class AuditEvent(Model):
    """Who changed what from what to what, when, why, from where. Append-only: the database refuses more."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_object", "object_kind", "object_id"),
        Index("ix_audit_events_at", "at"),
        Index("ix_audit_events_actor", "actor_id", "at"),
        Index("ix_audit_events_action", "action", "at"),
    )

    id: Mapped[PublicId]
    # no foreign keys: the log outlives what it tells of
    organisation_id: Mapped[UUID | None] = mapped_column(Uuid)
    at: Mapped[Instant]
    actor_kind: Mapped[Code]
    actor_id: Mapped[UUID | None] = mapped_column(Uuid)
    actor_name: Mapped[Name]
    action: Mapped[Code]
    object_kind: Mapped[Code]
    object_id: Mapped[UUID] = mapped_column(Uuid)
    from_state: Mapped[Code | None]
    to_state: Mapped[Code | None]
    reason: Mapped[str | None] = mapped_column(Text)
    details: Mapped[JsonValue | None]
    request_id: Mapped[Code | None]
    address: Mapped[Code | None]


class AuditSeal(Model):
    """A batch of audit rows under one hash, chained to the seal before it: whoever changes a row breaks the chain."""

    __tablename__ = "audit_seals"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    first_id: Mapped[UUID] = mapped_column(Uuid)
    last_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    row_count: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    # one seal follows each: of two sweepers that seal at the same moment the second one's is refused
    hash_before: Mapped[str] = mapped_column(String(64), unique=True)
    sealed_at: Mapped[Instant]


class Incident(Model):
    """Something that happened in the hall, with the time it cost."""

    __tablename__ = "incidents"
    __table_args__ = (
        Index("ix_incidents_centre_at", "centre_id", "happened_at"),
        CheckConstraint("seconds_lost >= 0", name="seconds_lost"),
    )

    id: Mapped[PublicId]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    centre_id: Mapped[UUID] = mapped_column(ForeignKey("centres.id"))
    shift_id: Mapped[UUID | None] = mapped_column(ForeignKey("shifts.id"))
    candidate_id: Mapped[UUID | None] = mapped_column(ForeignKey("candidates.id"), index=True)
    attempt_id: Mapped[UUID | None] = mapped_column(ForeignKey("attempts.id"))
    kind: Mapped[Code]
    words: Mapped[str] = mapped_column(Text)
    seconds_lost: Mapped[int] = mapped_column(default=0)
    seconds_granted: Mapped[int] = mapped_column(default=0)
    happened_at: Mapped[Instant]
    written_at: Mapped[Instant]
    written_by: Mapped[Name]


class ProcessStamp(Model):
    """The last sign of life of one process; the newest of all tells how long the server was away."""

    __tablename__ = "process_stamps"

    process: Mapped[str] = mapped_column(String(80), primary_key=True)
    kind: Mapped[Code]
    stamped_at: Mapped[Instant]
    details: Mapped[JsonValue | None]


class IdempotencyKey(Model):
    """A call that a program may repeat: who made it, under which key, and once it had its effect the answer."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_made_at", "made_at"),)

    # no foreign key: it is either a user's or a candidate's, and gone after a day
    user_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    call: Mapped[str] = mapped_column(String(200), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[Instant]
    status: Mapped[int | None]
    body: Mapped[JsonValue | None]
