"""What the model knows: one candidate's slot, attempts and answers as they ought to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.cast import Hall

GRACE = timedelta(seconds=2)


@dataclass
class Sitting:
    """What the model knows of one attempt. `stored` has (seq, response) of each question answered."""

    id: UUID
    paper: str
    label: str
    lease: int
    deadline_at: datetime | None
    changed_at: datetime
    status: str = "in_progress"
    kept: timedelta = timedelta()
    is_out_of_time: bool = False
    slot_no: int = 0
    why: str = ""
    stored: dict[int, tuple[int, Any]] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.status in ("in_progress", "paused")

    def ends_before(self, now: datetime) -> bool:
        """Whether deadline and grace have passed."""
        return self.deadline_at is not None and now > self.deadline_at + GRACE

    def left_ms(self, now: datetime) -> int:
        left = self.deadline_at - now if self.deadline_at else self.kept if self.status == "paused" else timedelta()
        return max(round(left / timedelta(milliseconds=1)), 0)

    def close(self, status: str, now: datetime) -> None:
        self.status, self.deadline_at, self.changed_at = status, None, now

    def cancel(self, why: str, now: datetime) -> None:
        """End without a result; a restore gives back what was left at this moment."""
        if self.deadline_at:
            self.kept = max(self.deadline_at - now, timedelta())
        self.why = why
        self.close("cancelled", now)

    def come_back(self, now: datetime, *, kept: timedelta) -> None:
        self.close("paused", now)
        self.kept, self.is_out_of_time = kept, False

    def hand_in(self, now: datetime, *, expired: bool) -> None:
        self.is_out_of_time = expired
        waits_for_people = self.stored.get(8, (0, None))[1] is not None
        self.close(("expired" if expired else "submitted") if waits_for_people else "completed", now)


@dataclass
class World:
    """The candidate's slot, attempts and active sets as they ought to be."""

    slot: str = "available"
    paper: str = "primary"
    extra: int = 0
    slot_no: int = 0  # a slot is a row of its own: reset, reassign and assign end it
    done: set[str] = field(default_factory=set)
    active: dict[str, str] = field(default_factory=lambda: {"primary": "A", "secondary": "A"})
    sittings: list[Sitting] = field(default_factory=list)

    @property
    def newest(self) -> Sitting | None:
        return self.sittings[-1] if self.sittings else None

    @property
    def open(self) -> Sitting | None:
        return self.newest if self.newest and self.newest.is_open else None

    def made(self, paper: str) -> int:
        return sum(one.paper == paper and not one.is_open and one.status != "cancelled" for one in self.sittings)

    def start_refusal(self, now: datetime) -> str | None:
        if self.slot in ("none", "consumed"):
            return "no_slot" if self.slot == "none" else "slot_consumed"
        if self.made(self.paper) > self.extra:
            return "attempt_limit"
        return "shift_not_open" if now > Hall.MORNING + timedelta(hours=12) else None

    def assign(self) -> None:
        paper = "secondary" if "primary" in self.done else "primary"
        if self.slot in ("none", "consumed") and paper not in self.done and not self.made(paper):
            self.slot, self.paper, self.extra = "available", paper, 0
            self.slot_no += 1

    def end_slot(self, slot: str, now: datetime) -> None:
        """Reset (to none) or reassign (to available)."""
        if self.slot == "none":
            return
        if self.slot == "consumed":
            self.done.discard(self.paper)
            self.extra += 1
        self.slot = slot
        self.slot_no += 1
        if self.open:
            self.open.cancel("slot", now)

    def release(self, now: datetime) -> None:
        """Clear, or a switch that voids."""
        if self.open:
            self.open.cancel("released", now)
            self.slot = "available"

    def restore_refusal(self, one: Sitting) -> str | None:
        if one.status != "cancelled":
            return "not_cancelled"
        if one.why != "released":
            return "not_restorable"
        if one.slot_no != self.slot_no:
            return "slot_taken"
        return None if one is self.newest else "newer_attempt"

    def reopen_refusal(self, one: Sitting) -> str | None:
        if not one.is_out_of_time:
            return "not_expired"
        return None if one.slot_no == self.slot_no and self.slot == "consumed" else "slot_taken"

    def come_back(self, one: Sitting, now: datetime, *, kept: timedelta) -> None:
        """Restored or reopened: paused, and the slot is in use again."""
        one.come_back(now, kept=kept)
        self.slot = "attempting"
        self.done.discard(one.paper)

    def hand_in(self, now: datetime, *, expired: bool) -> None:
        assert self.open
        self.open.hand_in(now, expired=expired)
        self.slot = "consumed"
        self.done.add(self.paper)

    def end_if_over(self, now: datetime) -> bool:
        """Whoever's time is over has handed in, whichever call comes first."""
        is_over = self.open is not None and self.open.ends_before(now)
        if is_over:
            self.hand_in(now, expired=True)
        return is_over

    def write_refusal(self, one: Sitting, lease: int, now: datetime) -> str | None:
        if one.status != "in_progress":
            return "time_over" if one.is_out_of_time else "attempt_not_running"
        if one.lease != lease:
            return "open_elsewhere"
        return "time_over" if one.ends_before(now) else None

    def save(self, one: Sitting, number: int, seq: int | None, response: Any) -> str | tuple[bool, int, Any]:
        """Store what is newer; return (saved, seq, response) as they are answered, or the refusal."""
        stored_seq, stored = one.stored.get(number, (0, None))
        if seq is None or seq > stored_seq:
            one.stored[number] = (seq or stored_seq + 1, response)
            return (True, *one.stored[number])
        if seq == stored_seq and stored != response:
            return "seq_reused"
        return seq == stored_seq, stored_seq, stored
