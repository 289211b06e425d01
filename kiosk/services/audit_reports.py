"""The audit log as it is read: newest first, filtered, a page at a time however many millions of rows there are."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true, tuple_, union_all

from kiosk.extensions import db
from kiosk.models import AuditEvent, Organisation
from kiosk.services import audit_objects
from kiosk.services.audit_objects import Named

PAGE_ROWS = 100
EXPORT_ROWS = 1000
LENGTH_OF_ID = 36
MOST_PEOPLE = 20


@dataclass(frozen=True)
class Cursor:
    """A place between two events."""

    at: datetime
    event_id: UUID


@dataclass(frozen=True)
class AuditFilters:
    """Which events are asked for; `before` and `after` say which page of them."""

    person: str = ""
    kind: str = ""
    object: str = ""
    action: str = ""
    centre_id: UUID | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    before: Cursor | None = None
    after: Cursor | None = None


@dataclass(frozen=True)
class EventRow:
    """One event, with the name of what it is about where that still has one."""

    event_id: UUID
    at: datetime
    actor_kind: str
    actor_name: str
    action: str
    object_kind: str
    object_id: UUID
    named: Named | None
    from_state: str | None
    to_state: str | None
    reason: str | None
    details: dict[str, Any] | None
    request_id: str | None
    address: str | None

    @property
    def cursor(self) -> Cursor:
        """The place right behind this event."""
        return Cursor(self.at, self.event_id)


@dataclass(frozen=True)
class EventPage:
    """One page of the log, and whether there are newer and older events that match."""

    rows: tuple[EventRow, ...]
    has_newer: bool
    has_older: bool


def events(organisation_id: UUID, filters: AuditFilters) -> EventPage:
    """Return the page of events that `filters` ask for, the newest first."""
    found = _rows(organisation_id, filters, PAGE_ROWS + 1)
    is_cut, rows = len(found) > PAGE_ROWS, found[:PAGE_ROWS]
    if filters.after:
        return EventPage(_named(rows[::-1]), has_newer=is_cut, has_older=True)
    return EventPage(_named(rows), has_newer=filters.before is not None, has_older=is_cut)


def every(organisation_id: UUID, filters: AuditFilters) -> Iterator[EventRow]:
    """Yield every event that matches, the newest first; holds no more than a batch of them, and no transaction."""
    filters = dataclasses.replace(filters, before=None, after=None)
    while True:
        rows = _named(_rows(organisation_id, filters, EXPORT_ROWS))
        db.session.rollback()
        yield from rows
        if len(rows) < EXPORT_ROWS:
            return
        filters = dataclasses.replace(filters, before=rows[-1].cursor)


def known_words(column: str) -> list[str]:
    """Return the actions ("action") or kinds of objects ("object_kind") that the log holds.

    Jumps from one word to the next in an index instead of reading a million rows.
    """
    values = getattr(AuditEvent, column)
    step = select(func.min(values).label("word")).cte("step", recursive=True)
    following = select(func.min(values)).where(values > step.c.word).scalar_subquery()
    step = step.union_all(select(following).where(step.c.word.is_not(None)))
    return list(db.session.execute(select(step.c.word).where(step.c.word.is_not(None))).scalars())


def _rows(organisation_id: UUID, filters: AuditFilters, most: int) -> list[Any]:
    conditions = _conditions(organisation_id, filters)
    if conditions is None:
        return []
    place, forward = tuple_(AuditEvent.at, AuditEvent.id), filters.after is not None
    # the first half is for the index on the time: a row value alone does not use it everywhere
    if filters.after:
        conditions += [AuditEvent.at >= filters.after.at, place > (filters.after.at, filters.after.event_id)]
    elif filters.before:
        conditions += [AuditEvent.at <= filters.before.at, place < (filters.before.at, filters.before.event_id)]
    branches = _by_person(organisation_id, filters.person) if filters.person else [true()]
    # one walk along the index for each person, cut off where the page ends: to sort all they ever did takes seconds
    walks = [_in_order(AuditEvent.__table__.columns, forward, most, *conditions, branch) for branch in branches]
    if len(walks) == 1:
        return list(db.session.execute(walks[0]))
    both = union_all(*(select(walk.subquery()) for walk in walks)).subquery()
    return list(db.session.execute(_in_order(both.columns, forward, most)))


def _in_order(columns: Any, forward: bool, most: int, *conditions: ColumnElement[bool]) -> Select[Any]:
    order = (columns.at, columns.id)
    turned = order if forward else tuple(column.desc() for column in order)
    return select(*columns).where(*conditions).order_by(*turned).limit(most)


def _conditions(organisation_id: UUID, filters: AuditFilters) -> list[ColumnElement[bool]] | None:
    """What an event must be; None where a person or an object was asked for that nobody knows."""
    found = [_of_organisation(organisation_id)]
    if filters.object:
        ids = audit_objects.found(organisation_id, filters.object)
        if not ids:
            return None
        # with its kind, for the index
        found += [AuditEvent.object_kind.in_(known_words("object_kind")), AuditEvent.object_id.in_(ids)]
    if filters.kind:
        found.append(AuditEvent.object_kind == filters.kind)
    if filters.action:
        found.append(AuditEvent.action == filters.action)
    if filters.centre_id:
        found.append(AuditEvent.object_id.in_(audit_objects.of_centre(filters.centre_id)))
    if filters.from_at:
        found.append(AuditEvent.at >= filters.from_at)
    if filters.to_at:
        found.append(AuditEvent.at < filters.to_at)
    return found


def _of_organisation(organisation_id: UUID) -> ColumnElement[bool]:
    """Its people's events, and of the system's those about its objects: with one organisation, all of them."""
    by_nobodys: ColumnElement[bool] = AuditEvent.organisation_id.is_(None)
    if len(db.session.execute(select(Organisation.id).limit(2)).all()) > 1:
        by_nobodys = and_(by_nobodys, AuditEvent.object_id.in_(audit_objects.of_organisation(organisation_id)))
    return or_(AuditEvent.organisation_id == organisation_id, by_nobodys)


def _by_person(organisation_id: UUID, text: str) -> list[ColumnElement[bool]]:
    """Return a condition for each who may be meant; for very many of them, one for all."""
    people = audit_objects.people(organisation_id, text)
    ids = list(db.session.execute(people.limit(MOST_PEOPLE + 1)).scalars())
    if len(ids) > MOST_PEOPLE:
        return [AuditEvent.actor_id.in_(people)]
    # who is in no table: the sweeper and the command line
    nobodies = [
        and_(AuditEvent.actor_id.is_(None), AuditEvent.actor_kind == kind)
        for kind, name in (("system", "exam kiosk"), ("cli", "command line"))
        if text.casefold() in name
    ]
    return [*(AuditEvent.actor_id == one for one in ids), *nobodies] or [false()]


def _named(rows: list[Any]) -> tuple[EventRow, ...]:
    states = {state for row in rows for state in (row.from_state, row.to_state) if state and len(state) == LENGTH_OF_ID}
    ids = {row.object_id for row in rows} | {audit_objects.as_id(state) for state in states}
    names = audit_objects.names({one for one in ids if one})

    def state(text: str | None) -> str | None:
        # a switch and a move note the ids of sets and shifts
        named = names.get(audit_objects.as_id(text)) if text and len(text) == LENGTH_OF_ID else None  # type: ignore[arg-type]
        return named.name if named else text

    return tuple(
        EventRow(
            event_id=row.id,
            at=row.at,
            actor_kind=row.actor_kind,
            actor_name=row.actor_name,
            action=row.action,
            object_kind=row.object_kind,
            object_id=row.object_id,
            named=names.get(row.object_id),
            from_state=state(row.from_state),
            to_state=state(row.to_state),
            reason=row.reason,
            details=row.details,
            request_id=row.request_id,
            address=row.address,
        )
        for row in rows
    )
