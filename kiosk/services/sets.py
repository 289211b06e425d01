"""Active question sets: what is complete, which one is active, and the switch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, insert, select, update

from kiosk import timers
from kiosk.errors import NotFound, SetNotReady, WritingNow
from kiosk.extensions import db, retried, transaction
from kiosk.ids import uuid7
from kiosk.models import Activation, Attempt, Candidate, Paper, QuestionSet, Slot, Trade
from kiosk.services import _transitions, audit, expiring
from kiosk.services.audit import Actor, Change
from kiosk.services.completeness import problems
from kiosk.services.slots import checked_reason
from kiosk.states import OPEN_ATTEMPT, AttemptAction, AttemptStatus, CancelReason, SlotAction, SlotStatus


@dataclass(frozen=True)
class SwitchPreview:
    """What a switch would do: who waits, who writes, and what stands in the way."""

    set_id: UUID
    label: str
    version: int
    trade_codes: tuple[str, ...]
    waiting: int
    writing: int
    problems: tuple[str, ...]

    @property
    def confirm_word(self) -> str:
        """What has to be typed when people are writing: the trade's code, or ALL."""
        return self.trade_codes[0] if len(self.trade_codes) == 1 else "ALL"


@dataclass(frozen=True)
class Switched:
    """What a switch did."""

    activations: int
    cancelled: int
    released: int


def preview(set_id: UUID, trade_ids: list[UUID], *, organisation_id: UUID) -> SwitchPreview:
    """Return what activating the set for these trades would do. Raises NotFound."""
    chosen, trades = _chosen(set_id, trade_ids, organisation_id)
    codes = tuple(trade.code for trade in trades)
    wrong = problems(set_id)
    if _all_active(set_id, trade_ids, chosen.paper_type):
        wrong.append(_("it is active already"))
    waiting = db.session.execute(
        select(func.count())
        .select_from(Slot)
        .join(Candidate, Candidate.id == Slot.candidate_id)
        .where(
            Candidate.trade_id.in_(trade_ids),
            Slot.paper_id == chosen.paper_id,
            Slot.closed_at.is_(None),
            Slot.status == SlotStatus.AVAILABLE,
        )
    ).scalar_one()
    return SwitchPreview(
        set_id, chosen.label, chosen.version, codes, waiting, len(_writing(chosen, trade_ids, set_id)), tuple(wrong)
    )


@retried
def activate(
    set_id: UUID,
    trade_ids: list[UUID],
    *,
    organisation_id: UUID,
    keep_running: bool,
    reason: str,
    confirmed: bool,
    by: Actor,
    now: datetime,
) -> Switched:
    """Make a set the active one for these trades, in one transaction with everything that follows from it.

    Void (default): open attempts on another set are cancelled and their slots released. `keep_running` lets
    those who write finish on the old set. Raises NotFound, SetNotReady, WritingNow, ReasonMissing.
    """
    reason = checked_reason(reason)
    chosen, trades = _chosen(set_id, trade_ids, organisation_id)
    expiring.expire_overdue(now=now)  # whoever's time is over has handed in: no switch takes that away
    with transaction():
        # two switches queue here: behind the other's activation row alone, its successor would be overlooked
        db.session.execute(
            select(Trade.id).where(Trade.id.in_(trade_ids)).order_by(Trade.id).with_for_update(key_share=True)
        )
        # then the activation rows: from here on nobody starts with the set that is switched away
        before = db.session.execute(
            select(Activation.id, Activation.trade_id, Activation.question_set_id)
            .where(
                Activation.trade_id.in_(trade_ids),
                Activation.paper_type == chosen.paper_type,
                Activation.ended_at.is_(None),
            )
            .order_by(Activation.trade_id)
            .with_for_update()
        ).all()
        wrong = problems(set_id)
        if len(before) == len(trade_ids) and all(row.question_set_id == set_id for row in before):
            wrong.append(_("it is active already"))
        if wrong:
            raise SetNotReady(problems="; ".join(wrong))
        writing = _writing(chosen, trade_ids, set_id)
        if writing and not keep_running and not confirmed:
            raise WritingNow(count=len(writing), word=trades[0].code if len(trades) == 1 else "ALL")
        _replace(before, chosen, trades, by=by, now=now, reason=reason)
        cancelled, released = _void(chosen, trade_ids, set_id, keep_running=keep_running, reason=reason, by=by, now=now)
        audit.record(
            [
                Change(
                    "activation",
                    trade.id,
                    "activate_set",
                    next((str(row.question_set_id) for row in before if row.trade_id == trade.id), None),
                    str(set_id),
                    reason,
                    {"paper_type": chosen.paper_type, "set": f"{chosen.label} v{chosen.version}", "trade": trade.code}
                    | {"cancelled": len(cancelled), "released": released, "keep_running": keep_running},
                )
                for trade in trades
            ],
            by=by,
            now=now,
        )
    timers.delete_timers(cancelled)
    return Switched(len(trades), len(cancelled), released)


def _chosen(set_id: UUID, trade_ids: list[UUID], organisation_id: UUID) -> tuple[Any, list[Any]]:
    """The set with its paper, and the trades; all of this organisation, and the paper fit for the trades."""
    chosen = db.session.execute(
        select(
            QuestionSet.id,
            QuestionSet.label,
            QuestionSet.version,
            QuestionSet.paper_id,
            Paper.paper_type,
            Paper.trade_id,
        )
        .join(Paper, Paper.id == QuestionSet.paper_id)
        .where(QuestionSet.id == set_id, Paper.organisation_id == organisation_id)
    ).one_or_none()
    trades = list(
        db.session.execute(
            select(Trade.id, Trade.code)
            .where(Trade.id.in_(trade_ids), Trade.organisation_id == organisation_id)
            .order_by(Trade.code)
        ).all()
    )
    if chosen is None or not trades or len(trades) != len(set(trade_ids)):
        raise NotFound
    if chosen.trade_id is not None and trade_ids != [chosen.trade_id]:
        raise SetNotReady(problems=_("it belongs to another trade's paper"))
    return chosen, trades


def _all_active(set_id: UUID, trade_ids: list[UUID], paper_type: str) -> bool:
    active = db.session.execute(
        select(func.count())
        .select_from(Activation)
        .where(
            Activation.trade_id.in_(trade_ids),
            Activation.paper_type == paper_type,
            Activation.question_set_id == set_id,
            Activation.ended_at.is_(None),
        )
    ).scalar_one()
    return active == len(trade_ids)


def _open_on_other_sets(chosen: Any, trade_ids: list[UUID], set_id: UUID) -> list[Any]:
    return list(
        db.session.execute(
            select(Attempt.id, Attempt.slot_id, Attempt.status)
            .join(Candidate, Candidate.id == Attempt.candidate_id)
            .where(
                Candidate.trade_id.in_(trade_ids),
                Attempt.paper_id == chosen.paper_id,
                Attempt.question_set_id != set_id,
                Attempt.status.in_(OPEN_ATTEMPT),
            )
        ).all()
    )


def _writing(chosen: Any, trade_ids: list[UUID], set_id: UUID) -> list[Any]:
    return [row for row in _open_on_other_sets(chosen, trade_ids, set_id) if row.status != AttemptStatus.INITIATED]


def _replace(before: Any, chosen: Any, trades: list[Any], *, by: Actor, now: datetime, reason: str) -> None:
    db.session.execute(update(Activation).where(Activation.id.in_([row.id for row in before])).values(ended_at=now))
    db.session.execute(
        insert(Activation),
        [
            {"id": uuid7(), "trade_id": trade.id, "paper_type": chosen.paper_type, "question_set_id": chosen.id}
            | {"activated_at": now, "activated_by": by.name, "reason": reason}
            for trade in trades
        ],
    )


def _void(
    chosen: Any, trade_ids: list[UUID], set_id: UUID, *, keep_running: bool, reason: str, by: Actor, now: datetime
) -> tuple[dict[UUID, int], int]:
    """Cancel what is open on other sets; with `keep_running` only what has not begun: it is drawn again."""
    rows = _open_on_other_sets(chosen, trade_ids, set_id)
    if keep_running:
        rows = [row for row in rows if row.status == AttemptStatus.INITIATED]
    if not rows:
        return {}, 0
    why = CancelReason.SET_SWITCHED
    released = _transitions.move_slots([row.slot_id for row in rows], SlotAction.RELEASE, by=by, now=now, reason=why)
    moved = _transitions.move_attempts(
        [row.id for row in rows],
        AttemptAction.CANCEL,
        by=by,
        now=now,
        reason=why,
        cancel_reason=why,
        closed_at=now,
        reason_text=reason,
    )
    return {row.id: row.version for row in moved}, len(released)
