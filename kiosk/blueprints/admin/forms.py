"""What arrives in the addresses and forms of the admin's pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from kiosk.errors import KioskError
from kiosk.models.papers import PAPER_TYPES
from kiosk.services import slots
from kiosk.services.set_reports import ActiveSet
from kiosk.services.sets import SwitchPreview
from kiosk.web.staff_pages import search_text, uuid_or_none

SHOWS = ("attention", "writing")


@dataclass(frozen=True)
class SetFilters:
    """Which rows of the table of active sets are asked for."""

    q: str = ""
    paper: str = ""
    shows: str = ""

    def matches(self, row: ActiveSet) -> bool:
        """Whether a row is asked for."""
        words = f"{row.trade_code} {row.trade_name} {row.label or ''}".casefold()
        return (
            self.q.casefold() in words
            and self.paper in ("", row.paper_type)
            and (self.shows != "attention" or not row.is_complete)
            and (self.shows != "writing" or row.writing > 0)
        )


@dataclass(frozen=True)
class SwitchForm:
    """A switch as it was asked for: which set, for whom, and what becomes of those who write."""

    set_id: UUID | None
    is_for_all: bool
    keep_running: bool
    reason: str
    word: str
    seen: int | None

    def problems(self) -> dict[str, str]:
        """Return what is missing, by field."""
        found = {} if self.set_id else {"set": _("Choose a set.")}
        try:
            slots.checked_reason(self.reason)
        except KioskError as error:
            found["reason"] = error.sentence
        return found

    def confirms(self, preview: SwitchPreview) -> bool:
        """Whether the right word was typed, and for no more people than the page showed."""
        return self.word == preview.confirm_word and (self.seen is None or preview.writing <= self.seen)


def set_filters_from(values: MultiDict[str, str]) -> SetFilters:
    """Return the filters of an address; what is not on the lists is left out."""
    paper, shows = values.get("paper", ""), values.get("shows", "")
    return SetFilters(
        q=search_text(values.get("q", "")),
        paper=paper if paper in PAPER_TYPES else "",
        shows=shows if shows in SHOWS else "",
    )


def switch_form_from(values: MultiDict[str, str]) -> SwitchForm:
    """Return the switch that an address or a form asks for."""
    return SwitchForm(
        set_id=uuid_or_none(values.get("set", "")),
        is_for_all=values.get("for") == "all",
        keep_running=values.get("mode") == "finish",
        reason=values.get("reason", ""),
        word=values.get("word", "").strip(),
        seen=values.get("seen", type=int),
    )


def needing_attention(rows: Iterable[ActiveSet]) -> list[ActiveSet]:
    """Return what cannot start, those first for which people wait."""
    return sorted((row for row in rows if not row.is_complete), key=lambda row: -row.waiting)
