"""What must be true of the database at any time, as SQL: read-only, safe on a running exam.

The numbers are those of the reliability document. Each invariant is a statement that returns the ids of
what breaks it; nothing returned means that it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CompoundSelect, Select, String, and_, case, cast, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased

from kiosk.extensions import db
from kiosk.models import (
    Activation,
    Answer,
    AnswerSave,
    Attempt,
    AuditEvent,
    Candidate,
    Pause,
    Question,
    QuestionSet,
    Result,
    Slot,
    TimeGrant,
)
from kiosk.models.sqltime import milliseconds_between
from kiosk.services.system import settings
from kiosk.states import (
    ATTEMPT_MOVES,
    HANDED_IN,
    OPEN_ATTEMPT,
    SLOT_MOVES,
    AttemptAction,
    AttemptStatus,
    SlotStatus,
)

Query = Select[Any] | CompoundSelect[Any]
WITH_A_CLOCK = (AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)
TOLERANCE_MS = 1000
LATE_SECONDS = 5
MOST_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One invariant and what breaks it: how many objects, and the first few of them."""

    name: str
    sentence: str
    broken: int
    examples: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing breaks it."""
        return not self.broken


def check(*, now: datetime) -> list[Finding]:
    """Return a finding for each invariant that the database alone can show."""
    return [_finding(name, sentence, query(now)) for name, sentence, query in _INVARIANTS]


def _finding(name: str, sentence: str, query: Query) -> Finding:
    broken = [str(row[0]) for row in db.session.execute(query)]
    return Finding(name, sentence, len(broken), tuple(broken[:MOST_SHOWN]))


def _newer_in_history(_now: datetime) -> Query:
    newer = and_(
        AnswerSave.attempt_id == Answer.attempt_id,
        AnswerSave.question_id == Answer.question_id,
        AnswerSave.is_counted,
        AnswerSave.seq > Answer.seq,
    )
    return select(Answer.attempt_id).where(exists().where(newer))


def _saved_outside_the_time(_now: datetime) -> Query:
    grace_ms = settings().save_grace_seconds * 1000
    end = func.coalesce(Attempt.deadline_at, Attempt.closed_at)
    return (
        select(Attempt.id)
        .join(AnswerSave, AnswerSave.attempt_id == Attempt.id)
        .where(
            AnswerSave.is_counted,
            or_(
                # two hosts know the database's clock to within half a round trip each
                milliseconds_between(AnswerSave.arrived_at, Attempt.started_at) > 500,
                milliseconds_between(end, AnswerSave.arrived_at) > grace_ms,
            ),
        )
        .distinct()
    )


def _wrong_time(_now: datetime) -> Query:
    granted = select(func.coalesce(func.sum(TimeGrant.seconds), 0)).where(TimeGrant.attempt_id == Attempt.id)
    paused = select(func.coalesce(func.sum(milliseconds_between(Pause.from_at, Pause.to_at)), 0)).where(
        Pause.attempt_id == Attempt.id, Pause.to_at.is_not(None)
    )
    entitled = (Attempt.allowed_seconds + granted.scalar_subquery()) * 1000 + paused.scalar_subquery()
    spent_and_left = case(
        (
            Attempt.status == AttemptStatus.PAUSED,
            milliseconds_between(Attempt.started_at, Attempt.paused_at) + Attempt.remaining_ms,
        ),
        else_=milliseconds_between(Attempt.started_at, Attempt.deadline_at),
    )
    return select(Attempt.id).where(
        Attempt.status.in_(WITH_A_CLOCK), func.abs(spent_and_left - entitled) > TOLERANCE_MS
    )


def _open_after_the_end(now: datetime) -> Query:
    limit = now - timedelta(seconds=settings().save_grace_seconds + LATE_SECONDS)
    return select(Attempt.id).where(Attempt.status == AttemptStatus.IN_PROGRESS, Attempt.deadline_at < limit)


def _two_open(_now: datetime) -> Query:
    def doubled(column: Any) -> Select[Any]:
        return select(column).where(Attempt.status.in_(OPEN_ATTEMPT)).group_by(column).having(func.count() > 1)

    return union_all(doubled(Attempt.candidate_id), doubled(Attempt.slot_id))


def _slot_and_attempts_disagree(_now: datetime) -> Query:
    def count(statuses: Any) -> Any:
        counted = select(func.count()).where(Attempt.slot_id == Slot.id, Attempt.status.in_(statuses))
        return counted.scalar_subquery()

    is_current = Slot.closed_at.is_(None)
    return select(Slot.id).where(
        or_(
            and_(is_current, Slot.status == SlotStatus.ATTEMPTING, count(WITH_A_CLOCK) != 1),
            and_(Slot.status == SlotStatus.CONSUMED, count(HANDED_IN) != 1),
            and_(or_(~is_current, Slot.status != SlotStatus.ATTEMPTING), count(WITH_A_CLOCK) != 0),
        )
    )


def _unlisted_moves(_now: datetime) -> Query:
    def listed(kind: str, moves: Any) -> Any:
        steps = {(source, target) for (source, _), target in moves.items()}
        return and_(
            AuditEvent.object_kind == kind,
            AuditEvent.from_state.is_not(None),
            AuditEvent.from_state != AuditEvent.to_state,
            ~or_(*(and_(AuditEvent.from_state == source, AuditEvent.to_state == target) for source, target in steps)),
        )

    return select(AuditEvent.id).where(or_(listed("slot", SLOT_MOVES), listed("attempt", ATTEMPT_MOVES)))


def _results_and_attempts_disagree(_now: datetime) -> Query:
    current = (
        select(func.count()).where(Result.attempt_id == Attempt.id, Result.superseded_at.is_(None)).scalar_subquery()
    )
    return select(Attempt.id).where(current != case((Attempt.status == AttemptStatus.COMPLETED, 1), else_=0))


def _broken_audit_chain(_now: datetime) -> Query:
    # by id, which is made under the locks; `at` is when the request arrived, and a lock may reorder two of them
    steps = (
        select(
            AuditEvent.object_id,
            AuditEvent.from_state,
            func.lag(AuditEvent.to_state)
            .over(partition_by=AuditEvent.object_id, order_by=AuditEvent.id)
            .label("before"),
        )
        .where(AuditEvent.object_kind.in_(("slot", "attempt")))
        .subquery()
    )
    return select(steps.c.object_id).where(steps.c.before.is_not(None), steps.c.before != steps.c.from_state)


def _state_not_audited(_now: datetime) -> Query:
    newest = (
        select(
            AuditEvent.object_id,
            AuditEvent.to_state,
            func.row_number().over(partition_by=AuditEvent.object_id, order_by=AuditEvent.id.desc()).label("place"),
        )
        .where(AuditEvent.object_kind.in_(("slot", "attempt")))
        .subquery()
    )

    def differs(model: Any, state: Any) -> Select[Any]:
        last = and_(newest.c.object_id == model.id, newest.c.place == 1)
        return select(model.id).outerjoin(newest, last).where(func.coalesce(newest.c.to_state, "") != state)

    return union_all(differs(Attempt, Attempt.status), differs(Slot, _slot_state()))


def _audit_sum_differs(_now: datetime) -> Query:
    """What entered a state and did not leave it, by the log, against what is in it."""

    def logged(state: Any, weight: int) -> Select[Any]:
        of_a_life_cycle = AuditEvent.object_kind.in_(("slot", "attempt"))
        return select(AuditEvent.object_kind.label("kind"), state.label("state"), literal(weight).label("n")).where(
            of_a_life_cycle
        )

    def there(kind: str, state: Any) -> Select[Any]:
        return select(literal(kind), state, literal(-1))

    counted = union_all(
        logged(AuditEvent.to_state, 1),
        logged(AuditEvent.from_state, -1),
        there("attempt", Attempt.status),
        there("slot", _slot_state()),
    ).subquery()
    is_a_state = and_(counted.c.state.is_not(None), counted.c.state != SlotStatus.NONE)
    return (
        select(counted.c.kind + " " + counted.c.state)
        .where(is_a_state)
        .group_by(counted.c.kind, counted.c.state)
        .having(func.sum(counted.c.n) != 0)
    )


def _handed_in_and_consumed_differ(_now: datetime) -> Query:
    consumed = select(func.count()).where(Slot.status == SlotStatus.CONSUMED).scalar_subquery()
    handed_in = select(func.count()).where(Attempt.status.in_(HANDED_IN)).scalar_subquery()
    numbers = cast(consumed, String) + " consumed, " + cast(handed_in, String) + " handed in"
    return select(numbers).where(consumed != handed_in)


def _slot_state() -> Any:
    return case((Slot.closed_as.in_(("reset", "reassigned", "done")), SlotStatus.NONE), else_=Slot.status)


def _mixed_sets(_now: datetime) -> Query:
    return (
        select(Attempt.id)
        .join(Answer, Answer.attempt_id == Attempt.id)
        .outerjoin(Question, Question.id == Answer.question_id)
        .where(or_(Question.id.is_(None), Question.question_set_id != Attempt.question_set_id))
        .distinct()
    )


def _open_on_a_voided_set(_now: datetime) -> Query:
    """Open attempts that a void switch should have cancelled. Whoever came back after it did so by a staff's word."""
    switch, begun, back = aliased(AuditEvent), aliased(AuditEvent), aliased(AuditEvent)
    chosen = aliased(QuestionSet)

    def of_attempt(event: Any, *actions: str) -> Any:
        return and_(event.object_kind == "attempt", event.object_id == Attempt.id, event.action.in_(actions))

    return (
        select(Attempt.id)
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .join(switch, and_(switch.object_kind == "activation", switch.object_id == Candidate.trade_id))
        # the log has ids as texts, with dashes
        .join(chosen, func.replace(cast(chosen.id, String), "-", "") == func.replace(switch.to_state, "-", ""))
        .join(begun, of_attempt(begun, "draw"))
        .where(
            Attempt.status.in_(OPEN_ATTEMPT),
            switch.action == "activate_set",
            switch.details["keep_running"].as_boolean().is_(False),
            chosen.paper_id == Attempt.paper_id,
            chosen.id != Attempt.question_set_id,
            begun.id < switch.id,
            ~exists().where(of_attempt(back, AttemptAction.RESTORE, AttemptAction.REOPEN), back.id > switch.id),
        )
        .distinct()
    )


def _two_active_sets(_now: datetime) -> Query:
    key = (Activation.trade_id, Activation.paper_type)
    return select(Activation.trade_id).where(Activation.ended_at.is_(None)).group_by(*key).having(func.count() > 1)


_INVARIANTS: tuple[tuple[str, str, Callable[[datetime], Query]], ...] = (
    ("I1", "no save that counted is newer than the stored answer", _newer_in_history),
    ("I2", "every answer that counts arrived within the candidate's time", _saved_outside_the_time),
    ("I3", "every clock shows the allowed time with its grants and pauses", _wrong_time),
    ("I4", "nobody is still writing after the deadline and the grace", _open_after_the_end),
    ("I5", "nobody has two open attempts", _two_open),
    ("I6", "slots and attempts tell the same story", _slot_and_attempts_disagree),
    ("I6", "every recorded move is in the tables", _unlisted_moves),
    ("I8", "each completed attempt has exactly one current result, no other has one", _results_and_attempts_disagree),
    ("I9", "the audit log of each object has no gap", _broken_audit_chain),
    ("I9", "each state is the one that was audited last", _state_not_audited),
    ("I9", "as many are in each state as entered it and did not leave", _audit_sum_differs),
    ("I16", "each attempt's questions are of its one set", _mixed_sets),
    ("I16", "a void switch leaves nobody on the old set, unless restored or reopened since", _open_on_a_voided_set),
    ("I16", "one active set for each trade and paper", _two_active_sets),
    ("I17", "as many slots are consumed as tests were handed in", _handed_in_and_consumed_differ),
)
