"""What the candidate's forms send. Fields named by the contract; wrong values become None, never an error page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, HiddenField, IntegerField, StringField, TextAreaField
from wtforms.validators import NumberRange, Optional

LARGEST_SEQ = 2**53


class UuidField(HiddenField):
    """An id; None for anything that is none."""

    data: UUID | None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the id."""
        try:
            self.data = UUID(valuelist[0])
        except (IndexError, ValueError):
            self.data = None


class WholeNumber(IntegerField):
    """A number without a sign; None where nothing was sent, -1 for what is no such number: the service refuses it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the number."""
        text = valuelist[0] if valuelist else ""
        is_number = text.isascii() and text.isdigit() and len(text) <= 16
        self.data = int(text) if is_number else (-1 if text else None)


class IdentityForm(FlaskForm):
    """Is this you?"""

    me = StringField()


class StartForm(FlaskForm):
    """The tick and the code that begin the exam."""

    consent = BooleanField()
    start_code = StringField()


class AnswerForm(FlaskForm):
    """The answer to one question; `choice` and `text` are read by the question's type."""

    class Meta(FlaskForm.Meta):
        """The token was checked before the view (CSRFProtect); a form never drawn needs no new one."""

        csrf = False

    question = UuidField()
    seq = WholeNumber()


class MoveForm(AnswerForm):
    """An answer, and where to go from it."""

    number = WholeNumber()
    total = WholeNumber()
    changed = BooleanField()
    go = StringField()
    goto = WholeNumber()

    @property
    def target(self) -> int:
        """The question to show; the first and the last one hold."""
        here = self.number.data or 1
        if self.goto.data:
            return self.goto.data
        step = {"prev": -1, "next": 1, "mark": 1}.get(self.go.data or "", 0)
        return min(max(here + step, 1), max(self.total.data or here, 1))

    @property
    def mark(self) -> bool | None:
        """Whether the question left is marked for review; None leaves it as it is."""
        return {"mark": True, "next": False}.get(self.go.data or "")

    @property
    def is_finished(self) -> bool:
        """Whether the summary comes next: asked for, or the last question was left forward."""
        was_last = self.number.data == self.total.data and self.go.data in ("next", "mark")
        return self.go.data == "finish" or (was_last and not self.goto.data)


class SubmitForm(FlaskForm):
    """The second yes."""

    confirm = BooleanField()


class FeedbackForm(FlaskForm):
    """How the computer was."""

    rating = IntegerField(validators=[Optional(), NumberRange(1, 5)])
    comment = TextAreaField()


def value_of(field: Field) -> Any:
    """The field's value, or None where it is not valid."""
    return None if field.errors else field.data
