"""Question files (CSV, XLSX): read whole, judged whole; every problem is named by line and column."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext as _

from kiosk.services.exchange.problems import MOST_PROBLEMS, Problem
from kiosk.services.exchange.tables import Columns, Row, Table

REQUIRED = ("part", "text", "answer")
OPTION_KEYS = "ABCDEF"
COLUMNS = (
    *REQUIRED,
    "type",
    "text_hi",
    *(f"option_{key.lower()}" for key in OPTION_KEYS),
    *(f"option_{key.lower()}_hi" for key in OPTION_KEYS),
    "marks",
    "negative_marks",
    "number",
    "topic",
)
DEFAULT_TYPE = {"A": "single", "B": "multiple", "C": "short", "D": "fill", "E": "long", "F": "true_false"}
TYPES = ("single", "multiple", "true_false", "numeric", "fill", "short", "long")
_NUMERIC = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*(?:(?:±|\+/-)\s*(\d+(?:\.\d+)?)\s*)?", re.ASCII)


@dataclass
class QuestionFile:
    """The questions of a file as rows for the model, or the problems that keep it out."""

    questions: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read(content: bytes) -> QuestionFile:
    """Return the questions in a CSV or XLSX file, or every problem found (at most 100)."""
    # nothing of a question is a number to count with: 10 is as good an option as "10"
    table = Table(content, Columns(REQUIRED, COLUMNS[len(REQUIRED) :], numbers=frozenset(COLUMNS)))
    questions = []
    for place, row in enumerate(table.rows(), start=1):
        questions.append(_Row(row, table).question(place))
        if len(table.problems.listed) >= MOST_PROBLEMS:
            break
    return QuestionFile([] if table.problems.listed else questions, table.problems.listed)


class _Row:
    """One row of a question file; what is wrong is added to the list of problems."""

    def __init__(self, row: Row, table: Table) -> None:
        self._row, self._line, self._table = row.fields, row.line, table

    def question(self, place: int) -> dict[str, Any]:
        part = self._get("part").upper()
        if part not in DEFAULT_TYPE:
            self._wrong("part", _("must be one of A to F"))
        question_type = self._get("type") or DEFAULT_TYPE.get(part, "single")
        if question_type not in TYPES:
            self._wrong("type", _("must be one of %(types)s", types=", ".join(TYPES)))
        text = self._get("text")
        if not text:
            self._wrong("text", _("the question has no text"))
        options = self._options(question_type)
        return {
            "part": part,
            "number": self._whole("number", place),
            "question_type": question_type,
            "text": text,
            "text_hi": self._get("text_hi") or None,
            "options": options or None,
            "answer": self._answer(question_type, [option["key"] for option in options]),
            "marks": self._decimal("marks", "1"),
            "negative_marks": self._decimal("negative_marks", "0"),
            "topic": self._get("topic"),
        }

    def _get(self, name: str) -> str:
        return (self._row.get(name) or "").strip()

    def _wrong(self, column: str, text: str) -> None:
        self._table.wrong(self._line, column, text)

    def _options(self, question_type: str) -> list[dict[str, str]]:
        options = [
            {"key": key, "text": self._get(f"option_{key.lower()}"), "text_hi": self._get(f"option_{key.lower()}_hi")}
            for key in OPTION_KEYS
            if self._get(f"option_{key.lower()}")
        ]
        if question_type not in ("single", "multiple"):
            return []
        if len(options) < 2:
            self._wrong("option_a", _("at least two options are needed"))
        texts = [option["text"].casefold() for option in options]
        if len(set(texts)) != len(texts):
            self._wrong("option_a", _("two options are the same"))
        return options

    def _answer(self, question_type: str, keys: list[str]) -> Any:
        given = self._get("answer")
        if question_type == "single":
            return self._key(given.upper(), keys)
        if question_type == "multiple":
            chosen = [self._key(one.strip().upper(), keys) for one in given.split(",")]
            if len(set(chosen)) != len(chosen):
                self._wrong("answer", _("the same option stands twice"))
            return chosen
        if question_type == "true_false":
            if given.lower() not in ("true", "false"):
                self._wrong("answer", _("must be true or false"))
            return given.lower() == "true"
        if question_type == "numeric":
            return self._numeric(given)
        if not given:
            self._wrong("answer", _("the answer is missing"))
        return [form.strip() for form in given.split("|") if form.strip()] if question_type == "fill" else given

    def _key(self, key: str, keys: list[str]) -> str:
        if key not in keys:
            self._wrong("answer", _("%(key)s is not one of the options", key=key or "–"))
        return key

    def _numeric(self, given: str) -> dict[str, str]:
        match = _NUMERIC.fullmatch(given)
        if not match:
            self._wrong("answer", _("must be a number such as 12.5 or 12.5±0.1"))
            return {}
        return {"value": match[1], "tolerance": match[2] or "0"}

    def _whole(self, name: str, default: int) -> int:
        given = self._get(name)
        if given and not (given.isascii() and given.isdigit() and 0 < int(given) < 10_000):
            self._wrong(name, _("must be a whole number"))
            return default
        return int(given or default)

    def _decimal(self, name: str, default: str) -> Decimal:
        try:
            value = Decimal(self._get(name) or default)
        except InvalidOperation:
            value = Decimal(-1)
        if not 0 <= value <= 100:
            self._wrong(name, _("must be a number from 0 to 100"))
        return value
