"""The audit log: who changed what from what to what, when and why. Written in the change's own transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, Uuid, cast, insert, literal, select

from kiosk import clock
from kiosk.extensions import before_commit, execute
from kiosk.ids import uuid7_at, uuid7_head
from kiosk.models import AuditEvent
from kiosk.prepared import insert_into

_events: Any = AuditEvent.__table__  # a table, not a class: rows that nobody changes need no unit of work
_INSERT = insert_into(_events, [column.key for column in _events.c])
MOST_AT_ONCE = 1000  # rows: an import of tens of thousands shall not hold them all in memory twice


@dataclass(frozen=True)
class Actor:
    """Who acts, and from where: a candidate, a user, the system itself, or somebody at the command line.

    `epoch` is that of a candidate's sign-in: their statements ask by the way whether it still holds. `kiosk_id` is that
    of the enrolled kiosk they sit at, `is_locked_down` whether its browser says that it is locked down.
    """

    kind: str
    name: str
    id: UUID | None = None
    organisation_id: UUID | None = None
    request_id: str | None = None
    address: str | None = None
    user_agent: str | None = None
    kiosk_id: UUID | None = None
    is_locked_down: bool = False
    epoch: int | None = None


SYSTEM = Actor("system", "Exam Kiosk")
COMMAND_LINE = Actor("cli", "command line")


@dataclass(frozen=True)
class Change:
    """One object's change of state."""

    object_kind: str
    object_id: UUID
    action: str
    from_state: str | None = None
    to_state: str | None = None
    reason: str | None = None
    details: dict[str, Any] | None = None


def record(changes: Iterable[Change], *, by: Actor, now: datetime) -> None:
    """Note one row for each change; they are written together before the caller's transaction commits."""
    before_commit(_write, ((change, by, now) for change in changes))


def record_selected(rows: Select[Any], change: Change, *, by: Actor, now: datetime) -> None:
    """Write one row for each of `rows` (audit_tail, object_id, details) at once, by the database alone.

    Last in its transaction, for the reason below. `change` says what is the same in all of them.
    """
    given = rows.subquery()
    table = AuditEvent.__table__
    same = {name: value for name, value in _row(change, by, now).items() if name not in ("object_id", "details")}
    columns = {
        "id": cast(literal(uuid7_head(clock.now()), String) + given.c.audit_tail, Uuid),
        "object_id": given.c.object_id,
        "details": given.c.details,
    } | {name: literal(value, table.c[name].type) for name, value in same.items()}
    chosen = select(*columns.values()).order_by(given.c.audit_tail)
    execute(insert(table).from_select(list(columns), chosen, include_defaults=False))  # type: ignore[arg-type]


def _write(noted: list[tuple[Change, Actor, datetime]]) -> None:
    # the id is made as late as can be, under the locks and by the one clock: rows sort in the order of their commits,
    # and none turns up behind others that were sealed long ago
    made_at = clock.now()
    for start in range(0, len(noted), MOST_AT_ONCE):
        rows = [{"id": uuid7_at(made_at)} | _row(*one) for one in noted[start : start + MOST_AT_ONCE]]
        execute(_INSERT, rows)


def _row(change: Change, by: Actor, now: datetime) -> dict[str, Any]:
    return {
        "organisation_id": by.organisation_id,
        "at": now,
        "actor_kind": by.kind,
        "actor_id": by.id,
        "actor_name": by.name,
        "action": change.action,
        "object_kind": change.object_kind,
        "object_id": change.object_id,
        "from_state": change.from_state,
        "to_state": change.to_state,
        "reason": change.reason,
        "details": change.details,
        "request_id": by.request_id,
        "address": by.address,
    }
