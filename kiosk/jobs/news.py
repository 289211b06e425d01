"""News become mail: gathered per centre, one mail for five minutes of them, to everybody who wants that kind."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _

from kiosk.services import mails, news
from kiosk.services.centres import CentreView
from kiosk.services.news import NewsItem
from kiosk.services.system import settings

QUIET = timedelta(minutes=5)
# how far back news are looked for, and how long they settle: what a sweeper ends late must not be missed
LOOK_BACK, SETTLED = timedelta(minutes=10), timedelta(seconds=15)
LANGUAGES = ("en", "hi")


def gather(*, now: datetime) -> int:
    """Put what happened lately into the outbox; return how many mails that made. Any number may do so at once."""
    if not mails.anybody_wants_mail():
        return 0
    return sum(_gather(kind, now) for kind in mails.KINDS)


def _gather(kind: str, now: datetime) -> int:
    begin, until = now - LOOK_BACK, now - SETTLED
    last = mails.last_news(kind, since=begin)
    by_centre: dict[UUID, list[NewsItem]] = {}
    for item in news.items(kind, since=begin, until=until):
        told_at = last.get(item.centre_id.hex)
        if told_at is None or (now - told_at >= QUIET and item.at > told_at - SETTLED):
            by_centre.setdefault(item.centre_id, []).append(item)
    if not by_centre:
        return 0
    views, rows = news.centres_of(by_centre), []
    for centre_id, readers in mails.readers(kind, by_centre).items():
        # the mail before is part of what this one is about: whoever gathers the same gathers it once
        since = last.get(centre_id.hex, by_centre[centre_id][0].at)
        about = f"{centre_id.hex}:{since.timestamp():.3f}"
        letter = _letter(kind, views[centre_id], by_centre[centre_id])
        rows += [
            {"organisation_id": one.organisation_id, "user_id": one.user_id, "address": one.address}
            | {"kind": kind, "about": about, **letter}
            for one in readers
        ]
    return mails.put(rows, now=now) if rows else 0


def _letter(kind: str, centre: CentreView, items: list[NewsItem]) -> dict[str, str]:
    """Subject and body, in both languages: nobody knows which one the reader prefers."""
    subjects, bodies = [], []
    for language in LANGUAGES:
        with force_locale(language):
            subjects.append(_subject(kind, len(items)))
            bodies.append(_body(kind, centre, items, language))
    return {"subject": f"{centre.code}: {subjects[0]}"[:200], "body": "\n\n".join(bodies)}


def _subject(kind: str, n: int) -> str:
    return {
        mails.TIME_WARNING: ngettext(
            "%(num)s test has ten minutes left and much unanswered",
            "%(num)s tests have ten minutes left and much unanswered",
            n,
        ),
        mails.TIME_RAN_OUT: ngettext("%(num)s test ended: time ran out", "%(num)s tests ended: time ran out", n),
        mails.INTEGRITY: ngettext(
            "%(num)s test was opened on another page or computer",
            "%(num)s tests were opened on another page or computer",
            n,
        ),
        mails.OFFLINE: ngettext(
            "%(num)s kiosk has been silent for five minutes", "%(num)s kiosks have been silent for five minutes", n
        ),
    }[kind]


def _body(kind: str, centre: CentreView, items: list[NewsItem], language: str) -> str:
    lines = [f"{centre.name} ({centre.code}): {_subject(kind, len(items))}.", ""]
    lines += [_line(item, centre, language) for item in items]
    return "\n".join([*lines, "", f"{settings().public_url}/centre/?centre={centre.code}"])


def _line(item: NewsItem, centre: CentreView, language: str) -> str:
    at = format_datetime(item.at, "d MMM, HH:mm", tzinfo=ZoneInfo(centre.time_zone), locale=language)
    parts = [f"- {item.service_no}", at]
    if item.seat:
        parts.append(_("seat %(seat)s", seat=item.seat))
    if item.total is not None:
        parts.append(_("%(answered)s of %(total)s answered", answered=item.answered, total=item.total))
    return ", ".join(parts)
