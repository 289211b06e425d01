"""The shifts that a candidate file names: which there are, whom they take, and for how many they have room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, select

from kiosk.extensions import db
from kiosk.models import Candidate, Shift, ShiftTrade
from kiosk.shift_states import ShiftStatus


@dataclass(frozen=True)
class _Room:
    shift_id: UUID
    status: str
    capacity: int
    trades: set[UUID] = field(default_factory=set)


class Rooms:
    """The shifts of some centres, and who comes and goes."""

    def __init__(self, centre_ids: Collection[UUID]) -> None:
        """Read the shifts as they are now."""
        shifts = db.session.execute(
            select(Shift.id, Shift.centre_id, Shift.starts_at, Shift.status, Shift.capacity).where(
                Shift.centre_id.in_(centre_ids)
            )
        ).all()
        self._by_id = {row.id: _Room(row.id, row.status, row.capacity) for row in shifts}
        self._by_start = {(row.centre_id, row.starts_at): row.id for row in shifts}
        trades = select(ShiftTrade.shift_id, ShiftTrade.trade_id).join(Shift, Shift.id == ShiftTrade.shift_id)
        for row in db.session.execute(trades.where(Shift.centre_id.in_(centre_ids))):
            self._by_id[row.shift_id].trades.add(row.trade_id)
        self._joins: dict[UUID, list[int]] = {}
        self._leaves: Counter[UUID] = Counter()

    def find(self, centre_id: UUID, starts_at: datetime) -> UUID | None:
        """Return the centre's shift that starts at this instant."""
        return self._by_start.get((centre_id, starts_at))

    def move(self, line: int, leaves: UUID | None, joins: UUID | None, trade_id: UUID) -> str:
        """Note that the candidate in this line goes from one shift into another; return why not, if so."""
        if joins is not None:
            room = self._by_id[joins]
            if room.status == ShiftStatus.CLOSED:
                return _("this shift is closed")
            if room.trades and trade_id not in room.trades:
                return _("this shift is for other trades")
            self._joins.setdefault(joins, []).append(line)
        if leaves is not None:
            self._leaves[leaves] += 1
        return ""

    def too_many(self) -> Iterator[tuple[int, str]]:
        """Yield each line for which its shift has no room, and what to say of it: the last ones that join."""
        limited = [shift_id for shift_id in self._joins if self._by_id[shift_id].capacity]
        inside = _inside(limited)
        for shift_id in limited:
            lines, capacity = self._joins[shift_id], self._by_id[shift_id].capacity
            room = max(0, capacity - inside[shift_id] + self._leaves[shift_id])
            many = len(lines) - room
            if many > 0:
                said = {"capacity": capacity, "room": room, "many": many}
                text = _("the shift takes %(capacity)s people and has room for %(room)s: %(many)s too many", **said)
                yield from ((line, text) for line in sorted(lines)[room:])


def _inside(shift_ids: list[UUID]) -> Counter[UUID]:
    rows = db.session.execute(
        select(Candidate.shift_id, func.count())
        .where(Candidate.shift_id.in_(shift_ids), Candidate.archived_at.is_(None))
        .group_by(Candidate.shift_id)
    )
    return Counter({row[0]: row[1] for row in rows if row[0] is not None})
