"""Centres: which there are, and which of them a page is about."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from kiosk.extensions import db
from kiosk.models import Centre


@dataclass(frozen=True)
class CentreView:
    """A centre as its pages name it."""

    centre_id: UUID
    code: str
    name: str
    time_zone: str


def centres(organisation_id: UUID) -> list[CentreView]:
    """Return the centres of an organisation in the order of their codes."""
    rows = db.session.execute(
        select(Centre.id, Centre.code, Centre.name, Centre.time_zone)
        .where(Centre.organisation_id == organisation_id, Centre.archived_at.is_(None))
        .order_by(Centre.code)
    ).all()
    return [CentreView(*row) for row in rows]
