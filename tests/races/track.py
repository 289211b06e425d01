"""One round of a race: bring a candidate where the race begins, let two things happen at once, judge what is there."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from flask import Flask
from sqlalchemy import select

from kiosk import timers
from kiosk.errors import KioskError
from kiosk.extensions import db
from kiosk.jobs import sweeper
from kiosk.models import Activation, Answer, Attempt
from kiosk.services import attempts, invariants, slots
from kiosk.services.audit import Actor
from kiosk.services.receipts import receipt_code
from kiosk.states import HANDED_IN, OPEN_ATTEMPT, AttemptStatus
from kiosk.timers import Timer
from tests.cast import Hall
from tests.player import START_CODE
from tests.races.server import Caller, slowly, together

DURATION = timedelta(minutes=10)
ENDS_THE_TIME = {"expire", "sweep"}
# all that an API call or a page may answer in a race; 503 is for a Redis or database that is away
DOCUMENTED = {200, 201, 204, 302, 303, 400, 403, 404, 409, 410, 422, 503}
RESPONSES = {1: "A", 2: "B", 3: "C", 9: True, 10: False}
OTHER_RESPONSES = {1: "D", 2: "C", 3: "A", 9: False, 10: True}


@dataclass
class People:
    """Who takes part; each candidate has signed in three times."""

    candidates: list[list[Caller]]
    program: Caller
    centre: Caller
    admin: Caller


@dataclass
class Lane:
    """One candidate in one round. Side 0 and side 1 of a pair of equals differ in what they send."""

    id: UUID
    callers: list[Caller]
    at: datetime
    late: datetime
    by_page: bool
    is_confirmed: bool
    attempt_id: UUID | None = None
    questions: dict[int, UUID] = field(default_factory=dict)
    answers: list[tuple[str, int, str]] = field(default_factory=list)
    acknowledged: dict[tuple[UUID, UUID], dict[int, Any]] = field(default_factory=lambda: defaultdict(dict))
    begun: list[str] = field(default_factory=list)


class Track:
    """The hall, its people, and the operations that race: each is prepared first and then run at the barrier."""

    def __init__(self, app: Flask, hall: Hall, people: People, make_anew: Callable[[], None]) -> None:
        self.app, self.hall, self.people, self.make_anew = app, hall, people, make_anew
        self.rounds = self.acknowledged = 0

    def race(self, first: str, second: str, *, begin: str, after: timedelta, by_page: bool) -> None:
        """Run one round and judge it. `begin` is the candidate's state, `after` the time since the deadline.

        What ends the time, and what staff do in such a round, comes 3 s after the deadline.
        """
        is_the_end = bool({first, second} & ENDS_THE_TIME)
        place = self.rounds % self.hall.CANDIDATES
        if self.rounds and not place:
            self.make_anew()  # the same morning again: nobody's audit log goes back in time
        deadline_at = self.hall.MORNING + DURATION
        self.rounds += 1
        lane = Lane(
            self.hall.candidate_ids[place],
            self.people.candidates[place],
            at=deadline_at + after,
            late=deadline_at + (timedelta(seconds=3) if is_the_end else after),
            by_page=by_page,
            is_confirmed=begin == "running",
        )
        self._bring(lane, begin)
        works = [getattr(self, f"_{name}")(lane, side) for side, name in enumerate((first, second))]
        db.session.rollback()
        with slowly(db.engine) as deadlocks:
            together(*works)
        self._judge(lane, deadlocks)

    # --- before -----------------------------------------------------------------------------------

    def _bring(self, lane: Lane, begin: str) -> None:
        """Make the candidate's state `none`, `available` or `running`."""
        now = self.hall.MORNING
        slots.reset([lane.id], reason="a new round", by=self.hall.admin, now=now)
        if begin == "none":
            return
        slots.assign([lane.id], by=self.hall.admin, now=now)
        if begin == "available":
            return
        lease = jwt.decode(lane.callers[0].token, options={"verify_signature": False})["login_no"]
        actor = Actor("candidate", "Test Candidate", lane.id, self.hall.organisation_id)
        started = attempts.start(lane.id, lease=lease, by=actor, now=now, start_code=START_CODE)
        lane.attempt_id = started.attempt_id
        rows = db.session.execute(
            select(Answer.number, Answer.question_id).where(Answer.attempt_id == started.attempt_id)
        )
        lane.questions = {row.number: row.question_id for row in rows}

    # --- what races -------------------------------------------------------------------------------

    def _start(self, lane: Lane, side: int) -> Callable[[], None]:
        """Start; or come back at another computer."""
        path = f"/api/exam/timer/start/{self.hall.paper_id}/"

        def run() -> None:
            status, text = self._send(lane, lane.callers[side], "start", path, lane.at)
            if status == 201:
                lane.begun.append(json.loads(text)["attempt_id"])

        return run

    def _elsewhere(self, lane: Lane, side: int) -> Callable[[], None]:
        path = f"/api/test-attempts/{lane.attempt_id}/resume"
        return lambda: void(self._send(lane, lane.callers[side + 1], "elsewhere", path, lane.at))

    def _save(self, lane: Lane, side: int) -> Callable[[], None]:
        """Answer five questions, one after the other; the other side changes them once more."""
        assert lane.attempt_id
        attempt_id, seq = lane.attempt_id, side + 1
        responses = OTHER_RESPONSES if side else RESPONSES

        def run() -> None:
            for number, response in responses.items():
                question_id = lane.questions[number]
                body = {"attempt_id": str(attempt_id), "question_id": str(question_id), "response": response}
                path = "/api/exam/timer/submit-answer/"
                status, text = self._send(lane, lane.callers[0], "save", path, lane.at, body=body | {"seq": seq})
                if status == 200 and json.loads(text)["saved"]:
                    lane.acknowledged[attempt_id, question_id][seq] = response
                    self.acknowledged += 1

        return run

    def _submit(self, lane: Lane, _side: int) -> Callable[[], None]:
        path = f"/api/exam/timer/submit/{lane.attempt_id}/"
        return lambda: void(self._send(lane, lane.callers[0], "submit", path, lane.at))

    def _expire(self, lane: Lane, _side: int) -> Callable[[], None]:
        """The page's last request, after the grace."""
        path = f"/api/exam/timer/submit/{lane.attempt_id}/"
        return lambda: void(self._send(lane, lane.callers[0], "expire", path, lane.late))

    def _sweep(self, lane: Lane, _side: int) -> Callable[[], None]:
        return lambda: self._serve(lane, "sweep", lambda: void(sweeper.sweep(now=lane.late)))

    def _extend(self, lane: Lane, side: int) -> Callable[[], None]:
        path, body = f"/api/test-attempts/{lane.attempt_id}/extend", {"seconds": 60 + side, "reason": "was ill"}
        return lambda: void(self._send(lane, self.people.program, "extend", path, lane.at, body=body))

    def _pause(self, lane: Lane, _side: int) -> Callable[[], None]:
        path = f"/api/test-attempts/{lane.attempt_id}/pause"
        return lambda: void(self._send(lane, self.people.program, "pause", path, lane.at, body={"reason": "fire"}))

    def _assign(self, lane: Lane, _side: int) -> Callable[[], None]:
        if not lane.by_page:
            return lambda: self._serve(
                lane, "assign", lambda: void(slots.assign([lane.id], by=self.hall.centre_admin, now=lane.late))
            )
        return self._slots_page(lane, "assign")

    def _reset(self, lane: Lane, _side: int) -> Callable[[], None]:
        if not lane.by_page:
            return lambda: self._serve(
                lane,
                "reset",
                lambda: void(slots.reset([lane.id], reason="race", by=self.hall.centre_admin, now=lane.late)),
            )
        return self._slots_page(lane, "reset", reason="race", word="RESET")

    def _slots_page(self, lane: Lane, action: str, **more: str) -> Callable[[], None]:
        path = f"/centre/slots/{action}"
        ready = self.people.centre.form_on(f"{path}?id={lane.id}", lane.at)
        form = ready | {"id": str(lane.id)} | more
        return lambda: void(self._send(lane, self.people.centre, action, path, lane.late, form=form))

    def _switch_set(self, lane: Lane, side: int) -> Callable[[], None]:
        active = self._active_set()
        chosen = [set_id for set_id in self.hall.sets.values() if set_id != active][side]
        if not lane.by_page:
            return lambda: self._serve(
                lane,
                "switch_set",
                lambda: void(self.hall.activate_set(chosen, at=lane.late, confirmed=lane.is_confirmed)),
            )
        path = f"/admin/sets/{self.hall.trade_id}/primary/switch"
        form = self.people.admin.form_on(f"{path}?set={chosen}", lane.at)
        form |= {"set": str(chosen), "for": "trade", "reason": "race", "mode": "void"}
        form |= {"word": "TTC"} if lane.is_confirmed else {}
        return lambda: void(self._send(lane, self.people.admin, "switch_set", path, lane.late, form=form))

    def _send(self, lane: Lane, caller: Caller, name: str, path: str, at: datetime, **content: Any) -> tuple[int, str]:
        status, text = caller.call("POST", path, at, **content)
        lane.answers.append((name, status, text[:300]))
        return status, text

    def _serve(self, lane: Lane, name: str, work: Callable[[], None]) -> None:
        """Call a service as a process of its own would."""
        with self.app.app_context():
            try:
                work()
                lane.answers.append((name, 200, ""))
            except KioskError as refusal:
                lane.answers.append((name, refusal.status, refusal.code))
            finally:
                db.session.remove()

    # --- after ------------------------------------------------------------------------------------

    def _judge(self, lane: Lane, deadlocks: list[str]) -> None:
        db.session.rollback()
        db.session.expire_all()
        assert not [answer for answer in lane.answers if answer[1] not in DOCUMENTED], lane.answers
        assert not deadlocks, "everybody locks in the same order"
        assert not [one for one in invariants.check(now=lane.late) if not one.holds], lane.answers
        assert len(lane.begun) <= 1, "only one start began the clock"
        active = self._active_set()
        for attempt in db.session.execute(select(Attempt).where(Attempt.candidate_id == lane.id)).scalars():
            self._judge_attempt(lane, attempt, active)

    def _judge_attempt(self, lane: Lane, attempt: Attempt, active: UUID) -> None:
        rows = db.session.execute(
            select(Answer.question_id, Answer.response, Answer.seq)
            .where(Answer.attempt_id == attempt.id)
            .order_by(Answer.number)
        ).all()
        if attempt.id == lane.attempt_id:
            for row in rows:
                acknowledged = lane.acknowledged.get((attempt.id, row.question_id), {})
                wanted = (max(acknowledged), acknowledged[max(acknowledged)]) if acknowledged else (0, None)
                assert (row.seq, row.response) == wanted, f"I1, I2: {lane.answers}"
        if attempt.status in HANDED_IN:
            pairs = [(row.question_id, row.response) for row in rows]
            assert attempt.receipt == receipt_code(attempt.id, attempt.closed_at, pairs), "handed in is what is stored"
        if attempt.status in OPEN_ATTEMPT and attempt.paper_id == self.hall.paper_id:
            assert attempt.question_set_id == active, "I16: nobody writes on a set that was switched away"
        if str(attempt.id) in lane.begun and not lane.is_confirmed:
            assert attempt.cancel_reason != "set_switched", "nobody is stopped unasked"
        self._judge_key(attempt)

    def _judge_key(self, attempt: Attempt) -> None:
        """I13: the key says what the database says, or nothing."""
        found = timers.read_timer(attempt.id)
        if found is None:
            return
        if attempt.status == AttemptStatus.IN_PROGRESS:
            assert found == Timer(timers.to_ms(attempt.deadline_at), attempt.version, attempt.lease)
        else:
            assert found.deadline_ms is None

    def _active_set(self) -> UUID:
        return db.session.execute(
            select(Activation.question_set_id).where(
                Activation.trade_id == self.hall.trade_id,
                Activation.paper_type == "primary",
                Activation.ended_at.is_(None),
            )
        ).scalar_one()


def void(_answer: Any) -> None:
    """Take an answer that was looked at already, or that says nothing."""


__all__ = ["DURATION", "People", "Track", "random"]
