"""Times, lengths and kinds of events in the reader's language, on the centre's clock."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from flask_babel import get_locale
from flask_babel import gettext as _


def long_day(instant: datetime, zone: str) -> str:
    """Return the day: Saturday, 21 November 2026."""
    return _formatted(instant, zone, "EEEE, d MMMM y")


def short_day(instant: datetime, zone: str) -> str:
    """Return day and time on one line of a card: Sat, 21 Nov 2026, 10:42."""
    return _formatted(instant, zone, "EEE, d MMM y, HH:mm")


def clock(instant: datetime, zone: str) -> str:
    """Return the time of the day: 10:42."""
    return _formatted(instant, zone, "HH:mm")


def full_moment(instant: datetime, zone: str) -> str:
    """Return day and time: 21 Nov 2026, 10:42."""
    return _formatted(instant, zone, "d MMM y, HH:mm")


def moment(instant: datetime, zone: str, *, beside: datetime) -> str:
    """Return the time; on another day than `beside` with the day."""
    own, other = (one.astimezone(ZoneInfo(zone)).date() for one in (instant, beside))
    return _formatted(instant, zone, "HH:mm" if own == other else "d MMM, HH:mm")


def length(seconds: float) -> str:
    """Return a length of time as people say it: 3 h 15 min, or 40 s."""
    if seconds < 60:
        return _("%(num)s s", num=round(seconds))
    hours, minutes = divmod(round(seconds / 60), 60)
    words = [_("%(count)s h", count=hours)] if hours else []
    words += [_("%(count)s min", count=minutes)] if minutes else []
    return " ".join(words)


def paper(paper_type: str | None) -> str:
    """Return the paper of a slot; a dash without one."""
    return {"primary": _("Primary"), "secondary": _("Secondary")}.get(paper_type or "", "–")


def incident(kind: str) -> str:
    """Return what kind of incident it was."""
    known = {
        "kiosk": _("Kiosk"),
        "power": _("Power cut"),
        "network": _("Network"),
        "illness": _("Illness"),
        "disturbance": _("Disturbance"),
        "conduct": _("Conduct"),
        "paper": _("Question paper"),
        "moved": _("Seat moved"),
        "other": _("Other"),
    }
    return known.get(kind, _plainly(kind))


def grant(kind: str) -> str:
    """Return why time was added."""
    known = {
        "short": _("Time added"),
        "staff": _("Time added"),
        "network": _("Lost time given back"),
        "network_short": _("Lost time given back"),
        "reopen": _("Reopened"),
    }
    return known.get(kind, _plainly(kind))


def pause(kind: str) -> str:
    """Return why the clock stood still."""
    known = {
        "room": _("Paused by staff"),
        "outage": _("Server away"),
        "move": _("Change of seat"),
        "reopen": _("Reopened"),
        "restore": _("Taken back"),
    }
    return known.get(kind, _plainly(kind))


def _plainly(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


def _formatted(instant: datetime, zone: str, pattern: str) -> str:
    return format_datetime(instant, pattern, tzinfo=ZoneInfo(zone), locale=get_locale() or "en")
