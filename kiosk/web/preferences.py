"""How the person at the screen wants it: language, text size, display; and times as their centre's clock shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, g, has_request_context, request, session
from flask_babel import format_date, gettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kiosk.extensions import babel

CHOICES = {
    "language": ("en", "hi"),
    "size": ("m", "l", "xl"),
    "theme": ("system", "light", "dark", "contrast"),
}
COOKIE = "ui_"


@dataclass(frozen=True)
class Ui:
    """What the root element of each page says; theme None follows the machine."""

    lang: str
    theme: str | None
    size: str

    @property
    def next_theme(self) -> str:
        """The display after this one: one button goes round all of them."""
        themes = CHOICES["theme"]
        return themes[(themes.index(self.theme or "system") + 1) % len(themes)]


def init_app(app: Flask) -> None:
    """Give each request its language."""
    babel.init_app(app, locale_selector=language)


def ui() -> Ui:
    """Return the preferences of this request."""
    theme = _chosen("theme")
    return Ui(lang=language(), theme=None if theme == "system" else theme, size=_chosen("size") or "m")


def language() -> str:
    """Return the language of this request: chosen on a screen, else the candidate's own, else English."""
    if not has_request_context():
        return "en"
    # asked for every word of a page, so past the proxy
    kept = g._get_current_object()
    if "language" not in kept:
        own = session.get("language")
        kept.language = _chosen("language") or (own if own in CHOICES["language"] else "en")
    return kept.language


def keep(response: Response, form: MultiDict[str, str]) -> Response:
    """Put the choices of a form into cookies of this browser session."""
    for name, allowed in CHOICES.items():
        if form.get(name) in allowed:
            response.set_cookie(COOKIE + name, form[name], httponly=True, samesite="Lax", secure=request.is_secure)
    return response


def forget(response: Response) -> Response:
    """Take the choices back: the next person at this kiosk has their own."""
    for name in CHOICES:
        response.delete_cookie(COOKIE + name, httponly=True, samesite="Lax", secure=request.is_secure)
    return response


def keep_person(*, language: str | None = None, time_zone: str | None = None) -> None:
    """Remember in the session what no hot path should have to look up."""
    for name, value in (("language", language), ("time_zone", time_zone)):
        if value and session.get(name) != value:
            session[name] = value
            g.pop("language", None)


def time_zone() -> str:
    """Return the time zone of the signed-in candidate's centre."""
    return session.get("time_zone", "UTC")


def clock_time(instant: datetime, zone: str) -> str:
    """The instant on the centre's clock: 10:42."""
    return instant.astimezone(ZoneInfo(zone)).strftime("%H:%M")


def clock_seconds(instant: datetime, zone: str) -> str:
    """The instant on the centre's clock, to the second: 10:42:07."""
    return instant.astimezone(ZoneInfo(zone)).strftime("%H:%M:%S")


def long_date(instant: datetime, zone: str) -> str:
    """The day in the centre: Saturday, 21 November 2026."""
    return format_date(instant.astimezone(ZoneInfo(zone)).date(), "EEEE, d MMMM y", rebase=False)


def hours_minutes(seconds: float) -> str:
    """A length of time as people say it: 3 h 15 min."""
    hours, minutes = divmod(round(seconds / 60), 60)
    words = [gettext("%(count)s h", count=hours)] if hours else []
    words += [gettext("%(count)s min", count=minutes)] if minutes or not hours else []
    return " ".join(words)


def hms(milliseconds: int) -> str:
    """Time left as the clock shows it, begun seconds counted: 01:48:26."""
    seconds = -(-milliseconds // 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _chosen(name: str) -> Any:
    value = request.cookies.get(COOKIE + name)
    return value if value in CHOICES[name] else None
