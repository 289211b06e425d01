"""The room board: all seats of a shift, and who needs somebody now. At most four statements for any room."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import and_, func, select

from kiosk.extensions import db
from kiosk.models import Answer, Attempt, AuditEvent, Candidate, Centre, Kiosk, Shift, Slot, Trade
from kiosk.services import finishing, shapes, shift_choices
from kiosk.services.shift_choices import LATE_START, ShiftChoice
from kiosk.states import HANDED_IN, AttemptStatus, SlotStatus

OFFLINE_AFTER = timedelta(seconds=30)
ASKED_LATELY = timedelta(minutes=10)
LONG_PAUSE = timedelta(minutes=15)
LITTLE_TIME_MS = 600_000
MUCH_BLANK = 0.25
MOST_SEATS = 600

SeatState = Literal["writing", "offline", "paused", "submitted", "expired", "ready", "absent", "no_slot"]
Need = Literal["", "offline", "unsaved", "asks", "late", "blank", "paused_long"]
# the most urgent first; within a kind whoever waits longest
NEEDS: tuple[Need, ...] = ("offline", "unsaved", "asks", "blank", "late", "paused_long")


@dataclass(frozen=True)
class Seat:
    """One candidate of the shift at one instant. `since` is when what needs somebody began."""

    candidate_id: UUID
    attempt_id: UUID | None
    number: str | None
    name: str
    service_no: str
    trade_code: str
    state: SeatState
    need: Need
    since: datetime | None
    is_present: bool
    answered: int
    total: int
    unsaved: int
    remaining_ms: int
    closed_at: datetime | None
    last_seen_at: datetime | None
    kiosk: str | None
    shift_id: UUID | None
    asks_first: bool  # staff agree before another page takes the test

    @property
    def percentage(self) -> int:
        """How much is answered, in per cent."""
        return round(100 * self.answered / self.total) if self.total else 0


@dataclass(frozen=True)
class Board:
    """A room: its seats in order, who needs somebody, and the counts of the tiles."""

    shift: ShiftChoice | None
    shifts: tuple[ShiftChoice, ...]
    seats: tuple[Seat, ...]
    empty: tuple[str, ...]
    counts: dict[str, int]

    @property
    def calls(self) -> list[Seat]:
        """Who needs somebody, the most urgent first."""
        calling = [seat for seat in self.seats if seat.need]
        return sorted(calling, key=lambda seat: (NEEDS.index(seat.need), seat.since.timestamp() if seat.since else 0))

    @property
    def places(self) -> list[tuple[str | None, Seat | None]]:
        """The room as it stands: every seat in order with who sits there, and at the end whoever has none."""
        taken: list[tuple[str | None, Seat | None]] = [(seat.number, seat) for seat in self.seats]
        free: list[tuple[str | None, Seat | None]] = [(number, None) for number in self.empty]
        return sorted(taken + free, key=lambda place: (place[0] is None, len(place[0] or ""), place[0] or ""))

    def shown(self, what: str) -> tuple[Seat, ...]:
        """The seats behind one tile; all for a word that is none."""
        wanted = {
            "present": lambda seat: seat.is_present,
            "alerts": lambda seat: bool(seat.need),
            "writing": lambda seat: seat.state in ("writing", "offline"),
        }.get(what, lambda seat: seat.state == what)
        return tuple(filter(wanted, self.seats)) if what in ("offline", "absent", *self.counts) else self.seats

    def urgent_first(self, what: str) -> list[Seat]:
        """The seats behind one tile, who needs somebody before the others."""
        order = {seat.candidate_id: place for place, seat in enumerate(self.calls)}
        return sorted(self.shown(what), key=lambda seat: order.get(seat.candidate_id, len(order)))


def board(centre_id: UUID, shift_id: UUID | None, *, now: datetime) -> Board:
    """Return the room of a shift; without one that of the open shift, else of the latest."""
    shifts = shift_choices.newest(centre_id)
    shift = next((one for one in shifts if one.shift_id == shift_id), None) or shift_choices.likely(shifts, now)
    if shift is None:
        return Board(None, (), (), (), _counts(()))
    rows = _rows(centre_id, shift.shift_id)
    answered, asked = _answered(rows), _asked(rows, now)
    seats = tuple(_seat(row, answered.get(row.attempt_id), asked.get(row.attempt_id), shift, now) for row in rows)
    room = rows[0].seats if rows else _seats_of(centre_id)
    taken = {seat.number for seat in seats}
    empty = tuple(str(number) for number in range(1, min(room, MOST_SEATS) + 1) if str(number) not in taken)
    return Board(shift, tuple(shifts), seats, empty, _counts(seats))


def seat(centre_id: UUID, candidate_id: UUID, *, now: datetime) -> Seat | None:
    """Return one candidate of the centre as the board shows them; None if there is no such one."""
    row = next(iter(_rows(centre_id, None, candidate_id)), None)
    if row is None:
        return None
    shift = ShiftChoice(row.shift_id, row.starts_at, row.shift_status) if row.shift_id else None
    return _seat(row, _answered([row]).get(row.attempt_id), _asked([row], now).get(row.attempt_id), shift, now)


def _rows(centre_id: UUID, shift_id: UUID | None, candidate_id: UUID | None = None) -> list[Any]:
    """The candidates with their current slot, and the attempt of it that was not cancelled."""
    query = (
        select(
            Candidate.id,
            Candidate.seat,
            Candidate.name,
            Candidate.service_no,
            Candidate.checked_in_at,
            Trade.code.label("trade_code"),
            Centre.demands_check_in,
            Centre.seats,
            Centre.takeover,
            Shift.id.label("shift_id"),
            Shift.starts_at,
            Shift.status.label("shift_status"),
            Slot.status.label("slot_status"),
            Slot.consumed_at,
            Slot.consumed_how,
            Attempt.id.label("attempt_id"),
            Attempt.status,
            Attempt.deadline_at,
            Attempt.remaining_ms,
            Attempt.paused_at,
            Attempt.last_seen_at,
            Attempt.unsaved,
            Attempt.started_at,
            Attempt.takeover_approved_at,
            Kiosk.name.label("kiosk"),
        )
        .select_from(Candidate)
        .join(Trade, Trade.id == Candidate.trade_id)
        .join(Centre, Centre.id == Candidate.centre_id)
        .outerjoin(Shift, Shift.id == Candidate.shift_id)
        .outerjoin(Slot, and_(Slot.candidate_id == Candidate.id, Slot.closed_at.is_(None)))
        .outerjoin(
            Attempt,
            and_(
                Attempt.slot_id == Slot.id,
                Attempt.status.not_in((AttemptStatus.CANCELLED, AttemptStatus.INITIATED)),
            ),
        )
        .outerjoin(Kiosk, Kiosk.id == Attempt.kiosk_id)
        .where(Candidate.centre_id == centre_id, Candidate.archived_at.is_(None))
        # seats are texts that are mostly numbers: 2 before 10, and whoever has none comes last
        .order_by(Candidate.seat.is_(None), func.length(Candidate.seat), Candidate.seat, Candidate.login)
    )
    wanted = Candidate.shift_id == shift_id if candidate_id is None else Candidate.id == candidate_id
    return list(db.session.execute(query.where(wanted)).all())


def _answered(seats: list[Any]) -> dict[UUID, Any]:
    attempt_ids = [row.attempt_id for row in seats if row.attempt_id]
    if not attempt_ids:
        return {}
    rows = db.session.execute(
        select(
            Answer.attempt_id,
            func.count().label("total"),
            func.count().filter(Answer.response.is_not(None)).label("answered"),
        )
        .where(Answer.attempt_id.in_(attempt_ids))
        .group_by(Answer.attempt_id)
    )
    return {row.attempt_id: row for row in rows}


def _asked(seats: list[Any], now: datetime) -> dict[UUID, datetime]:
    """Since when somebody asks to go on at another place, for those who still do; in most centres nobody has to."""
    attempt_ids = [row.attempt_id for row in seats if row.attempt_id and row.takeover == "approval"]
    if not attempt_ids:
        return {}
    rows = db.session.execute(
        select(AuditEvent.object_id, func.max(AuditEvent.at).label("at"))
        .where(
            AuditEvent.object_kind == "attempt",
            AuditEvent.object_id.in_(attempt_ids),
            AuditEvent.action == "ask_takeover",
            AuditEvent.at > now - ASKED_LATELY,
        )
        .group_by(AuditEvent.object_id)
    )
    return {row.object_id: row.at for row in rows}


def _seats_of(centre_id: UUID) -> int:
    return db.session.execute(select(Centre.seats).where(Centre.id == centre_id)).scalar_one()


def _seat(row: Any, answered: Any, asked_at: datetime | None, shift: ShiftChoice | None, now: datetime) -> Seat:
    state = _state(row, now)
    left = row.remaining_ms if state == "paused" else shapes.remaining_ms(row.deadline_at, now)
    counts = (answered.answered, answered.total) if answered else (0, 0)
    is_present = row.checked_in_at is not None or row.attempt_id is not None
    need, since = _need(row, state, counts, left or 0, asked_at, shift, now, is_present=is_present)
    return Seat(
        candidate_id=row.id,
        attempt_id=row.attempt_id,
        number=row.seat,
        name=row.name,
        service_no=row.service_no,
        trade_code=row.trade_code,
        state=state,
        need=need,
        since=since,
        is_present=is_present,
        answered=counts[0],
        total=counts[1],
        unsaved=row.unsaved if state in ("writing", "offline") else 0,
        remaining_ms=left or 0,
        closed_at=row.consumed_at or (row.deadline_at if state == "expired" else None),
        last_seen_at=row.last_seen_at,
        kiosk=row.kiosk,
        shift_id=row.shift_id,
        asks_first=row.takeover == "approval",
    )


def _state(row: Any, now: datetime) -> SeatState:
    if row.slot_status is None:
        return "no_slot"
    if row.status == AttemptStatus.PAUSED:
        return "paused"
    if row.status == AttemptStatus.IN_PROGRESS:
        if finishing.is_over(row, now):
            return "expired"
        return "offline" if now - (row.last_seen_at or row.started_at) > OFFLINE_AFTER else "writing"
    if row.slot_status == SlotStatus.CONSUMED or row.status in HANDED_IN:
        return "expired" if row.consumed_how == "expired" else "submitted"
    is_missing = row.demands_check_in and row.checked_in_at is None
    return "absent" if is_missing else "ready"


def _need(
    row: Any,
    state: SeatState,
    counts: tuple[int, int],
    left: int,
    asked_at: datetime | None,
    shift: ShiftChoice | None,
    now: datetime,
    *,
    is_present: bool,
) -> tuple[Need, datetime | None]:
    """Why somebody should go there, and since when."""
    if state == "offline":
        return "offline", row.last_seen_at or row.started_at
    if state == "writing" and row.unsaved:
        return "unsaved", None
    approved_at = row.takeover_approved_at
    is_unanswered = asked_at is not None and (approved_at is None or approved_at < asked_at)
    if is_unanswered and state in ("writing", "paused"):
        return "asks", asked_at
    answered, total = counts
    if state == "writing" and left <= LITTLE_TIME_MS and total - answered >= MUCH_BLANK * total:
        return "blank", row.deadline_at
    if state == "paused" and now - row.paused_at > LONG_PAUSE:
        return "paused_long", row.paused_at
    if state == "ready" and is_present and shift and shift.is_open and now - shift.starts_at > LATE_START:
        return "late", shift.starts_at
    return "", None


def _counts(seats: tuple[Seat, ...]) -> dict[str, int]:
    states = Counter(seat.state for seat in seats)
    return {
        "expected": len(seats),
        "present": sum(seat.is_present for seat in seats),
        "ready": states["ready"],
        "writing": states["writing"] + states["offline"],
        "paused": states["paused"],
        "submitted": states["submitted"],
        "expired": states["expired"],
        "offline": states["offline"],
        "alerts": sum(bool(seat.need) for seat in seats),
    }
