"""Question files (CSV): read whole, judged whole; every problem is named by line and column."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext as _

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
MOST_PROBLEMS = 100
_NUMERIC = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*(?:(?:±|\+/-)\s*(\d+(?:\.\d+)?)\s*)?", re.ASCII)


@dataclass(frozen=True)
class Problem:
    """What is wrong where; the line is the one in the file, counted from 1."""

    line: int
    column: str
    text: str


@dataclass
class QuestionFile:
    """The questions of a file as rows for the model, or the problems that keep it out."""

    questions: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_csv(content: bytes) -> QuestionFile:
    """Return the questions in a CSV file, or every problem found (at most 100)."""
    result = QuestionFile()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        result.problems.append(Problem(line, "", _("not UTF-8 (byte 0x%(byte)s)", byte=f"{content[error.start]:02x}")))
        return result
    try:
        _read_rows(csv.DictReader(io.StringIO(text, newline=""), strict=True), result)
    except csv.Error as error:
        result.problems.append(Problem(0, "", str(error)))
    if not result.questions and not result.problems:
        result.problems.append(Problem(1, "", _("the file holds no questions")))
    return result


def _read_rows(reader: csv.DictReader[str], result: QuestionFile) -> None:
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    twice = sorted({name for name in names if names.count(name) > 1})
    for wrong, said in ((missing, _("is missing")), (unknown, _("is not known")), (twice, _("stands twice"))):
        result.problems.extend(Problem(1, name, _("this column %(said)s", said=said)) for name in wrong)
    if result.problems:
        return
    for place, row in enumerate(reader, start=1):
        if None in row or any(value is None for value in row.values()):
            result.problems.append(Problem(reader.line_num, "", _("the row has more or fewer fields than the header")))
        elif any((value or "").strip() for value in row.values()):
            question = _Row(row, reader.line_num, result.problems).question(place)
            result.questions.append(question)
        if len(result.problems) >= MOST_PROBLEMS:
            return


class _Row:
    """One row of a question file; what is wrong is added to the list of problems."""

    def __init__(self, row: dict[str, str], line: int, problems: list[Problem]) -> None:
        self._row, self._line, self._problems = row, line, problems

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
        self._problems.append(Problem(self._line, column, text))

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
