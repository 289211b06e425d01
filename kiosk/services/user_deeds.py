"""What is done to staff accounts, one or many: close, open, unlock, sign out. An organisation keeps an admin."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from kiosk.capabilities import ORGANISATION_WIDE, Role
from kiosk.extensions import db
from kiosk.models import Centre, User
from kiosk.services.audit import Actor
from kiosk.services.deeds import Deed, Reasons


def active_admins(organisation_id: UUID) -> Select[UUID]:
    """Return the query for the active admins of an organisation, in an order in which they can be locked."""
    return (
        select(User.id)
        .where(User.organisation_id == organisation_id, User.role == Role.ADMIN, User.deactivated_at.is_(None))
        .order_by(User.id)
    )


def locked_admins(organisation_id: UUID) -> list[UUID]:
    """Return the active admins, locked: two of them who close each other's account come one after the other."""
    return list(db.session.execute(active_admins(organisation_id).with_for_update()).scalars())


def _stay_active(rows: Sequence[User], by: Actor, _now: datetime) -> Reasons:
    """One's own account stays, and if all admins were chosen and none of them asks, all of them."""
    why = {row.id: "inactive" for row in rows if row.deactivated_at is not None}
    if not rows:
        return why
    admins = set(db.session.execute(active_admins(rows[0].organisation_id)).scalars())
    chosen = {row.id for row in rows}
    if admins and admins <= chosen and (by.id not in admins or len(admins) == 1):
        why |= dict.fromkeys(admins, "last_admin")
    elif by.id in chosen:
        why[by.id] = "own_account"
    return why


def _stay_closed(rows: Sequence[User], _by: Actor, _now: datetime) -> Reasons:
    why = {row.id: "active" for row in rows if row.deactivated_at is None}
    bound = {row.id: row.centre_id for row in rows if Role(row.role) not in ORGANISATION_WIDE}
    centres = select(Centre.id).where(Centre.id.in_(set(bound.values()) - {None}), Centre.archived_at.is_(None))
    open_centres = set(db.session.execute(centres).scalars())
    return why | {one: "no_centre" for one, centre in bound.items() if one not in why and centre not in open_centres}


def _stay_unlocked(rows: Sequence[User], _by: Actor, now: datetime) -> Reasons:
    return {row.id: "not_locked" for row in rows if row.locked_until is None or row.locked_until <= now}


def _stay_signed_in(rows: Sequence[User], by: Actor, _now: datetime) -> Reasons:
    why = {row.id: "inactive" for row in rows if row.deactivated_at is not None}
    return why | {row.id: "own_account" for row in rows if row.id == by.id}


_SHARED: dict[str, Any] = {"model": User, "kind": "user", "name": lambda row: f"{row.login} {row.name}"}
DEACTIVATE = Deed(
    action="deactivate_user",
    stays=_stay_active,
    values=lambda now: {"deactivated_at": now, "session_epoch": User.session_epoch + 1},
    before=lambda _row: "active",
    after="inactive",
    needs_reason=True,
    locks=locked_admins,
    **_SHARED,
)
REACTIVATE = Deed(
    action="reactivate_user",
    stays=_stay_closed,
    values=lambda _now: {"deactivated_at": None, "failed_sign_ins": 0, "locked_until": None},
    before=lambda _row: "inactive",
    after="active",
    **_SHARED,
)
UNLOCK = Deed(
    action="unlock",
    stays=_stay_unlocked,
    values=lambda _now: {"failed_sign_ins": 0, "locked_until": None},
    before=lambda _row: "locked",
    after="open",
    **_SHARED,
)
SIGN_OUT = Deed(
    action="end_sign_ins",
    stays=_stay_signed_in,
    values=lambda _now: {"session_epoch": User.session_epoch + 1},
    before=lambda _row: None,
    after=None,
    **_SHARED,
)
