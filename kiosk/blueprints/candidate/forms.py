"""What the candidate's forms send. Fields named by the contract; wrong values become None, never an error page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from wtforms import BooleanField, Field, IntegerField, StringField, TextAreaField
from wtforms.validators import NumberRange, Optional

from kiosk.web.fields import CheckedForm


class IdentityForm(CheckedForm):
    """Is this you?"""

    me = StringField()


class StartForm(CheckedForm):
    """The tick and the code that begin the exam."""

    consent = BooleanField()
    start_code = StringField()


class ExamForm:
    """The form of the exam page: a save sends part of it, a move all of it, and `choice` or `text` with the answer.

    The busiest form there is, sent at each click of everybody: it is read by hand, as WTForms takes about as long for
    it as the database does (ADR 5). The token was checked before the view.
    """

    def __init__(self, sent: Mapping[str, str]) -> None:
        """Read what was sent; wrong values become None, or -1 where the service is to refuse them."""
        self.question = _id(sent.get("question", ""))
        self.seq = _whole_number(sent.get("seq", ""))
        self.number = _whole_number(sent.get("number", ""))
        self.total = _whole_number(sent.get("total", ""))
        self.goto = _whole_number(sent.get("goto", ""))
        self.go = sent.get("go", "")
        self.is_changed = sent.get("changed", "") not in ("", "false")

    @property
    def target(self) -> int:
        """The question to show; the first and the last one hold."""
        here = self.number or 1
        if self.goto:
            return self.goto
        step = {"prev": -1, "next": 1, "mark": 1}.get(self.go, 0)
        return min(max(here + step, 1), max(self.total or here, 1))

    @property
    def mark(self) -> bool | None:
        """Whether the question left is marked for review; None leaves it as it is."""
        return {"mark": True, "next": False}.get(self.go)

    @property
    def is_finished(self) -> bool:
        """Whether the summary comes next: asked for, or the last question was left forward."""
        was_last = self.number == self.total and self.go in ("next", "mark")
        return self.go == "finish" or (was_last and not self.goto)


class SubmitForm(CheckedForm):
    """The second yes."""

    confirm = BooleanField()


class FeedbackForm(CheckedForm):
    """How the computer was."""

    rating = IntegerField(validators=[Optional(), NumberRange(1, 5)])
    comment = TextAreaField()


def value_of(field: Field) -> Any:
    """The field's value, or None where it is not valid."""
    return None if field.errors else field.data


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _whole_number(text: str) -> int | None:
    """A number without a sign; None where nothing was sent, -1 for what is no such number: the service refuses it."""
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else -1
