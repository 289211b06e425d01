"""Attempts: start, resume, submit, expire, pause. Every way to begin and the one way to end."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, null, select, update
from sqlalchemy.exc import IntegrityError

from kiosk import timers
from kiosk.errors import (
    NoActiveSet,
    NotFound,
    TimerUnavailable,
    TransitionRefused,
    WrongStartCode,
)
from kiosk.extensions import db, execute, retried, transaction
from kiosk.ids import uuid7
from kiosk.models import Activation, Answer, Shift
from kiosk.prepared import Prepared
from kiosk.services import _transitions, catalogue, drawing, entry, finishing, leases, marking, pauses, presence, tries
from kiosk.services.audit import Actor
from kiosk.services.entry import Entry
from kiosk.services.leases import Started
from kiosk.services.slots import checked_reason
from kiosk.services.system import settings
from kiosk.shift_states import ShiftStatus
from kiosk.states import AttemptAction, AttemptStatus, SlotAction, SlotStatus


@retried
def start(
    candidate_id: UUID,
    *,
    lease: int,
    by: Actor,
    now: datetime,
    start_code: str | None = None,
    demands_start_code: bool = True,
    language: str = "en",
) -> Started:
    """Start the candidate's clock; while one runs already: that attempt, unchanged but for the lease.

    `lease` is the number of the sign-in that may write. Raises the refusals of `entry`, NoActiveSet, TimerUnavailable.
    Redis first: if it refuses, nothing was used up. Then one transaction that only the first of several
    starts can win; the others remove their key and answer with what is there.
    """
    found = entry.read(candidate_id, by=by)
    if found.attempt is not None and finishing.is_over(found.attempt, now):
        _submit(found.attempt.id, by=by, now=now)
        found = entry.read(candidate_id, by=by)
    if found.attempt is not None and found.attempt.status != AttemptStatus.INITIATED:
        return _go_on(found, lease=lease, by=by, now=now)
    _refuse_start(found, start_code, demands_start_code=demands_start_code, now=now)
    attempt_id = found.attempt.id if found.attempt else uuid7()
    deadline_at = now + timedelta(seconds=found.allowed_seconds)
    version = found.attempt.version + 1 if found.attempt else 1
    written = timers.create_timer(attempt_id, deadline_at, version=version, lease=lease, now=now)
    if not written and not settings().start_without_redis:
        raise TimerUnavailable
    try:
        with transaction():
            _begin(found, attempt_id, deadline_at, lease=lease, language=language, by=by, now=now)
    except BaseException as failure:
        if found.attempt is None:
            # a prepared attempt is the same for all who start it: its key may be the winner's by now
            timers.forget_timer(attempt_id)
        if isinstance(failure, TransitionRefused | IntegrityError):
            return _start_of_another(candidate_id, lease=lease, by=by, now=now)
        raise
    presence.visited(attempt_id, 1, now=now)  # the first question is served with the start
    return Started(attempt_id, lease, deadline_at, is_new=True)


@retried
def resume(candidate_id: UUID, *, lease: int, by: Actor, now: datetime, as_new_page: bool = False) -> Started:
    """Go on with the open attempt at this sign-in: it takes the lease. Never needs Redis.

    With `as_new_page` a further tab of this sign-in takes it from the others. One whose time is over is ended; one that
    was paused to move the candidate goes on. Raises NotFound if no attempt is open, TakeoverNeedsApproval,
    KioskRequired.
    """
    found = entry.read(candidate_id, by=by)
    if found.attempt is None or found.attempt.status == AttemptStatus.INITIATED:
        raise NotFound
    if finishing.is_over(found.attempt, now):
        _submit(found.attempt.id, by=by, now=now)
        return Started(found.attempt.id, lease, found.attempt.deadline_at, is_new=False)
    return _go_on(found, lease=lease, by=by, now=now, as_new_page=as_new_page)


@retried
def submit(attempt_id: UUID, *, by: Actor, now: datetime, lease: int | None = None) -> None:
    """Hand in an attempt and consume its slot; again: no further effect. `now` is when the request arrived.

    Later than deadline and grace it is ended as expired. With a `lease` only the sign-in that may write hands
    in. Raises NotFound, NotAllowed, AttemptNotRunning, OpenedElsewhere.
    """
    _submit(attempt_id, by=by, now=now, lease=lease)


@retried
def hand_in_for(attempt_id: UUID, *, reason: str, by: Actor, now: datetime) -> None:
    """Hand in for a candidate who can't any more: whoever has left, or whose kiosk is gone.

    Raises NotFound, AttemptNotRunning, ReasonMissing, ReasonTooLong.
    """
    _submit(attempt_id, by=by, now=now, reason=checked_reason(reason))


def _refuse_start(found: Entry, start_code: str | None, *, demands_start_code: bool, now: datetime) -> None:
    """Raise why this candidate can't start now. A wrong start code is counted, and uses nothing else up."""
    refused = entry.refusal(found, now=now)
    if refused is None and demands_start_code:
        refused = entry.start_code_refusal(found, start_code, now=now)
    if isinstance(refused, WrongStartCode) and (start_code or "").strip():
        tries.count_try(tries.start_code_source(found.candidate.id), now=now)
    if refused:
        raise refused


def _go_on(found: Entry, *, lease: int, by: Actor, now: datetime, as_new_page: bool = False) -> Started:
    """Take the open attempt to this page; a centre that demands kiosks demands them of a takeover as well."""
    attempt = found.attempt
    assert attempt is not None
    refused = entry.kiosk_refusal(found) if leases.sign_in_of(attempt.lease) != lease else None
    if refused:
        raise refused
    taken = leases.take(attempt.id, login_no=lease, by=by, now=now, as_new_page=as_new_page)
    is_moved = attempt.status == AttemptStatus.PAUSED and pauses.resume_moved(attempt.id, by=by, now=now)
    return leases.take(attempt.id, login_no=lease, by=by, now=now) if is_moved else taken


def _submit(attempt_id: UUID, *, by: Actor, now: datetime, lease: int | None = None, reason: str | None = None) -> None:
    owner_id = by.id if by.kind == "candidate" else None
    with transaction():
        ended = finishing.finish(attempt_id, by=by, now=now, owner_id=owner_id, lease=lease, reason=reason)
    if ended is not None:
        timers.delete_timer(attempt_id, version=ended.version)
        marking.mark_now(attempt_id, now=now, ended=ended)


def _begin(
    found: Entry, attempt_id: UUID, deadline_at: datetime, *, lease: int, language: str, by: Actor, now: datetime
) -> None:
    """The start's transaction: active set, slot, attempt, questions, audit."""
    slot, paper = found.slot, found.paper
    assert slot is not None
    assert paper is not None
    assert found.shift is not None
    set_id = active_set(found.trade.id, paper.paper_type, open_shift_id=found.shift.id)
    if not _transitions.move_slots([slot.id], SlotAction.START, by=by, now=now):
        raise TransitionRefused(found=SlotStatus.ATTEMPTING)
    running: dict[str, Any] = {
        "lease": lease,
        "language": language,
        "consented_at": now,
        "started_at": now,
        "deadline_at": deadline_at,
        # as they are at the start, not as they were when a prepared attempt was drawn
        "allowed_seconds": found.allowed_seconds,
        "centre_id": found.centre.id,
        "shift_id": found.shift.id if found.shift else None,
        "last_seen_at": now,
        "address": by.address,
        "user_agent": by.user_agent,
        "kiosk_id": by.kiosk_id,
    }
    if found.attempt is not None:
        if found.attempt.question_set_id != set_id or not _transitions.move_attempts(
            [attempt_id], AttemptAction.START, by=by, now=now, **running
        ):
            raise TransitionRefused(found=AttemptStatus.CANCELLED)
        first = update(Answer).where(Answer.attempt_id == attempt_id, Answer.number == 1).values(visited_at=now)
        db.session.execute(first.execution_options(synchronize_session=False))
        return
    seed = drawing.new_seed()
    _transitions.open_attempt(
        running
        | {
            "id": attempt_id,
            "candidate_id": found.candidate.id,
            "slot_id": slot.id,
            "paper_id": paper.id,
            "question_set_id": set_id,
            "number": found.attempts_made + 1,
            "version": 1,
            "seed": seed,
        },
        is_started=True,
        by=by,
        now=now,
    )
    drawing.draw(attempt_id, catalogue.questions_of(set_id).values(), seed, first_seen_at=now)


def active_set(trade_id: UUID, paper_type: str, *, open_shift_id: UUID | None = None) -> UUID:
    """Return the active set, its row locked against a switch in the caller's transaction; the shift as well if given.

    Raises NoActiveSet, and TransitionRefused where the shift was closed in the meantime.
    """
    wanted = _active_set(open_shift_id is not None)
    given = {"p_trade": trade_id, "p_type": paper_type, "p_shift": open_shift_id}
    # a switch that committed while we waited ended the row we waited for: the second look finds its successor
    found = execute(wanted, given).one_or_none() or execute(wanted, given).one_or_none()
    if found is None:
        raise NoActiveSet
    if open_shift_id and found.status != ShiftStatus.OPEN:
        # whoever closes it counts those who write, and us not: we come too late
        raise TransitionRefused(found=found.status)
    return found.question_set_id


@cache
def _active_set(asks_shift: bool) -> Prepared:
    """The statement of `active_set`, built once (ADR 4)."""
    wanted = (
        select(Activation.question_set_id, Shift.status if asks_shift else null().label("status"))
        .where(
            Activation.trade_id == bindparam("p_trade", type_=Uuid),
            Activation.paper_type == bindparam("p_type"),
            Activation.ended_at.is_(None),
        )
        .with_for_update(read=True)
    )
    return Prepared(wanted.join(Shift, Shift.id == bindparam("p_shift", type_=Uuid)) if asks_shift else wanted)


def _start_of_another(candidate_id: UUID, *, lease: int, by: Actor, now: datetime) -> Started:
    """Another start was first, or the slot changed under us: answer with what is there now."""
    found = entry.read(candidate_id, by=by)
    if found.attempt is not None and found.attempt.status != AttemptStatus.INITIATED:
        return _go_on(found, lease=lease, by=by, now=now)
    raise entry.refusal(found, now=now) or TransitionRefused(found=found.slot.status if found.slot else "none")
