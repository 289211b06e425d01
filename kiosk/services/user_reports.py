"""Staff accounts as the admin's pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select

from kiosk.errors import NotFound
from kiosk.extensions import db
from kiosk.models import AuditEvent, Centre, User
from kiosk.services.listing import Listed, Order, listed

STATES = ("active", "locked", "inactive")
SORTS = {
    "login": (User.login,),
    "name": (User.name,),
    "role": (User.role,),
    "centre": (Centre.code,),
}


@dataclass(frozen=True)
class UserFilters:
    """Which accounts are asked for; empty values ask for all."""

    q: str = ""
    role: str = ""
    centre: UUID | None = None
    state: str = ""


@dataclass(frozen=True)
class UserView:
    """One account. Nothing of its password or second factor but whether there is one."""

    user_id: UUID
    login: str
    name: str
    role: str
    email: str
    centre_id: UUID | None
    centre_code: str | None
    centre_name: str | None
    is_active: bool
    is_locked: bool
    has_totp: bool
    must_change_password: bool


def users(organisation_id: UUID, filters: UserFilters, order: Order, *, now: datetime) -> Listed[UserView]:
    """Return a page of the organisation's staff."""
    query = _query(organisation_id).where(*_where(filters, now))
    return listed(query, order, SORTS, lambda row: _view(row, now))


def matching_ids(organisation_id: UUID, filters: UserFilters, *, now: datetime) -> list[UUID]:
    """Return everybody whom the same filters ask for."""
    query = select(User.id).where(User.organisation_id == organisation_id, *_where(filters, now))
    return list(db.session.execute(query).scalars())


def user(user_id: UUID, *, organisation_id: UUID, now: datetime) -> UserView:
    """Return one account of the organisation. Raises NotFound."""
    row = db.session.execute(_query(organisation_id).where(User.id == user_id)).one_or_none()
    if row is None:
        raise NotFound
    return _view(row, now)


def last_signed_in_at(user_id: UUID) -> datetime | None:
    """Return when this person signed in last, as the audit log has it."""
    return db.session.execute(
        select(func.max(AuditEvent.at)).where(
            AuditEvent.object_kind == "user", AuditEvent.object_id == user_id, AuditEvent.action == "sign_in"
        )
    ).scalar_one()


def _where(filters: UserFilters, now: datetime) -> list[Any]:
    found: list[Any] = []
    if filters.q:
        words = (User.login, User.name, User.email)
        found.append(or_(*(column.icontains(filters.q, autoescape=True) for column in words)))
    if filters.role:
        found.append(User.role == filters.role)
    if filters.centre:
        found.append(User.centre_id == filters.centre)
    if filters.state:
        found.append(User.deactivated_at.is_not(None) if filters.state == "inactive" else User.deactivated_at.is_(None))
    if filters.state == "locked":
        found.append(User.locked_until > now)
    return found


def _query(organisation_id: UUID) -> Any:
    return (
        select(User, Centre.code, Centre.name.label("centre_name"))
        .outerjoin(Centre, Centre.id == User.centre_id)
        .where(User.organisation_id == organisation_id)
    )


def _view(row: Any, now: datetime) -> UserView:
    found: User = row.User
    return UserView(
        user_id=found.id,
        login=found.login,
        name=found.name,
        role=found.role,
        email=found.email or "",
        centre_id=found.centre_id,
        centre_code=row.code,
        centre_name=row.centre_name,
        is_active=found.deactivated_at is None,
        is_locked=found.locked_until is not None and found.locked_until > now,
        has_totp=found.totp_on_at is not None,
        must_change_password=found.must_change_password,
    )
