"""Records: the audit log, and the signs of life of the server's processes."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Index, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from kiosk.models.base import Model
from kiosk.models.types import Code, Instant, JsonValue, Name, PublicId


class AuditEvent(Model):
    """Who changed what from what to what, when, why, from where. Append-only: the database refuses more."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_object", "object_kind", "object_id"),
        Index("ix_audit_events_at", "at"),
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
