"""Deleting a centre, trade, paper or candidate: what goes along, what is cut loose, and what stands in the way.

Each plan names the foreign keys that may be followed. Every other row that points at something to be deleted stands in
the way, and so does a table that nobody has thought of yet: nothing is orphaned, and the database never has to refuse.
(Answers point at questions without a key, ADR 8: their attempt points at the set, and stands in the way.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, delete, func, not_, or_, select, update
from sqlalchemy.exc import IntegrityError

from kiosk.errors import NotFound
from kiosk.extensions import db, retried, transaction
from kiosk.models import Candidate, Centre, Paper, Slot, Trade, User
from kiosk.office_errors import InTheWay
from kiosk.services import _transitions, audit, slots
from kiosk.services.audit import Actor, Change
from kiosk.states import SlotAction

Root = type[Centre] | type[Trade] | type[Paper] | type[Candidate]
KIND: dict[Root, str] = {Centre: "centre", Trade: "trade", Paper: "paper", Candidate: "candidate"}
# what has a name of its own in the audit log; the rest is counted in the row of what it belonged to
NAMED = {
    "candidates": "candidate",
    "shifts": "shift",
    "kiosks": "kiosk",
    "papers": "paper",
    "question_sets": "question_set",
    "incidents": "incident",
}


@dataclass(frozen=True)
class Plan:
    """Which foreign keys take their row along, and which are only emptied, as table.column."""

    takes: frozenset[str]
    clears: frozenset[str] = frozenset()


_CANDIDATES = frozenset({"slots.candidate_id", "candidate_photos.candidate_id"})
_PAPERS = frozenset(
    {
        "parts.paper_id",
        "question_sets.paper_id",
        "questions.question_set_id",
        "activations.question_set_id",
        "slots.paper_id",
    }
)
PLANS: dict[Root, Plan] = {
    Candidate: Plan(_CANDIDATES, frozenset({"incidents.candidate_id"})),
    Paper: Plan(_PAPERS),
    Trade: Plan(_PAPERS | {"papers.trade_id", "activations.trade_id"}),
    Centre: Plan(
        _CANDIDATES
        | {"candidates.centre_id", "shifts.centre_id", "shift_trades.shift_id", "kiosks.centre_id"}
        | {"incidents.centre_id", "jobs.centre_id"},
        # staff stay as people without a centre: the audit log and a later return need them
        frozenset({"users.centre_id", "candidates.shift_id", "incidents.candidate_id", "incidents.shift_id"}),
    ),
}


@dataclass
class Removal:
    """What deleting does, in rows by table: what goes, what is cut loose, and what forbids it."""

    takes: dict[str, int] = field(default_factory=dict)
    clears: dict[str, int] = field(default_factory=dict)
    stands: dict[str, int] = field(default_factory=dict)

    @property
    def is_possible(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.stands


@dataclass(frozen=True)
class _Reach:
    """The rows that go, by table in the order of their foreign keys, and the columns that are emptied."""

    goes: Mapping[Table, ColumnElement[bool]]
    empties: tuple[tuple[Any, ColumnElement[bool]], ...]
    stands: tuple[tuple[Table, ColumnElement[bool]], ...]


def preview(model: Root, object_id: UUID) -> Removal:
    """Return what deleting this would do now."""
    return _counted(_reach(model, object_id), model)


@retried
def remove(model: Root, object_id: UUID, *, name: str, reason: str, by: Actor, now: datetime) -> Removal:
    """Delete one object with all that its plan takes along. Staff of a deleted centre are deactivated.

    Raises ReasonMissing, NotFound, and InTheWay with what stands in the way.
    """
    why = slots.checked_reason(reason)
    try:
        with transaction():
            if db.session.get(model, object_id, with_for_update=True, populate_existing=True) is None:
                raise NotFound
            return _remove(model, object_id, name, why, by, now)
    except IntegrityError as error:
        # somebody made a row between our count and our delete: the database has kept its word
        raise InTheWay from error


def _remove(model: Root, object_id: UUID, name: str, why: str, by: Actor, now: datetime) -> Removal:
    reach = _reach(model, object_id)
    people = db.metadata.tables[Candidate.__tablename__]
    if people in reach.goes:
        # who starts a test locks the candidate first: they come before us and stand in the way, or find nothing
        db.session.execute(select(people.c.id).where(reach.goes[people]).order_by(people.c.id).with_for_update())
    found = _counted(reach, model)
    if not found.is_possible:
        raise InTheWay(found.stands)
    changes = _changes(reach, model)
    if model is Centre:
        changes += _close_accounts(object_id, now)
    _take_slots_away(reach, why, by, now)
    for column, where in reach.empties:
        db.session.execute(update(column.table).where(where).values({column.name: None}))
    for table in reversed(list(reach.goes)):
        db.session.execute(delete(table).where(reach.goes[table]))
    details = {"name": name, "takes": found.takes, "clears": found.clears}
    root = Change(KIND[model], object_id, f"delete_{KIND[model]}", None, "deleted", why, details)
    audit.record([root, *changes], by=by, now=now)
    return found


def _reach(model: Root, object_id: UUID) -> _Reach:
    """Follow the foreign keys from the object outwards; parents stand before their children."""
    plan, root = PLANS[model], db.metadata.tables[model.__tablename__]
    goes: dict[Table, ColumnElement[bool]] = {root: root.c.id == object_id}
    empties: list[tuple[Any, ColumnElement[bool]]] = []
    stands: list[tuple[Table, ColumnElement[bool]]] = []
    for table in db.metadata.sorted_tables:
        taken, others = [], []
        for key in sorted(table.foreign_keys, key=lambda one: one.parent.name):
            if key.column.table not in goes or table is key.column.table:
                continue
            where = key.parent.in_(select(key.column).where(goes[key.column.table]))
            address = f"{table.name}.{key.parent.name}"
            if address in plan.takes:
                taken.append(where)
            elif address in plan.clears:
                empties.append((key.parent, where))
            else:
                others.append(where)
        if others:
            stands.append((table, or_(*others)))
        if taken:
            goes[table] = or_(*taken)
    return _Reach(goes, tuple(empties), tuple(stands))


def _counted(reach: _Reach, model: Root) -> Removal:
    def count(table: Table, where: ColumnElement[bool]) -> int:
        return db.session.execute(select(func.count()).select_from(table).where(where)).scalar_one()

    found = Removal()
    for table, where in reach.goes.items():
        if table.name != model.__tablename__ and (rows := count(table, where)):
            found.takes[table.name] = rows
    for column, where in reach.empties:
        if rows := count(column.table, _but_what_goes(reach, column.table, where)):
            found.clears[column.table.name] = rows
    for table, where in reach.stands:
        if rows := count(table, _but_what_goes(reach, table, where)):
            found.stands[table.name] = rows
    return found


def _but_what_goes(reach: _Reach, table: Table, where: ColumnElement[bool]) -> ColumnElement[bool]:
    """What goes anyway neither stands in its own way nor is cut loose."""
    return where & not_(reach.goes[table]) if table in reach.goes else where


def _changes(reach: _Reach, model: Root) -> list[Change]:
    """An audit row for each thing with a name that goes along."""
    return [
        Change(NAMED[table.name], object_id, f"delete_{NAMED[table.name]}", None, "deleted", f"with its {KIND[model]}")
        for table, where in reach.goes.items()
        if table.name in NAMED and table.name != model.__tablename__
        for object_id in db.session.execute(select(table.c.id).where(where)).scalars()
    ]


def _take_slots_away(reach: _Reach, why: str, by: Actor, now: datetime) -> None:
    """Unused slots leave through the one door first: the log's sums stay those of the rows."""
    table = db.metadata.tables[Slot.__tablename__]
    if table in reach.goes:
        ids = db.session.execute(select(table.c.id).where(reach.goes[table], table.c.closed_at.is_(None))).scalars()
        _transitions.move_slots(list(ids), SlotAction.RESET, by=by, now=now, reason=why)


def _close_accounts(centre_id: UUID, now: datetime) -> list[Change]:
    """Deactivate the staff of a centre that goes: they can be given another centre and reactivated."""
    closed = db.session.execute(
        update(User)
        .where(User.centre_id == centre_id, User.deactivated_at.is_(None))
        .values(deactivated_at=now, session_epoch=User.session_epoch + 1)
        .returning(User.id)
        .execution_options(synchronize_session=False)
    ).scalars()
    return [Change("user", one, "deactivate_user", "active", "inactive", "with its centre") for one in closed]
