"""One label for many trades at once: which set each would get, and the switch of those that were chosen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from kiosk.errors import BadInput, WritingNow
from kiosk.extensions import db
from kiosk.models import Paper, QuestionSet
from kiosk.services import set_reports, sets
from kiosk.services.audit import Actor
from kiosk.services.sets import Switched, SwitchPreview
from kiosk.services.slots import checked_reason

WORD = "ALL"


@dataclass(frozen=True)
class Row:
    """One set with the trades that would get it, and what that would do."""

    set_id: UUID
    trade_ids: tuple[UUID, ...]
    preview: SwitchPreview


def labels(organisation_id: UUID, paper_type: str) -> list[str]:
    """Return the labels that published sets of this paper type have."""
    query = (
        select(QuestionSet.label)
        .join(Paper, Paper.id == QuestionSet.paper_id)
        .where(
            Paper.organisation_id == organisation_id,
            Paper.paper_type == paper_type,
            Paper.status == "in_use",
            QuestionSet.status == "published",
        )
        .distinct()
        .order_by(QuestionSet.label)
    )
    return list(db.session.execute(query).scalars())


def plan(organisation_id: UUID, paper_type: str, label: str, *, without: Collection[UUID] = ()) -> list[Row]:
    """Return what making `label` the active set of every trade would do; trades in `without` are left out."""
    rows = []
    for set_id, trade_ids in set_reports.sets_to_activate(organisation_id, None, paper_type, label):
        wanted = [trade_id for trade_id in trade_ids if trade_id not in without]
        if wanted:
            rows.append(Row(set_id, tuple(wanted), sets.preview(set_id, wanted, organisation_id=organisation_id)))
    return sorted(rows, key=lambda row: row.preview.trade_codes)


def writing(rows: list[Row]) -> int:
    """How many write on another set now."""
    return sum(row.preview.writing for row in rows)


def switch(
    rows: list[Row],
    *,
    organisation_id: UUID,
    keep_running: bool,
    reason: str,
    word: str,
    seen: int | None,
    by: Actor,
    now: datetime,
) -> Switched:
    """Switch every row, each in a transaction of its own. Raises BadInput (nothing to do), WritingNow, ReasonMissing.

    Nothing is begun unless all of it may be done: complete sets, the word typed, no more people than were seen.
    """
    checked_reason(reason)
    if not rows:
        raise BadInput(problem=_("No trade is left to be switched."))
    problems = [problem for row in rows for problem in row.preview.problems]
    if problems:
        raise BadInput(problem="; ".join(problems))
    count = writing(rows)
    confirmed = word == WORD and (seen is None or count <= seen)
    if count and not keep_running and not confirmed:
        raise WritingNow(count=count, word=WORD)
    done = [
        sets.activate(
            row.set_id,
            list(row.trade_ids),
            organisation_id=organisation_id,
            keep_running=keep_running,
            reason=reason,
            confirmed=confirmed,
            by=by,
            now=now,
        )
        for row in rows
    ]
    return Switched(
        sum(one.activations for one in done), sum(one.cancelled for one in done), sum(one.released for one in done)
    )
