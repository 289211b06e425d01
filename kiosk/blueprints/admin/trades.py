"""Trades: their pages, and what stands in the way of putting one away."""

from __future__ import annotations

from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from kiosk.blueprints.admin.away import Away
from kiosk.blueprints.admin.centre_forms import TradeForm
from kiosk.blueprints.admin.kept import Kept
from kiosk.models import Trade
from kiosk.services import trades as service
from kiosk.web.asking import Counted
from kiosk.web.signin import current_staff


def _stands(trade_id: UUID) -> Counted:
    held = service.in_use(trade_id)
    return ((held, _("slots of its candidates that are not used up: reset them")),) if held else ()


def _code(trade_id: UUID) -> str:
    return service.trade(trade_id, organisation_id=current_staff().organisation_id).values.code


_SAYS = _l("The trade is offered nowhere any more. Its candidates, papers and results stay.")
Kept("trade", service=service, form=TradeForm, usual=lambda: {"has_primary": True}, capability="paper.edit")
Away("trade", model=Trade, service=service, says=_SAYS, stands=_stands, name=_code).hang_in("paper.edit")
