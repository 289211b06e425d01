"""The tenant and its places: organisation, centre, kiosk, shift."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kiosk.models.base import Model, one_of
from kiosk.models.types import Code, Instant, JsonValue, Name, PublicId


class Organisation(Model):
    """The tenant. Everything below belongs to one; nobody sees across."""

    __tablename__ = "organisations"

    id: Mapped[PublicId]
    code: Mapped[Code] = mapped_column(String(40), unique=True)
    name: Mapped[Name]
    is_demo: Mapped[bool] = mapped_column(default=False)
    totp_roles: Mapped[JsonValue | None]  # the roles that must have a second factor
    created_at: Mapped[Instant]


class Centre(Model):
    """An exam centre, and what it demands of a start."""

    __tablename__ = "centres"
    __table_args__ = (
        UniqueConstraint("organisation_id", "code"),
        CheckConstraint(one_of("kiosk_rule", "any", "enrolled", "locked_down"), name="kiosk_rule"),
        CheckConstraint(one_of("takeover", "free", "approval"), name="takeover"),
    )

    id: Mapped[PublicId]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    code: Mapped[Code]
    name: Mapped[Name]
    command: Mapped[Name] = mapped_column(default="")
    time_zone: Mapped[Code]
    seats: Mapped[int] = mapped_column(default=0)
    demands_check_in: Mapped[bool] = mapped_column(default=False)
    demands_seat: Mapped[bool] = mapped_column(default=False)
    kiosk_rule: Mapped[Code] = mapped_column(default="any")
    takeover: Mapped[Code] = mapped_column(default="free")
    archived_at: Mapped[Instant | None]


class Kiosk(Model):
    """One enrolled machine in a centre."""

    __tablename__ = "kiosks"
    __table_args__ = (UniqueConstraint("centre_id", "name"),)

    id: Mapped[PublicId]
    centre_id: Mapped[UUID] = mapped_column(ForeignKey("centres.id"))
    name: Mapped[Code]
    seat: Mapped[Code | None]
    token_hash: Mapped[str | None] = mapped_column(String(64))
    enrolment_code_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    enrolment_ends_at: Mapped[Instant | None]
    enrolled_at: Mapped[Instant | None]
    last_seen_at: Mapped[Instant | None]
    archived_at: Mapped[Instant | None]


class Shift(Model):
    """A sitting in a centre: it starts at an instant that the centre's clock names."""

    __tablename__ = "shifts"
    __table_args__ = (
        UniqueConstraint("centre_id", "starts_at"),
        CheckConstraint(one_of("status", "planned", "gate", "open", "closed"), name="status"),
    )

    id: Mapped[PublicId]
    centre_id: Mapped[UUID] = mapped_column(ForeignKey("centres.id"))
    starts_at: Mapped[Instant]
    latest_entry_at: Mapped[Instant | None]
    status: Mapped[Code] = mapped_column(default="planned")
    capacity: Mapped[int] = mapped_column(default=0)
    start_code: Mapped[Code | None]
    opened_at: Mapped[Instant | None]
    closed_at: Mapped[Instant | None]


class ShiftTrade(Model):
    """A trade that sits in a shift; a shift with no row here takes every trade."""

    __tablename__ = "shift_trades"

    shift_id: Mapped[UUID] = mapped_column(ForeignKey("shifts.id"), primary_key=True)
    trade_id: Mapped[UUID] = mapped_column(ForeignKey("trades.id"), primary_key=True)
