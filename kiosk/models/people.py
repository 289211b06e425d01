"""People: candidates, who sit exams, and users, who work here."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from kiosk.capabilities import Role
from kiosk.models.base import Model, one_of
from kiosk.models.types import Code, Instant, JsonValue, Name, PublicId


class User(Model):
    """A member of staff with one role; a centre's people have their centre."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("organisation_id", "login"),
        CheckConstraint(one_of("role", *Role), name="role"),
    )

    id: Mapped[PublicId]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    centre_id: Mapped[UUID | None] = mapped_column(ForeignKey("centres.id"))
    login: Mapped[Code]
    name: Mapped[Name]
    role: Mapped[Code]
    password_hash: Mapped[str] = mapped_column(String(200))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    session_epoch: Mapped[int] = mapped_column(default=0)
    failed_sign_ins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[Instant | None]
    # the second factor: a secret that an authenticator app shares; `totp_on_at` once the first code was right
    totp_secret: Mapped[str | None] = mapped_column(String(64))
    totp_on_at: Mapped[Instant | None]
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)  # a code counts once
    created_at: Mapped[Instant]
    deactivated_at: Mapped[Instant | None]
    email: Mapped[Name | None]
    mail_wishes: Mapped[JsonValue | None]  # the kinds of news that this person wants by mail


def _of_the_book(name: str, *columns: Any) -> Index:
    """An index of those who were not put away."""
    is_here = text("archived_at IS NULL")
    return Index(name, *columns, postgresql_where=is_here, sqlite_where=is_here)


class Candidate(Model):
    """A person who is tested. `login` is the folded service number; it signs in."""

    __tablename__ = "candidates"
    __table_args__ = (
        UniqueConstraint("organisation_id", "login"),
        # the list of a centre's candidates in its orders, and of one trade or shift of it: the page that is shown
        # stands in one piece there, and nobody else is looked at
        _of_the_book("ix_candidates_centre_login", "centre_id", "login"),
        _of_the_book("ix_candidates_centre_name", "centre_id", func.lower(text("name")), "login"),
        _of_the_book("ix_candidates_centre_trade_login", "centre_id", "trade_id", "login"),
        Index("ix_candidates_shift_login", "shift_id", "centre_id", "login"),
        # two people can't be given one seat, however many desks give seats at once
        Index("uq_candidates_shift_seat", "shift_id", "seat", unique=True),
        CheckConstraint(one_of("language", "en", "hi"), name="language"),
        CheckConstraint("extra_minutes_per_hour BETWEEN 0 AND 60", name="extra_minutes_per_hour"),
    )

    id: Mapped[PublicId]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    centre_id: Mapped[UUID] = mapped_column(ForeignKey("centres.id"))
    trade_id: Mapped[UUID] = mapped_column(ForeignKey("trades.id"))
    shift_id: Mapped[UUID | None] = mapped_column(ForeignKey("shifts.id"))
    service_no: Mapped[Code]
    login: Mapped[Code]
    name: Mapped[Name]
    rank: Mapped[Code] = mapped_column(default="")
    language: Mapped[Code] = mapped_column(default="en")
    extra_minutes_per_hour: Mapped[int] = mapped_column(default=0)
    photo: Mapped[Name | None]
    seat: Mapped[Code | None]
    checked_in_at: Mapped[Instant | None]
    checked_in_by: Mapped[Name | None]
    # the shift into which the centre admin let this person after the latest entry
    late_entry_shift_id: Mapped[UUID | None] = mapped_column(Uuid)
    primary_bypassed_at: Mapped[Instant | None]
    primary_bypassed_by: Mapped[Name | None]
    primary_bypass_reason: Mapped[str | None] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(String(200))
    session_epoch: Mapped[int] = mapped_column(default=0)
    failed_sign_ins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[Instant | None]
    created_at: Mapped[Instant]
    archived_at: Mapped[Instant | None]


class CandidatePhoto(Model):
    """A candidate's photo as it is shown: re-encoded, small, in the database like everything that must not be lost."""

    __tablename__ = "candidate_photos"

    candidate_id: Mapped[UUID] = mapped_column(ForeignKey("candidates.id"), primary_key=True)
    mime: Mapped[Code]
    image: Mapped[bytes] = mapped_column(LargeBinary)
    taken_at: Mapped[Instant]


class SignInTries(Model):
    """Wrong passwords from one source (a kiosk, or an address without one) since an instant."""

    __tablename__ = "sign_in_tries"

    source: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    since_at: Mapped[Instant]
