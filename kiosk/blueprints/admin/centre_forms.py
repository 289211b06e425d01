"""What arrives in the forms of the pages about centres and trades."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from kiosk.services.centres import MOST_SEATS, CentreValues
from kiosk.services.trades import TradeValues
from kiosk.web.fields import OfficeForm, OneOf, TextLine, WholeNumber, YesOrNo


class CentreForm(OfficeForm):
    """A centre, and what it demands of a start."""

    code = TextLine(_l("Code"), most=20)
    name = TextLine(_l("Name"))
    command = TextLine(_l("Command or region"), required=False)
    time_zone = TextLine(_l("Time zone"), most=40)
    seats = WholeNumber(_l("Seats"), least=0, most=MOST_SEATS)
    demands_check_in = YesOrNo()
    demands_seat = YesOrNo()
    kiosk_rule = OneOf(
        _l("Computer"),
        choices=[
            ("any", _l("Any computer")),
            ("enrolled", _l("Enrolled kiosks only")),
            ("locked_down", _l("Kiosks in the locked-down browser only")),
        ],
    )
    takeover = OneOf(
        _l("Going on at another computer"),
        choices=[("free", _l("Candidates may, by signing in there")), ("approval", _l("Only after staff agree"))],
    )

    def values(self) -> CentreValues:
        """Return what was entered."""
        return CentreValues(
            code=self.code.data or "",
            name=self.name.data or "",
            command=self.command.data or "",
            time_zone=self.time_zone.data or "",
            seats=self.seats.data or 0,
            demands_check_in=bool(self.demands_check_in.data),
            demands_seat=bool(self.demands_seat.data),
            kiosk_rule=self.kiosk_rule.data or "",
            takeover=self.takeover.data or "",
        )


class TradeForm(OfficeForm):
    """A trade."""

    code = TextLine(_l("Code"), most=20)
    name = TextLine(_l("Name"))
    has_primary = YesOrNo()

    def values(self) -> TradeValues:
        """Return what was entered."""
        return TradeValues(self.code.data or "", self.name.data or "", bool(self.has_primary.data))
