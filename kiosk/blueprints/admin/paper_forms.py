"""What arrives in the addresses and forms of the pages about papers: the rules, and parts A to F."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from kiosk.models.papers import PAPER_TYPES
from kiosk.services import trades
from kiosk.services.paper_reports import STATUSES, PaperFilters, PaperView
from kiosk.services.paper_values import (
    LETTERS,
    MINUTES,
    MOST_ATTEMPTS,
    MOST_QUESTIONS,
    MOST_WORDS,
    USUAL_TYPES,
    WHOLE,
    PaperValues,
    PartValues,
    Structure,
)
from kiosk.web.fields import Amount, OfficeForm, OneOf, TextLine, WholeNumber
from kiosk.web.signin import current_staff
from kiosk.web.staff_pages import search_text, uuid_or_none

TYPE_WORDS = {
    "single": _l("Single choice"),
    "multiple": _l("Several choices"),
    "true_false": _l("True or false"),
    "numeric": _l("Number"),
    "fill": _l("Fill in the blank"),
    "short": _l("Short answer"),
    "long": _l("Long answer"),
}
USUAL_MARKS = {"A": 1, "B": 2, "C": 2, "D": 1, "E": 5, "F": 1}


class RulesForm(OfficeForm):
    """What may be changed at any time."""

    title = TextLine(_l("Title"))
    duration_minutes = WholeNumber(_l("Duration in minutes"), least=MINUTES[0], most=MINUTES[1])
    pass_percentage = WholeNumber(_l("Pass percentage"), least=0, most=100)
    max_attempts = WholeNumber(_l("Attempts at most"), least=1, most=MOST_ATTEMPTS)
    counting_attempt = OneOf(
        _l("Attempt that counts"),
        choices=[("last", _l("The last")), ("best", _l("The best")), ("first", _l("The first"))],
    )
    score_release = OneOf(
        _l("Candidates see their score"),
        choices=[
            ("never", _l("Never")),
            ("at_submit", _l("When they hand in")),
            ("when_published", _l("When results are published")),
        ],
    )
    languages = OneOf(
        _l("Languages"),
        choices=[("en,hi", _l("English and Hindi")), ("en", _l("English only")), ("hi", _l("Hindi only"))],
    )

    def values(self) -> PaperValues:
        """Return what was entered, of a form that was valid."""
        return PaperValues(**{name: getattr(self, name).data for name in PaperValues.__dataclass_fields__})


class PartsForm(RulesForm):
    """The rules, and the parts: a part without questions is none."""

    practical_marks = WholeNumber(_l("Practical marks"), least=0, most=WHOLE)
    viva_marks = WholeNumber(_l("Viva marks"), least=0, most=WHOLE)

    def part(self, letter: str) -> dict[str, Any]:
        """Return the fields of one part by name."""
        names = ("type", "count", "marks", "negative", "min_words", "max_words")
        return {name: self._fields[f"{letter.lower()}_{name}"] for name in names}

    def structure(self) -> Structure:
        """Return the parts that have questions; a number that cannot be read counts as none."""
        parts = []
        for letter in LETTERS:
            one = {name: bound.data for name, bound in self.part(letter).items()}
            if one["count"]:
                parts.append(
                    PartValues(
                        letter=letter,
                        question_type=one["type"] or "",
                        question_count=one["count"],
                        marks_each=one["marks"] or Decimal(0),
                        negative_marks=one["negative"] or Decimal(0),
                        min_words=one["min_words"],
                        max_words=one["max_words"],
                    )
                )
        return Structure(tuple(parts), self.practical_marks.data or 0, self.viva_marks.data or 0)


class NewPaperForm(PartsForm):
    """A new paper: for which trade and of which type is chosen once."""

    trade = OneOf(_l("Trade"))
    paper_type = OneOf(_l("Paper"), choices=[("primary", _l("Primary")), ("secondary", _l("Secondary"))])

    def offer(self) -> NewPaperForm:
        """Fill the list of trades."""
        self.trade.offer([("", _("All trades (common)")), *trade_choices()])
        return self


def _add_parts() -> None:
    """Six fields for each letter: written once, not thirty-six times."""
    for letter in LETTERS:
        name = letter.lower()
        for field, made in (
            ("type", OneOf(_l("Type"), choices=TYPE_WORDS.items())),
            ("count", WholeNumber(_l("Questions"), least=0, most=MOST_QUESTIONS, required=False)),
            ("marks", Amount(_l("Marks each"))),
            ("negative", Amount(_l("Minus for a wrong one"))),
            ("min_words", WholeNumber(_l("Words from"), least=1, most=MOST_WORDS, required=False)),
            ("max_words", WholeNumber(_l("Words to"), least=1, most=MOST_WORDS, required=False)),
        ):
            setattr(PartsForm, f"{name}_{field}", made)


_add_parts()


def usual() -> dict[str, Any]:
    """Return what a new paper begins with: the parts of the usual secondary paper."""
    entered: dict[str, Any] = {
        "duration_minutes": 180,
        "pass_percentage": 40,
        "max_attempts": 1,
        "practical_marks": 30,
        "viva_marks": 10,
        "paper_type": "secondary",
    }
    for letter, count in zip(LETTERS, (15, 0, 5, 10, 3, 10), strict=True):
        part = PartValues(letter, USUAL_TYPES[letter], count, Decimal(USUAL_MARKS[letter]))
        entered |= _entered(part, {"short": (20, 30), "long": (100, 120)}.get(part.question_type, (None, None)))
    return entered


def entered_of(shown: PaperView) -> dict[str, Any]:
    """Return a paper as its form shows it."""
    entered: dict[str, Any] = vars(shown.values) | {
        "practical_marks": shown.structure.practical_marks,
        "viva_marks": shown.structure.viva_marks,
    }
    for letter in LETTERS:
        entered |= _entered(PartValues(letter, USUAL_TYPES[letter], 0, Decimal(USUAL_MARKS[letter])))
    for part in shown.structure.parts:
        entered |= _entered(part)
    return entered


def trade_choices() -> list[tuple[str, str]]:
    """Return the organisation's trades to choose from."""
    known = trades.trades(current_staff().organisation_id)
    return [(str(trade_id), f"{code} · {name}") for trade_id, code, name in known]


def paper_filters_from(values: MultiDict[str, str]) -> PaperFilters:
    """Return the filters of an address; what is not on the lists is left out."""
    paper_type, status = values.get("paper", ""), values.get("status", "")
    return PaperFilters(
        q=search_text(values.get("q", "")),
        trade=uuid_or_none(values.get("trade", "")),
        paper_type=paper_type if paper_type in PAPER_TYPES else "",
        status=status if status in STATUSES else "",
    )


def _entered(part: PartValues, words: tuple[int | None, int | None] | None = None) -> dict[str, Any]:
    name, (least, most) = part.letter.lower(), words or (part.min_words, part.max_words)
    return {
        f"{name}_type": part.question_type,
        f"{name}_count": part.question_count,
        f"{name}_marks": part.marks_each,
        f"{name}_negative": part.negative_marks,
        f"{name}_min_words": least,
        f"{name}_max_words": most,
    }
