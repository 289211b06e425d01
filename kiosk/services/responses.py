"""What a response to each question type may be, from a form and from JSON. Strict: no number is guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from kiosk.errors import BadResponse
from kiosk.services.catalogue import FrozenQuestion

LONGEST_TEXT = 10_000
LARGEST_NUMBER = 10**15
TEXT_TYPES = ("fill", "short", "long")
_NUMBER = re.compile(r"[+-]?(\d{1,15}(\.\d{1,15})?|\.\d{1,15})", re.ASCII)


def response_from_form(question_type: str, form: Mapping[str, Any]) -> Any:
    """Return the response that a form's fields `choice` and `text` mean; None if the answer is cleared.

    Raises BadResponse for a number that is none; everything else is judged by `checked`.
    """
    if question_type == "multiple":
        return sorted(form.getlist("choice")) or None  # type: ignore[attr-defined]
    if question_type in ("single", "true_false"):
        choice = form.get("choice") or None
        truths: dict[Any, Any] = {"true": True, "false": False}
        return truths.get(choice, choice) if question_type == "true_false" else choice
    text = form.get("text") or ""
    if question_type != "numeric":
        return text.replace("\r\n", "\n") if text.strip() else None
    return _number(text) if text.strip() else None


def checked(question: FrozenQuestion, response: Any) -> Any:
    """Return `response` as it is stored, or raise BadResponse. None clears."""
    if response is None:
        return None
    kind = question.question_type
    if kind == "single":
        return _letter(question, response)
    if kind == "multiple":
        return _letters(question, response)
    if kind == "true_false":
        return _instance(response, bool, _("Choose true or false."))
    if kind == "numeric":
        return _finite(response)
    return _text(response)


def _letter(question: FrozenQuestion, response: Any) -> str:
    if not isinstance(response, str) or len(response) != 1 or response not in question.letters:
        raise BadResponse(problem=_("This is not one of the options of the question."))
    return response


def _letters(question: FrozenQuestion, response: Any) -> list[str]:
    if not isinstance(response, list) or not response or len(response) > len(question.letters):
        raise BadResponse(problem=_("Choose one or more of the options."))
    letters = [_letter(question, one) for one in response]
    if len(set(letters)) != len(letters):
        raise BadResponse(problem=_("The same option was given twice."))
    return letters


def _instance(response: Any, kind: type, problem: str) -> Any:
    if not isinstance(response, kind):
        raise BadResponse(problem=problem)
    return response


def _finite(response: Any) -> float | int:
    # bool is an int to Python, and JSON's 1e400 becomes infinity
    if isinstance(response, bool) or not isinstance(response, int | float) or response != response:
        raise BadResponse(problem=_("Enter a number, for example 12.5."))
    if abs(response) > LARGEST_NUMBER:
        raise BadResponse(problem=_("This number is too large."))
    return response


def _number(text: str) -> float | int:
    text = text.strip().replace(",", ".") if text.count(",") == 1 and "." not in text else text.strip()
    if not _NUMBER.fullmatch(text):
        raise BadResponse(problem=_("Enter a number, for example 12.5."))
    number = float(text)
    return int(number) if number.is_integer() else number


def _text(response: Any) -> str | None:
    text = _instance(response, str, _("Write your answer as text."))
    if len(text) > LONGEST_TEXT:
        raise BadResponse(
            problem=_(
                "Your answer is too long (%(length)s of %(most)s characters).", length=len(text), most=LONGEST_TEXT
            )
        )
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise BadResponse(problem=_("Your answer holds characters that cannot be stored."))
    return text if text.strip() else None
