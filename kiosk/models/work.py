"""Work that takes longer than a request: jobs with their files, and mail to staff."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, deferred, mapped_column

from kiosk.models.base import Model, one_of
from kiosk.models.types import Code, Instant, JsonValue, Name, PublicId

JOB_STATUSES = ("queued", "running", "done", "refused", "failed")
MAIL_STATUSES = ("waiting", "sent", "failed")


class Job(Model):
    """Something long that somebody asked for: an import, an export, a bulk action.

    Its files live in the database, so that any worker on any machine can do it. `refused` found the input wrong
    and changed nothing.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(one_of("status", *JOB_STATUSES), name="status"),
        Index("ix_jobs_organisation_made", "organisation_id", "made_at"),
        Index("ix_jobs_status", "status"),
    )

    id: Mapped[PublicId]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    centre_id: Mapped[UUID | None] = mapped_column(ForeignKey("centres.id"))
    kind: Mapped[Code]
    title: Mapped[Name]
    status: Mapped[Code] = mapped_column(default="queued")
    params: Mapped[JsonValue | None]
    input_name: Mapped[Name | None]
    input_file: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    photos_id: Mapped[UUID | None] = mapped_column(Uuid)  # the ZIP beside the file, in `upload_chunks`
    steps_done: Mapped[int] = mapped_column(default=0)
    steps_total: Mapped[int] = mapped_column(default=0)
    result: Mapped[JsonValue | None]
    output_name: Mapped[Name | None]
    output_file: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    made_by: Mapped[Name]
    made_by_id: Mapped[UUID | None] = mapped_column(Uuid)
    made_at: Mapped[Instant]
    started_at: Mapped[Instant | None]
    beat_at: Mapped[Instant | None]  # the last sign of life of whoever works on it
    finished_at: Mapped[Instant | None]


class Mail(Model):
    """One mail to one person of the staff: waiting, sent, or given up."""

    __tablename__ = "mails"
    __table_args__ = (
        CheckConstraint(one_of("status", *MAIL_STATUSES), name="status"),
        Index("ix_mails_status", "status", "next_try_at"),
        Index("ix_mails_organisation_made", "organisation_id", "made_at"),
        Index(
            "uq_mails_once",
            "user_id",
            "kind",
            "about",
            unique=True,
            postgresql_where=text("about <> ''"),
            sqlite_where=text("about <> ''"),
        ),
    )

    id: Mapped[PublicId]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    kind: Mapped[Code]
    # what it is about: the same news goes to the same person once
    about: Mapped[str] = mapped_column(String(120), default="")
    address: Mapped[Name]
    subject: Mapped[Name]
    body: Mapped[str] = mapped_column(Text)
    status: Mapped[Code] = mapped_column(default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[Instant]
    next_try_at: Mapped[Instant | None]
    sent_at: Mapped[Instant | None]
    trouble: Mapped[str | None] = mapped_column(Text)
