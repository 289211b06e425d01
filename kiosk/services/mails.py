"""Mail to staff: who wants which news, and the outbox from which the errands send."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from kiosk.capabilities import ORGANISATION_WIDE
from kiosk.errors import BadInput
from kiosk.extensions import db, retried, transaction
from kiosk.ids import uuid7
from kiosk.mail_address import ADDRESS
from kiosk.models import Centre, Mail, User
from kiosk.services import audit
from kiosk.services.audit import Actor, Change

log = logging.getLogger(__name__)

TIME_WARNING, TIME_RAN_OUT, INTEGRITY, OFFLINE = KINDS = ("time_warning", "time_ran_out", "integrity", "offline")
LONGEST_ADDRESS = 200
# after each failure a longer wait; then it is given up
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
# who has taken a mail to send it sends it within this time, or somebody else may
SENDING = timedelta(minutes=10)
PAGE_ROWS = 50


@dataclass(frozen=True)
class Reader:
    """Somebody who wants news of one kind from one centre."""

    user_id: UUID
    organisation_id: UUID
    address: str


@retried
def set_wishes(user_id: UUID, address: str, kinds: Collection[str], *, by: Actor, now: datetime) -> None:
    """Note where a person wants mail, and which. Raises BadInput (no e-mail address, or none where mail is wanted)."""
    address, wanted = address.strip(), [kind for kind in KINDS if kind in kinds]
    if address and (len(address) > LONGEST_ADDRESS or not ADDRESS.fullmatch(address)):
        raise BadInput(problem=_("This is no e-mail address."))
    if wanted and not address:
        raise BadInput(problem=_("Enter the address that the mail should go to."))
    with transaction():
        db.session.execute(
            update(User).where(User.id == user_id).values(email=address or None, mail_wishes=wanted or None)
        )
        change = Change("user", user_id, "set_mail_wishes", details={"kinds": wanted, "has_address": bool(address)})
        audit.record([change], by=by, now=now)


def readers(kind: str, centre_ids: Collection[UUID]) -> dict[UUID, list[Reader]]:
    """Return for each centre who wants this kind of news from it."""
    rows = db.session.execute(
        select(Centre.id, User.id.label("user_id"), User.organisation_id, User.email, User.mail_wishes)
        .join(User, User.organisation_id == Centre.organisation_id)
        .where(
            Centre.id.in_(centre_ids),
            User.email.is_not(None),
            User.mail_wishes.is_not(None),
            User.deactivated_at.is_(None),
            (User.centre_id == Centre.id) | User.role.in_(ORGANISATION_WIDE),
        )
        .order_by(User.id)
    )
    found: dict[UUID, list[Reader]] = {}
    for row in rows:
        if kind in row.mail_wishes:
            found.setdefault(row.id, []).append(Reader(row.user_id, row.organisation_id, row.email))
    return found


def anybody_wants_mail() -> bool:
    """Whether anybody chose any news at all: most installations spare the questions that follow."""
    query = select(User.id).where(User.email.is_not(None), User.mail_wishes.is_not(None)).limit(1)
    return db.session.execute(query).first() is not None


@retried
def put(mails: Sequence[dict[str, Any]], *, now: datetime) -> int:
    """Put mails into the outbox; return how many were new. The same matter goes to the same person once."""
    rows = [{"id": uuid7(), "status": "waiting", "tries": 0, "made_at": now, "next_try_at": now} | one for one in mails]
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    with transaction():
        added = db.session.execute(insert(Mail).values(rows).on_conflict_do_nothing().returning(Mail.kind)).all()
    if added:
        log.info("mail waits in the outbox kind=%s count=%s", added[0].kind, len(added))
    return len(added)


def last_news(kind: str, *, since: datetime) -> dict[str, datetime]:
    """Return when news of this kind last went into the outbox, by the first half of what it was about."""
    latest: dict[str, datetime] = {}
    rows = db.session.execute(select(Mail.about, Mail.made_at).where(Mail.kind == kind, Mail.made_at >= since))
    for row in rows:
        about = row.about.partition(":")[0]
        latest[about] = max(row.made_at, latest.get(about, row.made_at))
    return latest


@retried
def take(*, now: datetime, most: int = 20) -> list[Any]:
    """Take mails that are due, for sending; nobody else gets them for a while."""
    due = (
        select(Mail.id).where(Mail.status == "waiting", Mail.next_try_at <= now).order_by(Mail.next_try_at).limit(most)
    )
    if db.session.execute(due.limit(1)).first() is None:
        return []
    taken = (
        update(Mail)
        # said twice: of two who take at once the second one finds it taken
        .where(Mail.id.in_(due), Mail.status == "waiting", Mail.next_try_at <= now)
        .values(next_try_at=now + SENDING, tries=Mail.tries + 1)
        .returning(Mail.id, Mail.address, Mail.subject, Mail.body, Mail.tries)
    )
    with transaction():
        return list(db.session.execute(taken, execution_options={"synchronize_session": False}))


def note_sent(mail_id: UUID, *, now: datetime) -> None:
    """Note that a mail is on its way."""
    _note(mail_id, {"status": "sent", "sent_at": now, "next_try_at": None, "trouble": None})


def note_trouble(mail_id: UUID, tries: int, trouble: str, *, is_final: bool, now: datetime) -> None:
    """Note why a mail was not sent, and when to try again; after the last wait, or at once, it is given up."""
    gives_up = is_final or tries > len(WAITS)
    wait = {} if gives_up else {"next_try_at": now + WAITS[tries - 1]}
    _note(mail_id, {"status": "failed" if gives_up else "waiting", "trouble": trouble[:500]} | wait)
    log.warning("mail not sent mail=%s tries=%s given_up=%s: %s", mail_id, tries, gives_up, trouble)


@retried
def send_again(mail_id: UUID, organisation_id: UUID, *, by: Actor, now: datetime) -> bool:
    """Put a mail that was given up back among those that wait; False if it is no such mail."""
    values = {"status": "waiting", "tries": 0, "next_try_at": now}
    where = (Mail.id == mail_id, Mail.organisation_id == organisation_id, Mail.status == "failed")
    with transaction():
        done = db.session.execute(update(Mail).where(*where).values(**values).returning(Mail.id)).first() is not None
        if done:
            audit.record([Change("mail", mail_id, "send_mail_again", "failed", "waiting")], by=by, now=now)
    return done


@retried
def _note(mail_id: UUID, values: dict[str, Any]) -> None:
    with transaction():
        db.session.execute(update(Mail).where(Mail.id == mail_id).values(**values))


@dataclass(frozen=True)
class Outbox:
    """One page of mails, and how many match."""

    rows: Sequence[Any]
    matching: int
    page: int
    pages: int


def outbox(organisation_id: UUID, *, status: str = "", q: str = "", page: int = 1) -> Outbox:
    """Return one page of an organisation's mails, the latest first; a page past the end is the last one."""
    where = asked_for(organisation_id, status=status, q=q)
    matching = db.session.execute(select(func.count()).select_from(Mail).where(*where)).scalar_one()
    pages = max(1, math.ceil(matching / PAGE_ROWS))
    page = min(max(1, page), pages)
    rows = db.session.execute(
        select(*Mail.__table__.columns, User.login)
        .outerjoin(User, User.id == Mail.user_id)
        .where(*where)
        .order_by(Mail.made_at.desc(), Mail.id.desc())
        .limit(PAGE_ROWS)
        .offset((page - 1) * PAGE_ROWS)
    )
    return Outbox(list(rows), matching, page, pages)


def asked_for(organisation_id: UUID, *, status: str = "", q: str = "") -> list[ColumnElement[bool]]:
    """Return the conditions that an organisation's mails meet which a list's filters ask for."""
    where = [Mail.organisation_id == organisation_id]
    where += [Mail.status == status] if status else []
    where += [Mail.address.icontains(q, autoescape=True) | Mail.subject.icontains(q, autoescape=True)] if q else []
    return where
