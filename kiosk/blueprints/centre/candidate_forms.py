"""What arrives in the forms about one candidate."""

from __future__ import annotations

from uuid import UUID

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from kiosk.blueprints.centre.scope import is_bound, own_centre_id, visible_centres
from kiosk.errors import NotAllowed
from kiosk.services import candidate_choices, trades
from kiosk.services.candidates import MOST_EXTRA_MINUTES, CandidateRecord, CandidateValues
from kiosk.web.fields import OfficeForm, OneOf, TextLine, WholeNumber
from kiosk.web.local_time import date_and_time
from kiosk.web.signin import current_staff


class CandidateForm(OfficeForm):
    """Who somebody is, what they are tested in, where and when they sit."""

    service_no = TextLine(_l("Service number"), most=40)
    name = TextLine(_l("Name"))
    rank = TextLine(_l("Rank"), most=40, required=False)
    trade = OneOf(_l("Trade"))
    centre = OneOf(_l("Centre"))
    shift = OneOf(_l("Shift"))
    language = OneOf(_l("Language"), choices=[("en", "English"), ("hi", "हिन्दी")])
    extra = WholeNumber(_l("Extra minutes for each hour"), least=0, most=MOST_EXTRA_MINUTES)

    def offer(self, present: CandidateRecord | None = None) -> CandidateForm:
        """Fill the lists. What somebody has stays on them, even if it is archived or closed since."""
        staff, had = current_staff(), present.values if present else None
        known = [(trade_id, f"{code} · {name}") for trade_id, code, name in trades.trades(staff.organisation_id)]
        self.trade.offer(_with(known, had.trade_id if had else None))
        places = [(one.centre_id, f"{one.code} · {one.name}") for one in visible_centres()]
        self.centre.offer(_with(places, had.centre_id if had else None))
        shifts = candidate_choices.shifts(
            staff.organisation_id, centre_id=own_centre_id(), also=had.shift_id if had else None
        )
        said = [
            (
                one.shift_id,
                f"{'' if is_bound() else one.centre_code + ' · '}{date_and_time(one.starts_at, one.time_zone)}",
            )
            for one in shifts
        ]
        self.shift.offer([("", _("No shift")), *((str(shift_id), words) for shift_id, words in said)])
        return self

    def demand_own_centre(self) -> None:
        """Raise NotAllowed for a form that names another centre than the only one its sender has."""
        if is_bound() and request.form.get("centre", "") not in ("", str(own_centre_id())):
            raise NotAllowed
        if is_bound():
            self.centre.data = str(own_centre_id())

    def values(self) -> CandidateValues:
        """Return what was entered."""
        return CandidateValues(
            service_no=self.service_no.data or "",
            name=self.name.data or "",
            rank=self.rank.data or "",
            trade_id=self.trade.chosen_id,
            centre_id=self.centre.chosen_id,
            shift_id=self.shift.chosen_id,
            language=self.language.data or "",
            extra_minutes_per_hour=self.extra.data or 0,
        )


def entered_of(record: CandidateRecord) -> dict[str, object]:
    """Return a candidate as the form shows them."""
    found = record.values
    return {
        "service_no": found.service_no,
        "name": found.name,
        "rank": found.rank,
        "trade": str(found.trade_id),
        "centre": str(found.centre_id),
        "shift": str(found.shift_id or ""),
        "language": found.language,
        "extra": found.extra_minutes_per_hour,
    }


def _with(known: list[tuple[UUID, str]], present: UUID | None) -> list[tuple[str, str]]:
    offered = {str(one): words for one, words in known}
    if present:
        offered.setdefault(str(present), _("As it is now (archived)"))
    return list(offered.items())
