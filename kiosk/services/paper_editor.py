"""Writing papers: draft, in use, archived. Parts and marks are fixed once a set was published or somebody sat them.

What question sets were made for and attempts are marked by does not move under them: whoever needs other parts copies
the paper, has sets made for the copy, and puts the old one away when the copy is taken into use.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import delete, select

from kiosk.errors import NotFound, TransitionRefused
from kiosk.extensions import db, retried, transaction
from kiosk.ids import uuid7
from kiosk.models import Organisation, Paper, Part, Slot, Trade
from kiosk.models.papers import PAPER_TYPES
from kiosk.office_errors import NotNow, WrongField
from kiosk.services import audit, holders, paper_reports, slots
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
        found = _locked(paper_id, organisation_id)
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
        found = _locked(paper_id, organisation_id)
        values = paper_reports.values_of(found)
        title = _("%(title)s (copy)", title=values.title[:180])
        values = PaperValues(**(vars(values) | {"title": title}))
        made = _add(organisation_id, found.trade_id, found.paper_type, values, paper_reports.structure_of(found))
        details = {"copy_of": str(paper_id)}
        audit.record([Change("paper", made, "create_paper", None, "draft", None, details)], by=by, now=now)
        return made


@retried
def take_into_use(paper_id: UUID, *, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Make this the paper of its trade and type. Raises NotFound; NotNow where another one is, or parts are missing."""
    with transaction():
        # two papers that are taken into use at once come one after the other
        db.session.get(Organisation, organisation_id, with_for_update=True, populate_existing=True)
        found = _locked(paper_id, organisation_id)
        if found.status == "in_use":
            return
        other = db.session.execute(
            select(Paper.title).where(
                Paper.organisation_id == organisation_id,
                Paper.trade_id.is_(None) if found.trade_id is None else Paper.trade_id == found.trade_id,
                Paper.paper_type == found.paper_type,
                Paper.status == "in_use",
            )
        ).scalar()
        if other is not None:
            raise NotNow(problem=_("“%(title)s” is in use for this trade and type. Archive it first.", title=other))
        if not found.trade_id and found.paper_type == "primary":
            raise NotNow(problem=_("A primary paper belongs to a trade."))
        try:
            check_structure(paper_reports.structure_of(found))
        except WrongField as error:
            raise NotNow(problem=error.sentence) from error
        before, found.status, found.archived_at = found.status, "in_use", None
        audit.record([Change("paper", paper_id, "use_paper", before, "in_use")], by=by, now=now)


@retried
def archive(paper_id: UUID, *, reason: str, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Put a paper away: nobody gets a slot for it, what was written stays.

    Raises NotFound, ReasonMissing, and NotNow while candidates hold slots for it.
    """
    why = slots.checked_reason(reason)
    with transaction():
        found = _locked(paper_id, organisation_id)
        if found.status == "archived":
            raise TransitionRefused(found=found.status)
        if holders.holding(Slot.paper_id == paper_id):
            raise NotNow(problem=_("Candidates hold slots for this paper that are not used up. Reset these first."))
        before, found.status, found.archived_at = found.status, "archived", now
        audit.record([Change("paper", paper_id, "archive_paper", before, "archived", why)], by=by, now=now)


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


def _locked(paper_id: UUID, organisation_id: UUID) -> Paper:
    found = db.session.get(Paper, paper_id, with_for_update=True, populate_existing=True)
    if found is None or found.organisation_id != organisation_id:
        raise NotFound
    return found


def _shown(found: Paper) -> dict[str, Any]:
    """What the audit log keeps of a paper."""
    structure = paper_reports.structure_of(found)
    return vars(paper_reports.values_of(found)) | {
        "practical_marks": structure.practical_marks,
        "viva_marks": structure.viva_marks,
        "parts": [{name: str(value) for name, value in vars(part).items()} for part in structure.parts],
    }
