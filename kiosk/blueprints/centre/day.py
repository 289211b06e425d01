"""What the pages of an exam day share: the centre of an object, and times as the centre's clock shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from kiosk.blueprints.centre.scope import is_bound, visible_centres
from kiosk.errors import NotFound
from kiosk.services.centres import CentreView

LOCAL = "%Y-%m-%dT%H:%M"


def own_centre_ids() -> list[UUID]:
    """Return the centres whose objects this person may see."""
    return [centre.centre_id for centre in visible_centres()]


def centre_of(centre_id: UUID) -> CentreView:
    """Return the centre to which an object belongs. Raises NotFound for one that this person may not see."""
    found = next((centre for centre in visible_centres() if centre.centre_id == centre_id), None)
    if found is None:
        raise NotFound
    return found


def code_of(centre: CentreView) -> dict[str, Any]:
    """Return the centre as an address carries it; nothing for those who have one only."""
    return {} if is_bound() else {"centre": centre.code}


def local_text(instant: datetime, centre: CentreView) -> str:
    """Return an instant as a field for date and time holds it."""
    return instant.astimezone(ZoneInfo(centre.time_zone)).strftime(LOCAL)


def instant_of(text: str, centre: CentreView) -> datetime | None:
    """Return what the centre's clock showed, in UTC; None for what is no time."""
    try:
        given = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    # years at the edge of the calendar have no UTC
    if given.tzinfo is not None or not 2000 < given.year < 2200:
        return None
    return given.replace(tzinfo=ZoneInfo(centre.time_zone)).astimezone(UTC)


def whole_number(text: Any, *, most: int) -> int | None:
    """Return a number that is not negative; None for anything else."""
    digits = str(text or "").strip()
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 8
    return int(digits) if is_number and int(digits) <= most else None
