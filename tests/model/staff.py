"""What the staff do: slots, sets, pauses, time, and the two ways back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from kiosk.jobs import sweeper
from kiosk.services import cancelling, centre_reports, grants, pauses, reviving, rooms, slots
from kiosk.services.centre_reports import Filters
from tests.model.machine import Machine
from tests.model.world import Sitting


class Staff(Machine):
    """Admins and centre admins."""

    @rule()
    def assign_slot(self) -> None:
        self.end_if_over()
        slots.assign([self.player.id], by=self.hall.centre_admin, now=self.now)
        self.world.assign()
        self.noted()
        self.again = self.assign_slot

    @rule(to=st.sampled_from(["none", "available"]))
    def reset_or_reassign(self, to: str) -> None:
        self.end_if_over()
        service = slots.reset if to == "none" else slots.reassign
        service([self.player.id], reason="the model wants it", by=self.hall.admin, now=self.now)
        self.world.end_slot(to, self.now)
        self.noted()
        self.again = lambda: self.reset_or_reassign(to)

    @rule(is_single=st.booleans())
    def clear(self, is_single: bool) -> None:
        one = self.world.open
        if is_single and one:
            self.cancel(one)
            return
        self.end_if_over()
        slots.clear_incomplete([self.player.id], by=self.hall.admin, now=self.now)
        self.world.release(self.now)
        self.noted()
        self.again = lambda: self.clear(is_single)

    def cancel(self, one: Sitting) -> None:
        refusal = "attempt_not_running" if one.ends_before(self.now) else None
        self.tried(
            lambda: cancelling.cancel(one.id, reason="the model wants it", by=self.hall.admin, now=self.now), refusal
        )
        if refusal is None:
            self.world.release(self.now)
            self.noted()

    @precondition(lambda self: self.world.sittings)
    @rule(is_room=st.booleans())
    def pause(self, is_room: bool) -> None:
        one = self.world.newest
        assert one
        may = one.status == "in_progress" and one.deadline_at > self.now
        how: dict[str, Any] = {"reason": "fire alarm", "by": self.hall.admin, "now": self.now}
        one_by_one = [one.id]
        assert may == (
            rooms.pause(self.everybody(), **how).changed if is_room else pauses.pause(one_by_one, kind="staff", **how)
        )
        if may:
            one.kept = one.deadline_at - self.now
            one.close("paused", self.now)
            self.noted()
        self.again = lambda: self.pause(is_room)

    @precondition(lambda self: self.world.sittings)
    @rule(is_room=st.booleans())
    def unpause(self, is_room: bool) -> None:
        one = self.world.newest
        assert one
        may = one.status == "paused"
        if is_room:
            assert rooms.resume(self.everybody(), by=self.hall.admin, now=self.now).changed == may
        else:
            assert pauses.unpause([one.id], by=self.hall.admin, now=self.now) == may
        if may:
            one.status, one.deadline_at, one.changed_at = "in_progress", self.now + one.kept, self.now
            self.noted()
        self.again = lambda: self.unpause(is_room)

    @precondition(lambda self: self.world.sittings)
    @rule(seconds=st.sampled_from([1, 300, 3600]))
    def extend(self, seconds: int) -> None:
        one = self.world.newest
        assert one
        is_over = one.ends_before(self.now)
        refusal = None if one.is_open and not is_over else "attempt_not_running"
        self.tried(
            lambda: grants.extend(one.id, seconds, reason="was ill", is_short=False, by=self.hall.admin, now=self.now),
            refusal,
        )
        if refusal is None:
            if one.deadline_at:
                one.deadline_at += timedelta(seconds=seconds)
            else:
                one.kept += timedelta(seconds=seconds)
            one.changed_at = self.now
            self.noted()

    @rule(label=st.sampled_from("ABC"), keep_running=st.booleans())
    def switch_set(self, label: str, keep_running: bool) -> None:
        self.end_if_over()
        refusal = "set_not_ready" if self.world.active["primary"] == label else None
        self.tried(lambda: self.hall.activate(label, at=self.now, keep_running=keep_running), refusal)
        if refusal is None:
            self.world.active["primary"] = label
            one = self.world.open
            if one and not keep_running and one.paper == "primary" and one.label != label:
                self.world.release(self.now)
            self.noted()
        self.again = lambda: self.switch_set(label, keep_running)

    @precondition(lambda self: self.world.sittings)
    @rule(is_newest=st.sampled_from([True, True, False]), cancels_first=st.booleans())
    def restore(self, is_newest: bool, cancels_first: bool) -> None:
        """Left to chance, somebody else acts between cancel and restore: so the cancel often comes along."""
        one = self.world.sittings[-1 if is_newest else 0]
        if cancels_first and one.is_open:
            self.cancel(one)
        refusal = self.world.restore_refusal(one)
        self.tried(lambda: reviving.restore(one.id, reason="by mistake", by=self.hall.admin, now=self.now), refusal)
        if refusal is None:
            self.world.come_back(one, self.now, kept=one.kept)
            self.noted()
        self.again = lambda: self.restore(is_newest, False)

    @precondition(lambda self: self.world.sittings)
    @rule(is_newest=st.sampled_from([True, True, False]), waits_first=st.booleans(), seconds=st.sampled_from([1, 600]))
    def reopen(self, is_newest: bool, waits_first: bool, seconds: int) -> None:
        one = self.world.sittings[-1 if is_newest else 0]
        if waits_first and one.deadline_at:
            self.now = max(self.now, one.deadline_at + timedelta(seconds=3))
            self.latest = max(self.latest, self.now)
            assert sweeper.sweep(now=self.now, reconcile=False) == self.end_if_over()
        refusal = self.world.reopen_refusal(one)
        self.tried(
            lambda: reviving.reopen(one.id, seconds, reason="a power cut", by=self.hall.centre_admin, now=self.now),
            refusal,
        )
        if refusal is None:
            self.world.come_back(one, self.now, kept=timedelta(seconds=seconds))
            self.noted()
        self.again = lambda: self.reopen(is_newest, False, seconds)

    def everybody(self) -> list[UUID]:
        return centre_reports.matching_ids(self.hall.centre_id, Filters(shift=self.hall.shift_id))
