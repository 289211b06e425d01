"""Trades: what candidates are tested in, and whether that begins with a primary paper."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, select

from kiosk.errors import NotFound
from kiosk.extensions import db, retried, transaction
from kiosk.models import Candidate, Paper, Trade
from kiosk.office_errors import NotNow, WrongField
from kiosk.services import audit, holders, slots
from kiosk.services.audit import Actor, Change
from kiosk.services.centres import CODE
from kiosk.services.listing import Listed, Order, listed

SORTS = {"code": (Trade.code,), "name": (Trade.name,)}


@dataclass(frozen=True)
class TradeValues:
    """What an admin says of a trade."""

    code: str
    name: str
    has_primary: bool = True


@dataclass(frozen=True)
class TradeRow:
    """A trade in the admin's list, and on its own page."""

    trade_id: UUID
    values: TradeValues
    is_archived: bool
    candidates: int
    papers: int


def trades(organisation_id: UUID) -> list[tuple[UUID, str, str]]:
    """Return id, code and name of the organisation's trades that are not archived."""
    rows = db.session.execute(
        select(Trade.id, Trade.code, Trade.name)
        .where(Trade.organisation_id == organisation_id, Trade.archived_at.is_(None))
        .order_by(Trade.code)
    ).all()
    return [(row.id, row.code, row.name) for row in rows]


def kept(organisation_id: UUID, *, q: str = "", state: str = "", order: Order) -> Listed[TradeRow]:
    """Return a page of the organisation's trades; `state` asks for "active" or "archived" ones."""
    query = _query().where(Trade.organisation_id == organisation_id)
    if q:
        query = query.where(Trade.code.icontains(q, autoescape=True) | Trade.name.icontains(q, autoescape=True))
    if state:
        query = query.where(Trade.archived_at.is_(None) if state == "active" else Trade.archived_at.is_not(None))
    return listed(query, order, SORTS, _row)


def trade(trade_id: UUID, *, organisation_id: UUID) -> TradeRow:
    """Return one trade of the organisation, archived or not. Raises NotFound."""
    row = db.session.execute(
        _query().where(Trade.id == trade_id, Trade.organisation_id == organisation_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    return _row(row)


def in_use(trade_id: UUID) -> int:
    """Return how many candidates of the trade hold a slot that is not used up."""
    return holders.holding(Candidate.trade_id == trade_id)


@retried
def create(organisation_id: UUID, values: TradeValues, *, by: Actor, now: datetime) -> UUID:
    """Add a trade; return its id. Raises WrongField."""
    with transaction():
        checked = _checked(organisation_id, values, None)
        made = Trade(organisation_id=organisation_id, **asdict(checked))
        db.session.add(made)
        db.session.flush()
        change = Change("trade", made.id, "create_trade", None, "active", None, asdict(checked))
        audit.record([change], by=by, now=now)
        return made.id


@retried
def edit(trade_id: UUID, values: TradeValues, *, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Change a trade; which paper is next counts from the next assignment on. Raises NotFound, WrongField."""
    with transaction():
        found = _locked(trade_id, organisation_id)
        checked = _checked(organisation_id, values, trade_id)
        before, after = asdict(_values(found)), asdict(checked)
        if before != after:
            for name, value in after.items():
                setattr(found, name, value)
            details = {"before": before, "after": after}
            audit.record([Change("trade", trade_id, "edit_trade", details=details)], by=by, now=now)


@retried
def archive(trade_id: UUID, *, reason: str, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Put a trade away. Raises NotFound, ReasonMissing, and NotNow while its candidates hold slots."""
    why = slots.checked_reason(reason)
    with transaction():
        found = _locked(trade_id, organisation_id)
        if in_use(trade_id):
            raise NotNow(problem=_("Candidates of this trade hold slots that are not used up. Reset these first."))
        if found.archived_at is None:
            found.archived_at = now
            audit.record([Change("trade", trade_id, "archive_trade", "active", "archived", why)], by=by, now=now)


@retried
def unarchive(trade_id: UUID, *, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Take a trade back into use. Raises NotFound."""
    with transaction():
        found = _locked(trade_id, organisation_id)
        if found.archived_at is not None:
            found.archived_at = None
            audit.record([Change("trade", trade_id, "unarchive_trade", "archived", "active")], by=by, now=now)


def _query() -> Any:
    people = select(func.count()).where(Candidate.trade_id == Trade.id, Candidate.archived_at.is_(None))
    papers = select(func.count()).where(Paper.trade_id == Trade.id, Paper.status != "archived")
    return select(Trade, people.scalar_subquery().label("candidates"), papers.scalar_subquery().label("papers"))


def _row(row: Any) -> TradeRow:
    found: Trade = row.Trade
    return TradeRow(found.id, _values(found), found.archived_at is not None, row.candidates, row.papers)


def _values(found: Trade) -> TradeValues:
    return TradeValues(found.code, found.name, found.has_primary)


def _locked(trade_id: UUID, organisation_id: UUID) -> Trade:
    found = db.session.get(Trade, trade_id, with_for_update=True, populate_existing=True)
    if found is None or found.organisation_id != organisation_id:
        raise NotFound
    return found


def _checked(organisation_id: UUID, values: TradeValues, own_id: UUID | None) -> TradeValues:
    code, name = " ".join(values.code.split()).upper(), " ".join(values.name.split())
    if not CODE.fullmatch(code):
        raise WrongField("code", _("Use up to 20 capital letters, digits, spaces and hyphens."))
    taken = select(Trade.id).where(Trade.organisation_id == organisation_id, Trade.code == code)
    if db.session.execute(taken).scalar_one_or_none() not in (None, own_id):
        raise WrongField("code", _("There is a trade with this code already."))
    if not name or len(name) > 200:
        raise WrongField("name", _("Enter a name of at most %(most)s characters.", most=200))
    return TradeValues(code, name, values.has_primary)
