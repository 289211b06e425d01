"""Records with a code and a name that an organisation keeps, as centres and trades are: found, made, changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import Select, or_, select

from kiosk.errors import NotFound
from kiosk.extensions import db
from kiosk.models import Centre, Trade
from kiosk.office_errors import WrongField
from kiosk.services import audit
from kiosk.services.audit import Actor, Change
from kiosk.services.deeds import Deed

Model = type[Centre] | type[Trade]
KIND: dict[Model, str] = {Centre: "centre", Trade: "trade"}
CODE = re.compile(r"[A-Z0-9][A-Z0-9 _-]{0,19}")
LONGEST_NAME = 200


def matching(model: Model, words: Sequence[Any], organisation_id: UUID, *, q: str, state: str) -> list[Any]:
    """Return what a search for `q` in the columns `words`, and a state, "active" or "archived", ask of a record."""
    found: list[Any] = [model.organisation_id == organisation_id]
    if q:
        found.append(or_(*(column.icontains(q, autoescape=True) for column in words)))
    if state:
        found.append(model.archived_at.is_(None) if state == "active" else model.archived_at.is_not(None))
    return found


def one(query: Select[Any], model: Model, object_id: UUID, organisation_id: UUID) -> Any:
    """Return the row of one record of the organisation, archived or not. Raises NotFound."""
    row = db.session.execute(query.where(model.id == object_id, model.organisation_id == organisation_id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def locked(model: Any, object_id: UUID, organisation_id: UUID) -> Any:
    """Return one record of the organisation, locked for the caller's transaction. Raises NotFound."""
    found = db.session.get(model, object_id, with_for_update=True, populate_existing=True)
    if found is None or found.organisation_id != organisation_id:
        raise NotFound
    return found


def add(model: Model, organisation_id: UUID, values: Any, *, by: Actor, now: datetime) -> UUID:
    """Add a record with checked values inside the caller's transaction; return its id."""
    made = model(organisation_id=organisation_id, **asdict(values))
    db.session.add(made)
    db.session.flush()
    kind = KIND[model]
    audit.record([Change(kind, made.id, f"create_{kind}", None, "active", None, asdict(values))], by=by, now=now)
    return made.id


def change(model: Model, found: Any, values: Any, *, by: Actor, now: datetime) -> None:
    """Give a locked record checked values; the log says what was changed."""
    after = asdict(values)
    changed = sorted(name for name in after if after[name] != getattr(found, name))
    if not changed:
        return
    details = {
        "before": {name: getattr(found, name) for name in changed},
        "after": {name: after[name] for name in changed},
    }
    for name in changed:
        setattr(found, name, after[name])
    kind = KIND[model]
    audit.record([Change(kind, found.id, f"edit_{kind}", details=details)], by=by, now=now)


def checked_code(model: Model, organisation_id: UUID, code: str, own_id: UUID | None, *, taken: str) -> str:
    """Return a code in capitals. Raises WrongField, with the sentence `taken` where another record has it."""
    tidy = " ".join(code.split()).upper()
    if not CODE.fullmatch(tidy):
        raise WrongField("code", _("Use up to 20 capital letters, digits, spaces and hyphens."))
    same = select(model.id).where(model.organisation_id == organisation_id, model.code == tidy)
    if db.session.execute(same).scalar_one_or_none() not in (None, own_id):
        raise WrongField("code", taken)
    return tidy


def checked_name(name: str) -> str:
    """Return a name in one line. Raises WrongField."""
    tidy = " ".join(name.split())
    if not tidy or len(tidy) > LONGEST_NAME:
        raise WrongField("name", _("Enter a name of at most %(most)s characters.", most=LONGEST_NAME))
    return tidy


def archiving(model: Model, in_use: Any, *, why: str) -> tuple[Deed, Deed]:
    """Return two deeds: putting away, but for those that `in_use` names (`why` is the word for it); taking back."""
    kind = KIND[model]

    def stays_in_use(rows: Sequence[Any], _by: Actor, _now: datetime) -> dict[UUID, str]:
        away = {row.id: "archived" for row in rows if row.archived_at is not None}
        return away | {one: why for one in in_use([row.id for row in rows]) if one not in away}

    def stays_away(rows: Sequence[Any], _by: Actor, _now: datetime) -> dict[UUID, str]:
        return {row.id: "active" for row in rows if row.archived_at is None}

    shared: dict[str, Any] = {"model": model, "kind": kind, "name": lambda row: row.code}
    archive = Deed(
        action=f"archive_{kind}",
        stays=stays_in_use,
        values=lambda now: {"archived_at": now},
        before=lambda _row: "active",
        after="archived",
        needs_reason=True,
        **shared,
    )
    unarchive = Deed(
        action=f"unarchive_{kind}",
        stays=stays_away,
        values=lambda _now: {"archived_at": None},
        before=lambda _row: "archived",
        after="active",
        **shared,
    )
    return archive, unarchive
