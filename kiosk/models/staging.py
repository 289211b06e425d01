"""What an import puts down on its way in: nobody else reads it, and it goes with its job.

No foreign keys: a row here claims nothing, and must not keep anything from being deleted.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from kiosk.models.base import Model
from kiosk.models.types import Code, Instant, JsonValue, Name

Tail = String(20)


class StagedCandidate(Model):
    """A checked row of a candidate file. A new candidate has every value; of a changed one only what changes."""

    __tablename__ = "staged_candidates"

    # one run of one job: who was taken for dead goes on writing into a stage that nobody moves
    stage_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    job_id: Mapped[UUID] = mapped_column(Uuid)
    is_new: Mapped[bool]
    candidate_id: Mapped[UUID] = mapped_column(Uuid)
    login: Mapped[Code]
    service_no: Mapped[Code | None]
    name: Mapped[Name | None]
    rank: Mapped[Code | None]
    trade_id: Mapped[UUID | None] = mapped_column(Uuid)
    centre_id: Mapped[UUID | None] = mapped_column(Uuid)
    moves: Mapped[bool]  # into the shift that stands here, or out of theirs where none does
    shift_id: Mapped[UUID | None] = mapped_column(Uuid)
    language: Mapped[Code | None]
    extra_minutes_per_hour: Mapped[int | None]
    photo: Mapped[Name | None]
    password_hash: Mapped[str | None] = mapped_column(String(200))
    details: Mapped[JsonValue | None]
    audit_tail: Mapped[str] = mapped_column(Tail)


class StagedPhoto(Model):
    """The photo of a staged candidate, as it will be kept."""

    __tablename__ = "staged_photos"

    stage_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    job_id: Mapped[UUID] = mapped_column(Uuid)
    size: Mapped[int]
    details: Mapped[JsonValue | None]
    audit_tail: Mapped[str] = mapped_column(Tail)
    image: Mapped[bytes] = mapped_column(LargeBinary)


class UploadChunk(Model):
    """A piece of a large file that was sent: nobody has to hold the whole of it in memory."""

    __tablename__ = "upload_chunks"

    upload_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[Instant]
