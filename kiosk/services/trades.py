"""Trades: what candidates are tested in, and whether that begins with a primary paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, select

from kiosk.extensions import db, retried, transaction
from kiosk.models import Candidate, Paper, Trade
from kiosk.office_errors import NotNow
from kiosk.services import deeds, holders, records
from kiosk.services.audit import Actor
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
    return listed(_query().where(*_where(organisation_id, q, state)), order, SORTS, _row)


def matching_ids(organisation_id: UUID, *, q: str = "", state: str = "") -> list[UUID]:
    """Return every trade that the same filters ask for."""
    return list(db.session.execute(select(Trade.id).where(*_where(organisation_id, q, state))).scalars())


def trade(trade_id: UUID, *, organisation_id: UUID) -> TradeRow:
    """Return one trade of the organisation, archived or not. Raises NotFound."""
    return _row(records.one(_query(), Trade, trade_id, organisation_id))


def in_use(trade_id: UUID) -> int:
    """Return how many candidates of the trade hold a slot that is not used up."""
    return holders.holding(Candidate.trade_id == trade_id)


ARCHIVE, UNARCHIVE = records.archiving(Trade, partial(holders.held_among, Candidate.trade_id), why="held")


@retried
def create(organisation_id: UUID, values: TradeValues, *, by: Actor, now: datetime) -> UUID:
    """Add a trade; return its id. Raises WrongField."""
    with transaction():
        return records.add(Trade, organisation_id, _checked(organisation_id, values, None), by=by, now=now)


@retried
def edit(trade_id: UUID, values: TradeValues, *, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Change a trade; which paper is next counts from the next assignment on. Raises NotFound, WrongField."""
    with transaction():
        found = records.locked(Trade, trade_id, organisation_id)
        records.change(Trade, found, _checked(organisation_id, values, trade_id), by=by, now=now)


def archive(trade_id: UUID, *, reason: str, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Put a trade away. Raises NotFound, ReasonMissing, and NotNow while its candidates hold slots."""
    refusals = {
        "held": lambda: NotNow(
            problem=_("Candidates of this trade hold slots that are not used up. Reset these first.")
        )
    }
    deeds.do_one(ARCHIVE, trade_id, organisation_id=organisation_id, by=by, now=now, reason=reason, refusals=refusals)


def unarchive(trade_id: UUID, *, organisation_id: UUID, by: Actor, now: datetime) -> None:
    """Take a trade back into use. Raises NotFound."""
    deeds.do_one(UNARCHIVE, trade_id, organisation_id=organisation_id, by=by, now=now)


def _where(organisation_id: UUID, q: str, state: str) -> list[Any]:
    return records.matching(Trade, (Trade.code, Trade.name), organisation_id, q=q, state=state)


def _query() -> Any:
    people = select(func.count()).where(Candidate.trade_id == Trade.id, Candidate.archived_at.is_(None))
    papers = select(func.count()).where(Paper.trade_id == Trade.id, Paper.status != "archived")
    return select(Trade, people.scalar_subquery().label("candidates"), papers.scalar_subquery().label("papers"))


def _row(row: Any) -> TradeRow:
    found: Trade = row.Trade
    return TradeRow(found.id, _values(found), found.archived_at is not None, row.candidates, row.papers)


def _values(found: Trade) -> TradeValues:
    return TradeValues(found.code, found.name, found.has_primary)


def _checked(organisation_id: UUID, values: TradeValues, own_id: UUID | None) -> TradeValues:
    taken = _("There is a trade with this code already.")
    code = records.checked_code(Trade, organisation_id, values.code, own_id, taken=taken)
    return TradeValues(code, records.checked_name(values.name), values.has_primary)
