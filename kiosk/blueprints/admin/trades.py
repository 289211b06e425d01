"""Trades: the list, one trade, a new one. Putting it away stands in `away`."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from kiosk.blueprints.admin import bp
from kiosk.blueprints.admin.away import Away
from kiosk.blueprints.admin.centre_forms import TradeForm, state_from
from kiosk.models import Trade
from kiosk.office_errors import WrongField
from kiosk.services import trades as service
from kiosk.services.trades import SORTS, TradeRow
from kiosk.web.asking import Counted
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.lists import all_of, csv_file, order_from, query_of
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, needs
from kiosk.web.staff_pages import search_text


@bp.get("/trades", endpoint="trades")
@needs("paper.edit")
def trade_list() -> ResponseReturnValue:
    """Show the organisation's trades."""
    q, state = search_text(request.args.get("q", "")), state_from(request.args.get("state", ""))
    order = order_from(request.args, SORTS)
    return render_template(
        "admin/_trades.html" if is_htmx() else "admin/trades.html",
        q=q,
        state=state,
        order=order,
        query=query_of(order, SORTS, q=q, state={"active": "", "": "all"}.get(state, state)),
        listed=service.kept(current_staff().organisation_id, q=q, state=state, order=order),
    )


@bp.get("/trades.csv")
@needs("paper.edit")
def trades_file() -> ResponseReturnValue:
    """Return the trades that the filters match as a file."""
    found = service.kept(
        current_staff().organisation_id,
        q=search_text(request.args.get("q", "")),
        state=state_from(request.args.get("state", "")),
        order=all_of(order_from(request.args, SORTS)),
    )
    head = (*TradeForm().values().__dataclass_fields__, "candidates", "archived")
    rows = [(*asdict(one.values).values(), one.candidates, one.is_archived) for one in found.rows]
    return csv_file("trades", head, rows)


@bp.get("/trades/new")
@needs("paper.edit")
def new_trade() -> ResponseReturnValue:
    """Show the form for a new trade."""
    return _page(None, TradeForm(formdata=None, data={"has_primary": True}))


@bp.post("/trades/new")
@needs("paper.edit")
def add_trade() -> ResponseReturnValue:
    """Add a trade."""
    form = TradeForm()
    if form.validate():
        try:
            made = service.create(current_staff().organisation_id, form.values(), by=current_actor(), now=arrived_at())
        except WrongField as error:
            form.mark(error)
        else:
            flash(_("%(name)s is added.", name=form.name.data), "ok")
            return go_to("admin.trade", trade_id=made)
    return _page(None, form, 422)


@bp.get("/trades/<uuid:trade_id>")
@needs("paper.edit")
def trade(trade_id: UUID) -> ResponseReturnValue:
    """Show one trade with the form to change it."""
    shown = _shown(trade_id)
    return _page(shown, TradeForm(formdata=None, data=asdict(shown.values)))


@bp.post("/trades/<uuid:trade_id>")
@needs("paper.edit")
def edit_trade(trade_id: UUID) -> ResponseReturnValue:
    """Change a trade."""
    shown, form = _shown(trade_id), TradeForm()
    if form.validate():
        try:
            service.edit(
                trade_id,
                form.values(),
                organisation_id=current_staff().organisation_id,
                by=current_actor(),
                now=arrived_at(),
            )
        except WrongField as error:
            form.mark(error)
        else:
            flash(_("Saved."), "ok")
            return go_to("admin.trade", trade_id=trade_id)
    return _page(shown, form, 422)


def _shown(trade_id: UUID) -> TradeRow:
    return service.trade(trade_id, organisation_id=current_staff().organisation_id)


def _page(shown: TradeRow | None, form: TradeForm, status: int = 200) -> ResponseReturnValue:
    return render_template("admin/trade.html", shown=shown, form=form), status


def _stands(trade_id: UUID) -> Counted:
    held = service.in_use(trade_id)
    return ((held, _("slots of its candidates that are not used up: reset them")),) if held else ()


_SAYS = _l("The trade is offered nowhere any more. Its candidates, papers and results stay.")
Away("trade", model=Trade, service=service, says=_SAYS, stands=_stands).hang_in("paper.edit")
