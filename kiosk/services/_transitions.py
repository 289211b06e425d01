"""The one door: nothing else writes the status of a slot or an attempt.

Each move is a compare-and-set over any number of rows with its audit rows in the caller's transaction. Rows that
are no longer in a state from which the move is allowed are left alone; the caller sees who moved and decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ClauseElement, Uuid, bindparam, insert, or_, update

from kiosk.extensions import execute
from kiosk.ids import uuid7
from kiosk.models import Attempt, Slot
from kiosk.prepared import Prepared, insert_into
from kiosk.services import audit
from kiosk.services.audit import Actor, Change
from kiosk.states import (
    CLOSING_SLOT_ACTIONS,
    AttemptAction,
    AttemptStatus,
    SlotAction,
    SlotStatus,
    attempt_sources,
    attempt_target,
    slot_sources,
    slot_target,
)

_slots: Any = Slot.__table__
_attempts: Any = Attempt.__table__


def move_slots(
    slot_ids: Iterable[UUID], action: SlotAction, *, by: Actor, now: datetime, reason: str | None = None, **values: Any
) -> Sequence[Any]:
    """Apply `action` to those current slots that allow it; return their (id, candidate_id, paper_id, from_state).

    Reset, reassign and assign close the row and leave its status as history; `open_slots` puts a new one in place.
    """
    closing = CLOSING_SLOT_ACTIONS.get(action)
    sources = [status for status in slot_sources(action) if status is not SlotStatus.NONE]
    stamps: dict[str, Any]
    if closing:
        stamps = {"closed_at": now, "closed_by": by.name, "closed_as": closing, "close_reason": reason}
    else:
        stamps = {"status": slot_target(action), **_slot_stamps(action, now)}
    plain, computed = _split(stamps | values)
    ids = list(slot_ids)
    if len(ids) == 1 and not computed:
        moved = execute(_slot_moved(tuple(sources), tuple(plain)), _parameters({"id": ids[0]} | plain)).all()
    else:
        statement = _slots_moved(tuple(sources), tuple(plain)).values(**computed)
        moved = execute(statement, _parameters({"ids": ids} | plain)).all()
    target = SlotStatus.NONE if closing else slot_target(action)
    audit.record(
        [
            # a closed row keeps its status, and every other move has exactly one source
            Change("slot", row.id, action, row.status if closing else sources[0], target, reason)
            for row in moved
        ],
        by=by,
        now=now,
    )
    return moved


def open_slots(
    rows: list[dict[str, Any]], action: SlotAction, *, by: Actor, now: datetime, reason: str | None = None
) -> None:
    """Insert new available slots (`candidate_id`, `paper_id`, `paper_type`, optional `extra_attempts` each)."""
    if not rows:
        return
    complete = [
        {"extra_attempts": 0, **row, "id": uuid7(), "status": SlotStatus.AVAILABLE, "version": 1}
        | {"assigned_at": now, "assigned_by": by.name}
        for row in rows
    ]
    execute(insert(_slots), complete)
    audit.record(
        [Change("slot", row["id"], action, SlotStatus.NONE, SlotStatus.AVAILABLE, reason) for row in complete],
        by=by,
        now=now,
    )


def open_attempt(values: dict[str, Any], *, is_started: bool, by: Actor, now: datetime) -> None:
    """Insert an attempt, initiated or with its clock running."""
    status = AttemptStatus.IN_PROGRESS if is_started else AttemptStatus.INITIATED
    row = values | {"status": status, "created_at": now, "changed_at": now}
    execute(_attempt_opened(tuple(row)), row)
    changes = [Change("attempt", values["id"], "draw", None, AttemptStatus.INITIATED)]
    if is_started:
        changes.append(
            Change("attempt", values["id"], AttemptAction.START, AttemptStatus.INITIATED, AttemptStatus.IN_PROGRESS)
        )
    audit.record(changes, by=by, now=now)


def move_attempts(
    attempt_ids: Iterable[UUID],
    action: AttemptAction,
    *,
    by: Actor,
    now: datetime,
    reason: str | None = None,
    only_from: AttemptStatus | None = None,
    only_version: int | None = None,
    details: dict[str, Any] | None = None,
    **values: Any,
) -> list[Any]:
    """Apply `action` to those attempts that allow it; return their (id, slot_id, candidate_id, version).

    `details` go into the audit rows: what the row forgets with this move.
    """
    ids = list(attempt_ids)
    moved: list[Any] = []
    changes: list[Change] = []
    plain, computed = _split({"status": attempt_target(action), "changed_at": now} | values)
    chosen, is_same = tuple(plain), only_version is not None
    named: dict[str, Any] = {"id": ids[0]} if len(ids) == 1 and not computed else {"ids": ids}
    statement = (
        _attempt_moved(chosen, is_same=is_same)
        if "id" in named
        else _attempts_moved(chosen, is_same=is_same).values(**computed)
    )
    given = _parameters(named | {"only_version": only_version} | plain)
    # one statement for each source: the audit row needs to know where a row came from
    for source in [only_from] if only_from else attempt_sources(action):
        rows = execute(statement, given | {"p_source": source}).all()
        moved.extend(rows)
        changes.extend(
            Change("attempt", row.id, action, source, attempt_target(action), reason, details) for row in rows
        )
    audit.record(changes, by=by, now=now)
    return moved


def move_each_attempt(
    rows: list[dict[str, Any]],
    action: AttemptAction,
    *,
    source: AttemptStatus,
    by: Actor,
    now: datetime,
    reason: str | None = None,
) -> None:
    """Apply `action` to attempts that the caller has locked in `source`; each row has its `id` and its own values."""
    if not rows:
        return
    names = [name for name in rows[0] if name != "id"]
    execute(
        _attempts.update()
        .where(_attempts.c.id == bindparam("b_id"), _attempts.c.status == source)
        .values(
            status=attempt_target(action),
            version=_attempts.c.version + 1,
            changed_at=now,
            **{name: bindparam(f"b_{name}") for name in names},
        ),
        [{f"b_{name}": value for name, value in row.items()} for row in rows],
    )
    audit.record(
        [Change("attempt", row["id"], action, source, attempt_target(action), reason) for row in rows], by=by, now=now
    )


def _split(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values that are the same for every row, and expressions that the database works out for each."""
    computed = {name: value for name, value in values.items() if isinstance(value, ClauseElement)}
    return {name: value for name, value in values.items() if name not in computed}, computed


def _parameters(values: dict[str, Any]) -> dict[str, Any]:
    return {f"p_{name}": value for name, value in values.items()}


@cache
def _attempt_opened(names: tuple[str, ...]) -> Prepared:
    return insert_into(_attempts, names)


@cache
def _slot_moved(sources: tuple[SlotStatus, ...], names: tuple[str, ...]) -> Prepared:
    """The statement of `move_slots` for one, which is what a candidate moves."""
    return Prepared(_slots_moved(sources, names, is_one=True))


def _those(column: Any, *, is_one: bool) -> Any:
    return column == bindparam("p_id", type_=Uuid) if is_one else column.in_(bindparam("p_ids", expanding=True))


@cache
def _slots_moved(sources: tuple[SlotStatus, ...], names: tuple[str, ...], *, is_one: bool = False) -> Any:
    """The statement of `move_slots`, built once for each shape (ADR 4): `p_` before each column's name."""
    given = {name: bindparam(f"p_{name}", type_=_slots.c[name].type) for name in names}
    return (
        update(_slots)
        .where(
            _those(_slots.c.id, is_one=is_one),
            _slots.c.closed_at.is_(None),
            or_(*(_slots.c.status == source for source in sources)),
        )
        .values(version=_slots.c.version + 1, **given)
        .returning(_slots.c.id, _slots.c.candidate_id, _slots.c.paper_id, _slots.c.status, _slots.c.extra_attempts)
    )


@cache
def _attempt_moved(names: tuple[str, ...], *, is_same: bool) -> Prepared:
    """As `_slot_moved`."""
    return Prepared(_attempts_moved(names, is_same=is_same, is_one=True))


@cache
def _attempts_moved(names: tuple[str, ...], *, is_same: bool, is_one: bool = False) -> Any:
    """As `_slots_moved`: from `p_source`, with `is_same` only at `p_only_version`."""
    given = {name: bindparam(f"p_{name}", type_=_attempts.c[name].type) for name in names}
    statement = (
        update(_attempts)
        .where(
            _those(_attempts.c.id, is_one=is_one),
            _attempts.c.status == bindparam("p_source", type_=_attempts.c.status.type),
        )
        .values(version=_attempts.c.version + 1, **given)
        .returning(_attempts.c.id, _attempts.c.slot_id, _attempts.c.candidate_id, _attempts.c.version)
    )
    return statement.where(_attempts.c.version == bindparam("p_only_version")) if is_same else statement


def _slot_stamps(action: SlotAction, now: datetime) -> dict[str, Any]:
    if action is SlotAction.START:
        return {"started_at": now}
    if action in (SlotAction.RELEASE, SlotAction.REOPEN):
        return {"consumed_at": None, "consumed_how": None}
    return {}
