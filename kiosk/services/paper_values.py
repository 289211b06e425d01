"""What a paper consists of, and whether its numbers make sense: written + practical + viva = 100."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from flask_babel import gettext as _

from kiosk.models.papers import QUESTION_TYPES
from kiosk.office_errors import WrongField

LETTERS = "ABCDEF"
USUAL_TYPES = {"A": "single", "B": "multiple", "C": "short", "D": "fill", "E": "long", "F": "true_false"}
COUNTED_WORDS = ("short", "long")
MINUTES = (1, 1440)
MOST_QUESTIONS = 200
MOST_MARKS = Decimal(100)
MOST_WORDS = 2000
MOST_ATTEMPTS = 20
WHOLE = 100
COUNTING = ("last", "best", "first")
RELEASES = ("never", "at_submit", "when_published")
LANGUAGES = ("en", "hi", "en,hi")


@dataclass(frozen=True)
class PartValues:
    """One part: its type, how many questions, for how many marks."""

    letter: str
    question_type: str
    question_count: int
    marks_each: Decimal
    negative_marks: Decimal = Decimal(0)
    min_words: int | None = None
    max_words: int | None = None


@dataclass(frozen=True)
class Structure:
    """What question sets are made for, and attempts are marked by: fixed once there are any."""

    parts: tuple[PartValues, ...]
    practical_marks: int
    viva_marks: int

    @property
    def written_marks(self) -> Decimal:
        """The sum of the parts."""
        return written(self.parts)


@dataclass(frozen=True)
class PaperValues:
    """What may be changed at any time: it counts from the next start, or when results are computed."""

    title: str
    duration_minutes: int = 180
    pass_percentage: int = 40
    max_attempts: int = 1
    counting_attempt: str = "last"
    score_release: str = "never"
    languages: str = "en,hi"


def written(parts: Sequence[PartValues]) -> Decimal:
    """Return the marks of all parts together."""
    return plain(sum((part.question_count * part.marks_each for part in parts), Decimal(0)))


def plain(number: Decimal) -> Decimal:
    """Return 1.00 as 1, and 0.25 as it is."""
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()


def check_paper(values: PaperValues) -> PaperValues:
    """Return the values tidied. Raises WrongField."""
    title = " ".join(values.title.split())
    if not title or len(title) > 200:
        raise WrongField("title", _("Enter a title of at most %(most)s characters.", most=200))
    _demand_between("duration_minutes", values.duration_minutes, *MINUTES)
    _demand_between("pass_percentage", values.pass_percentage, 0, 100)
    _demand_between("max_attempts", values.max_attempts, 1, MOST_ATTEMPTS)
    known = {"counting_attempt": COUNTING, "score_release": RELEASES, "languages": LANGUAGES}
    for field, choices in known.items():
        if getattr(values, field) not in choices:
            raise WrongField(field, _("Choose one of the list."))
    return PaperValues(**(vars(values) | {"title": title}))


def check_structure(structure: Structure) -> Structure:
    """Return the parts in order. Raises WrongField, for the sum with the field `sum`."""
    if not structure.parts:
        raise WrongField("sum", _("A paper has at least one part with questions."))
    for part in structure.parts:
        _check_part(part)
    if len({part.letter for part in structure.parts}) != len(structure.parts):
        raise WrongField("sum", _("Each part stands once."))
    _demand_between("practical_marks", structure.practical_marks, 0, WHOLE)
    _demand_between("viva_marks", structure.viva_marks, 0, WHOLE)
    total = structure.written_marks + structure.practical_marks + structure.viva_marks
    if total != WHOLE:
        raise WrongField("sum", _("Written, practical and viva make %(sum)s marks; they must make 100.", sum=total))
    if structure.written_marks != int(structure.written_marks):
        raise WrongField("sum", _("The written marks must make a whole number."))
    ordered = tuple(sorted(structure.parts, key=lambda part: part.letter))
    return Structure(ordered, structure.practical_marks, structure.viva_marks)


def _check_part(part: PartValues) -> None:
    name = part.letter.lower()
    if part.letter not in LETTERS or part.question_type not in QUESTION_TYPES:
        raise WrongField(f"{name}_type", _("Choose one of the list."))
    _demand_between(f"{name}_count", part.question_count, 1, MOST_QUESTIONS)
    if not 0 < part.marks_each <= MOST_MARKS:
        raise WrongField(f"{name}_marks", _("The marks must be more than 0 and at most %(most)s.", most=MOST_MARKS))
    if not 0 <= part.negative_marks <= part.marks_each:
        raise WrongField(f"{name}_negative", _("A wrong answer costs at most what a right one brings."))
    for amount in (part.min_words, part.max_words):
        if amount is not None:
            _demand_between(f"{name}_max_words", amount, 1, MOST_WORDS)
    if part.min_words and part.max_words and part.min_words > part.max_words:
        raise WrongField(f"{name}_max_words", _("The upper word limit is below the lower one."))


def _demand_between(field: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise WrongField(field, _("Enter a whole number from %(least)s to %(most)s.", least=least, most=most))
