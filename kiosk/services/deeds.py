"""What is done to records of the office, one or many at once: the same rules, the same words in the log.

The number of statements does not grow with the records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from kiosk.errors import KioskError, NotFound
from kiosk.extensions import db, retried, transaction
from kiosk.services import audit, slots
from kiosk.services.audit import Actor, Change

Reasons = dict[UUID, str]


@dataclass(frozen=True)
class Deed:
    """One thing that can be done to records of one kind.

    `stays` says which of them stay as they are, and why in one word; `values` is what changes. `locks` takes the locks
    that `stays` needs beyond those of the records themselves.
    """

    model: Any
    kind: str
    action: str
    name: Callable[[Any], str]
    stays: Callable[[Sequence[Any], Actor, datetime], Reasons]
    values: Callable[[datetime], Mapping[str, Any]]
    before: Callable[[Any], str | None]
    after: str | None
    needs_reason: bool = False
    locks: Callable[[UUID], Any] = lambda _organisation_id: None


@dataclass
class Done:
    """What was done, or in a preview would be: who changes, and why others stay as they are."""

    names: dict[UUID, str] = field(default_factory=dict)
    why: Reasons = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """How many change."""
        return len(self.names) - len(self.why)

    @property
    def skipped(self) -> Counter[str]:
        """How many stay as they are, by reason."""
        return Counter(self.why.values())


def look_ahead(deed: Deed, ids: Collection[UUID], *, organisation_id: UUID, by: Actor, now: datetime) -> Done:
    """Return what `do` would do; nothing changes. Raises NotFound if one is not there."""
    rows = _rows(deed, ids, organisation_id, for_update=False)
    return Done({row.id: deed.name(row) for row in rows}, deed.stays(rows, by, now))


@retried
def do(deed: Deed, ids: Collection[UUID], *, organisation_id: UUID, by: Actor, now: datetime, reason: str = "") -> Done:
    """Do it to all that can be; return what became of each. Raises ReasonMissing; NotFound if one is not there."""
    why = slots.checked_reason(reason) if deed.needs_reason else None
    with transaction():
        deed.locks(organisation_id)
        rows = _rows(deed, ids, organisation_id, for_update=True)
        done = Done({row.id: deed.name(row) for row in rows}, deed.stays(rows, by, now))
        changing = [row for row in rows if row.id not in done.why]
        changes = [Change(deed.kind, row.id, deed.action, deed.before(row), deed.after, why) for row in changing]
        if changing:
            db.session.execute(
                update(deed.model)
                .where(deed.model.id.in_([row.id for row in changing]))
                .values(**deed.values(now))
                .execution_options(synchronize_session=False)
            )
            audit.record(changes, by=by, now=now)
    return done


def do_one(
    deed: Deed,
    object_id: UUID,
    *,
    organisation_id: UUID,
    by: Actor,
    now: datetime,
    reason: str = "",
    refusals: Mapping[str, Callable[[], KioskError]] | None = None,
) -> bool:
    """Do it to one; return whether anything changed. Raises NotFound, ReasonMissing, and what `refusals` says."""
    done = do(deed, [object_id], organisation_id=organisation_id, by=by, now=now, reason=reason)
    why = done.why.get(object_id)
    if why is not None and refusals and why in refusals:
        raise refusals[why]()
    return why is None


def _rows(deed: Deed, ids: Collection[UUID], organisation_id: UUID, *, for_update: bool) -> list[Any]:
    query = (
        select(deed.model)
        .where(deed.model.id.in_(ids), deed.model.organisation_id == organisation_id)
        .order_by(deed.model.id)
        .execution_options(populate_existing=True)
    )
    rows = list(db.session.execute(query.with_for_update() if for_update else query).scalars())
    if len(rows) != len(set(ids)):
        raise NotFound
    return rows
