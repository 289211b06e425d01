"""Deeds that are done to an installation as a whole, noted in the audit log of each organisation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from kiosk.extensions import db, retried, transaction
from kiosk.models import Organisation
from kiosk.services import audit
from kiosk.services.audit import COMMAND_LINE, Actor, Change


@retried
def note(action: str, details: dict[str, Any], *, by: Actor = COMMAND_LINE, now: datetime) -> None:
    """Record what was done, once for each organisation."""
    with transaction():
        ids = db.session.scalars(select(Organisation.id)).all()
        audit.record([Change("organisation", one, action, details=details) for one in ids], by=by, now=now)
