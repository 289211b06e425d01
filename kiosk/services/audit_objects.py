"""What the audit log tells of: how an object is called, whose it is, and how it is found."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import CompoundSelect, Select, String, Uuid, cast, literal, null, or_, select, union_all

from kiosk.extensions import db
from kiosk.models import Attempt, Candidate, Centre, Kiosk, Organisation, Paper, QuestionSet, Shift, Slot, Trade, User

MOST_FOUND = 500


@dataclass(frozen=True)
class Named:
    """An object's name; slots and attempts go by their candidate, who has a page."""

    name: str
    candidate_id: UUID | None


def names(ids: Collection[UUID]) -> dict[UUID, Named]:
    """Return how these objects are called, in one statement whatever they are."""
    if not ids:
        return {}
    nobody = cast(null(), Uuid)
    # a shift goes by its centre: its hour needs a time zone
    queries: list[Select[Any]] = [
        _name(Attempt.id, Candidate.service_no, Candidate.id).join(Candidate, Candidate.id == Attempt.candidate_id),
        _name(Slot.id, Candidate.service_no, Candidate.id).join(Candidate, Candidate.id == Slot.candidate_id),
        _name(Candidate.id, Candidate.service_no, Candidate.id),
        _name(User.id, User.login, nobody),
        _name(Centre.id, Centre.code, nobody),
        _name(Trade.id, Trade.code, nobody),
        _name(Kiosk.id, Kiosk.name, nobody),
        _name(Shift.id, Centre.code, nobody).join(Centre, Centre.id == Shift.centre_id),
        _name(Paper.id, Paper.title, nobody),
        _name(QuestionSet.id, QuestionSet.label, nobody),
        _name(Organisation.id, Organisation.code, nobody),
    ]
    found = union_all(*(query.where(query.selected_columns.id.in_(ids)) for query in queries))
    return {row.id: Named(row.name, row.candidate_id) for row in db.session.execute(found)}


def found(organisation_id: UUID, text: str) -> list[UUID]:
    """Return the objects that somebody may mean: an id, a candidate with slots and attempts, a login, a code."""
    given = as_id(text)
    if given:
        return [given]
    candidates = select(Candidate.id).where(
        Candidate.organisation_id == organisation_id, _says(text, Candidate.service_no, Candidate.name)
    )
    queries = (
        candidates,
        select(Slot.id).where(Slot.candidate_id.in_(candidates)),
        select(Attempt.id).where(Attempt.candidate_id.in_(candidates)),
        select(User.id).where(User.organisation_id == organisation_id, _says(text, User.login, User.name)),
        select(Centre.id).where(Centre.organisation_id == organisation_id, _says(text, Centre.code, Centre.name)),
        select(Trade.id).where(Trade.organisation_id == organisation_id, _says(text, Trade.code)),
    )
    return list(db.session.execute(union_all(*queries).limit(MOST_FOUND)).scalars())


def people(organisation_id: UUID, text: str) -> CompoundSelect[Any]:
    """Return the staff and candidates whose login, service number or name says `text`."""
    return union_all(
        select(User.id).where(User.organisation_id == organisation_id, _says(text, User.login, User.name)),
        select(Candidate.id).where(
            Candidate.organisation_id == organisation_id, _says(text, Candidate.service_no, Candidate.name)
        ),
    )


def of_centre(centre_id: UUID) -> CompoundSelect[Any]:
    """Return everything that belongs to a centre, and the centre."""
    return union_all(
        select(Attempt.id).where(Attempt.centre_id == centre_id),
        select(Slot.id).join(Candidate, Candidate.id == Slot.candidate_id).where(Candidate.centre_id == centre_id),
        select(Candidate.id).where(Candidate.centre_id == centre_id),
        select(User.id).where(User.centre_id == centre_id),
        select(Shift.id).where(Shift.centre_id == centre_id),
        select(Kiosk.id).where(Kiosk.centre_id == centre_id),
        select(literal(centre_id, Uuid)),
    )


def of_organisation(organisation_id: UUID) -> CompoundSelect[Any]:
    """Return everything that belongs to an organisation, and the organisation."""
    candidates = select(Candidate.id).where(Candidate.organisation_id == organisation_id)
    centres = select(Centre.id).where(Centre.organisation_id == organisation_id)
    return union_all(
        select(Attempt.id).where(Attempt.candidate_id.in_(candidates)),
        select(Slot.id).where(Slot.candidate_id.in_(candidates)),
        candidates,
        centres,
        select(User.id).where(User.organisation_id == organisation_id),
        select(Shift.id).where(Shift.centre_id.in_(centres)),
        select(Kiosk.id).where(Kiosk.centre_id.in_(centres)),
        select(Trade.id).where(Trade.organisation_id == organisation_id),
        select(Paper.id).where(Paper.organisation_id == organisation_id),
        select(literal(organisation_id, Uuid)),
    )


def as_id(text: str) -> UUID | None:
    """Return the id that a text is; None for any other text."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _name(key: Any, name: Any, candidate_id: Any) -> Select[Any]:
    return select(key.label("id"), cast(name, String).label("name"), candidate_id.label("candidate_id"))


def _says(text: str, *columns: Any) -> Any:
    return or_(*(column.icontains(text, autoescape=True) for column in columns))
