"""Writing papers: draft, in use, archived. Parts and marks are fixed once a set was published or somebody sat them.

What question sets were made for and attempts are marked by does not move under them: whoever needs other parts copies
the paper, has sets made for the copy, and puts the old one away when the copy is taken into use.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import delete

from kiosk.errors import KioskError, TransitionRefused
from kiosk.extensions import db, retried, transaction
from kiosk.ids import uuid7
from kiosk.models import Paper, Part, Trade
from kiosk.models.papers import PAPER_TYPES
from kiosk.office_errors import NotNow, WrongField
from kiosk.services import audit, deeds, paper_deeds, paper_reports, records
from kiosk.services.audit import Actor, Change
from kiosk.services.paper_values import WHOLE, PaperValues, Structure, check_paper, check_structure


@retried
def create(
    organisation_id: UUID,
    *,
    trade_id: UUID | None,
    paper_type: str,
    values: PaperValues,
    structure: Structure,
    by: Actor,
    now: datetime,
) -> UUID:
    """Add a paper as a draft; return its id. A secondary one without a trade is common to all. Raises WrongField."""
    with transaction():
        _check_place(organisation_id, trade_id, paper_type)
        made = _add(organisation_id, trade_id, paper_type, check_paper(values), check_structure(structure))
        audit.record([Change("paper", made, "create_paper", None, "draft")], by=by, now=now)
        return made


@retried
def edit(
    paper_id: UUID,
    values: PaperValues,
    structure: Structure | None,
    *,
    organisation_id: UUID,
    by: Actor,
    now: datetime,
) -> None:
    """Change a paper; without a structure its parts stay. A new duration counts from the next start on.

    Raises NotFound, WrongField, and NotNow where the parts are fixed and others were sent.
    """
    with transaction():
        found = records.locked(Paper, paper_id, organisation_id)
        checked, before = check_paper(values), _shown(found)
        if structure is not None:
            _restructure(found, structure)
        found.duration_seconds = checked.duration_minutes * 60
        for name, value in vars(checked).items():
            if name != "duration_minutes":
                setattr(found, name, value)
        db.session.flush()
        after = _shown(found)
        if after != before:
            changed = [name for name in after if after[name] != before[name]]
            details = {
                "before": {name: before[name] for name in changed},
                "after": {name: after[name] for name in changed},
            }
            audit.record([Change("paper", paper_id, "edit_paper", details=details)], by=by, now=now)


@retried
def copy(paper_id: UUID, *, organisation_id: UUID, by: Actor, now: datetime) -> UUID:
    """Make a draft with the same parts and rules; return its id. Raises NotFound."""
    with transaction():
        found = records.locked(Paper, paper_id, organisation_id)
        values = paper_reports.values_of(found)
        title = _("%(title)s (copy)", title=values.title[:180])
        values = PaperValues(**(vars(values) | {"title": title}))
        made = _add(organisation_id, found.trade_id, found.paper_type, values, paper_reports.structure_of(found))
        details = {"copy_of": str(paper_id)}
        audit.record([Change("paper", made, "create_paper", None, "draft", None, details)], by=by, now=now)
        return made


def take_into_use(paper_id: UUID, *, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Make this the paper of its trade and type. Raises NotFound; NotNow where another one is, or parts are missing."""
    refusals: dict[str, Callable[[], KioskError]] = {
        "other_in_use": lambda: NotNow(problem=_is_taken(paper_id, organisation_id)),
        "no_trade": lambda: NotNow(problem=_("A primary paper belongs to a trade.")),
        "parts": lambda: NotNow(problem=paper_deeds.problem_of_parts(db.session.get_one(Paper, paper_id))),
    }
    who: dict[str, Any] = {"organisation_id": organisation_id, "by": by, "now": now}
    deeds.do_one(paper_deeds.USE, paper_id, refusals=refusals, **who)


def archive(paper_id: UUID, *, reason: str, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Put a paper away: nobody gets a slot for it, what was written stays.

    Raises NotFound, ReasonMissing, and NotNow while candidates hold slots for it.
    """
    refusals: dict[str, Callable[[], KioskError]] = {
        "archived": lambda: TransitionRefused(found="archived"),
        "held": lambda: NotNow(
            problem=_("Candidates hold slots for this paper that are not used up. Reset these first.")
        ),
    }
    who: dict[str, Any] = {"organisation_id": organisation_id, "by": by, "now": now}
    deeds.do_one(paper_deeds.ARCHIVE, paper_id, reason=reason, refusals=refusals, **who)


def _is_taken(paper_id: UUID, organisation_id: UUID) -> str:
    place = paper_deeds.place_of(db.session.get_one(Paper, paper_id))
    title = paper_deeds.titles_in_use(organisation_id).get(place, "")
    return _("“%(title)s” is in use for this trade and type. Archive it first.", title=title)


def _add(
    organisation_id: UUID, trade_id: UUID | None, paper_type: str, values: PaperValues, structure: Structure
) -> UUID:
    rest = {name: value for name, value in vars(values).items() if name != "duration_minutes"}
    made = Paper(
        id=uuid7(),
        organisation_id=organisation_id,
        trade_id=trade_id,
        paper_type=paper_type,
        duration_seconds=values.duration_minutes * 60,
        written_marks=WHOLE - structure.practical_marks - structure.viva_marks,
        practical_marks=structure.practical_marks,
        viva_marks=structure.viva_marks,
        **rest,
    )
    db.session.add(made)
    db.session.flush()
    _add_parts(made.id, structure)
    return made.id


def _add_parts(paper_id: UUID, structure: Structure) -> None:
    db.session.add_all(Part(id=uuid7(), paper_id=paper_id, **vars(part)) for part in structure.parts)
    db.session.flush()


def _restructure(found: Paper, structure: Structure) -> None:
    wanted = check_structure(structure)
    if wanted == paper_reports.structure_of(found):
        return
    if paper_reports.published_sets(found.id) or paper_reports.attempts_at(found.id):
        raise NotNow(
            problem=_("Sets were published for these parts, or somebody has sat them. Copy the paper to change them.")
        )
    db.session.execute(delete(Part).where(Part.paper_id == found.id))
    found.written_marks = int(wanted.written_marks)
    found.practical_marks, found.viva_marks = wanted.practical_marks, wanted.viva_marks
    _add_parts(found.id, wanted)


def _check_place(organisation_id: UUID, trade_id: UUID | None, paper_type: str) -> None:
    if paper_type not in PAPER_TYPES:
        raise WrongField("paper_type", _("Choose one of the list."))
    if trade_id is None:
        if paper_type == "primary":
            raise WrongField("trade", _("A primary paper belongs to a trade."))
        return
    trade = db.session.get(Trade, trade_id)
    if trade is None or trade.organisation_id != organisation_id or trade.archived_at is not None:
        raise WrongField("trade", _("Choose one of the list."))
    if paper_type == "primary" and not trade.has_primary:
        raise WrongField("trade", _("This trade has no primary paper."))


def _shown(found: Paper) -> dict[str, Any]:
    """What the audit log keeps of a paper."""
    structure = paper_reports.structure_of(found)
    return vars(paper_reports.values_of(found)) | {
        "practical_marks": structure.practical_marks,
        "viva_marks": structure.viva_marks,
        "parts": [{name: str(value) for name, value in vars(part).items()} for part in structure.parts],
    }
