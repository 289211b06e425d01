"""Instants as the centre's clock shows them. UTC never reaches a page."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from flask_babel import get_locale
from jinja2 import Environment

from kiosk.web.request_time import arrived_at


def moment(instant: datetime, zone: str) -> str:
    """Return the time; on another day than today with the date, in another year with that too."""
    today, day = (one.astimezone(ZoneInfo(zone)).date() for one in (arrived_at(), instant))
    if day == today:
        return _formatted(instant, zone, "HH:mm")
    return _formatted(instant, zone, "d MMM, HH:mm" if day.year == today.year else "d MMM yyyy, HH:mm")


def date_and_time(instant: datetime, zone: str) -> str:
    """Return the date and the time, today too."""
    return _formatted(instant, zone, "d MMM, HH:mm")


def init_app(templates: Environment) -> None:
    """Give the templates a filter for each form."""
    templates.filters.update(moment=moment, date_and_time=date_and_time)


def _formatted(instant: datetime, zone: str, pattern: str) -> str:
    return format_datetime(instant, pattern, tzinfo=ZoneInfo(zone), locale=get_locale() or "en")
