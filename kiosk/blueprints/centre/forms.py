"""What arrives in addresses and forms: filters, the chosen candidates, reason and typed word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from kiosk.blueprints.centre.scope import is_bound
from kiosk.errors import BadInput, KioskError, NotFound
from kiosk.services import centre_reports, slots
from kiosk.services.candidate_search import ARCHIVED, PAUSED, SORTS, Filters
from kiosk.services.centres import CentreView
from kiosk.states import SlotStatus
from kiosk.web.staff_pages import page_number, search_text, uuid_or_none

MOST_CHOSEN = 1000
SLOT_FILTERS = (*SlotStatus, PAUSED, ARCHIVED)


@dataclass(frozen=True)
class Choice:
    """The candidates that an action is asked for: ids, or everybody whom the filters match."""

    ids: tuple[UUID, ...]
    is_all: bool
    filters: Filters


def filters_from(values: MultiDict[str, str]) -> Filters:
    """Return the filters of an address; what is not on the lists is left out."""
    slot, sort = values.get("slot", ""), values.get("sort", "")
    return Filters(
        q=search_text(values.get("q", "")),
        trade=search_text(values.get("trade", "")),
        slot=slot if slot in SLOT_FILTERS else "",
        shift=uuid_or_none(values.get("shift", "")),
        sort=sort.removeprefix("-") if sort.removeprefix("-") in SORTS else "service_no",
        is_descending=sort.startswith("-") and sort.removeprefix("-") in SORTS,
        page=page_number(values.get("page", "")),
    )


def query_of(filters: Filters, centre: CentreView, **changed: Any) -> dict[str, Any]:
    """Return the filters as an address carries them, without what is the default anyway."""
    sort = f"-{filters.sort}" if filters.is_descending else filters.sort
    query = {
        "centre": "" if is_bound() else centre.code,
        "q": filters.q,
        "trade": filters.trade,
        "slot": filters.slot,
        "shift": filters.shift or "",
        "sort": "" if sort == "service_no" else sort,
        "page": "" if filters.page == 1 else filters.page,
    }
    return {name: value for name, value in (query | changed).items() if value}


def choice_from(values: MultiDict[str, str]) -> Choice:
    """Return who was chosen. Raises NotFound for what is no id, BadInput for too many."""
    given = values.getlist("id")
    if len(given) > MOST_CHOSEN:
        raise BadInput(problem=_("Choose at most %(most)s candidates one by one, or all that match.", most=MOST_CHOSEN))
    ids = [uuid_or_none(text) for text in given]
    if None in ids:
        raise NotFound
    return Choice(tuple(one for one in ids if one), values.get("all") == "1", filters_from(values))


def chosen_ids(choice: Choice, centre: CentreView) -> list[UUID]:
    """Return the chosen candidates of the centre. Raises NotFound if one of them is not of this centre."""
    if choice.is_all:
        return centre_reports.matching_ids(centre.centre_id, choice.filters)
    return centre_reports.ids_of_centre(centre.centre_id, choice.ids)


def reason_problem(reason: str) -> str | None:
    """Return what is wrong with a reason, in words."""
    try:
        slots.checked_reason(reason)
    except KioskError as error:
        return error.sentence
    return None
