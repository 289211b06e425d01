"""Fields of the office's forms: each says in words what it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, DecimalField, IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import StopValidation, ValidationError

from kiosk.office_errors import WrongField
from kiosk.web.staff_pages import uuid_or_none

_WHOLE = re.compile(r"-?[0-9]{1,9}")
_DECIMAL = re.compile(r"-?[0-9]{1,6}([.,][0-9]{1,2})?")


class CheckedForm(FlaskForm):
    """A form whose token was checked before the view, as that of all forms is: it makes none of its own."""

    class Meta(FlaskForm.Meta):
        """Pages put the token in by themselves."""

        csrf = False


class TextLine(StringField):
    """One line of text; too long, or with what cannot be stored, is refused."""

    data: str | None

    def __init__(self, label: Any = None, *, most: int = 200, required: bool = True, **more: Any) -> None:
        """`most` characters at most."""
        super().__init__(label, **more)
        self.most, self.is_required = most, required
        self.render_kw = {"maxlength": most, "autocomplete": "off"} | ({"required": True} if required else {})
        self.render_kw |= more.get("render_kw") or {}

    def pre_validate(self, _form: Any) -> None:
        """Check the text."""
        self.data = " ".join((self.data or "").split())
        if self.is_required and not self.data:
            raise StopValidation(_("Fill this in."))
        if len(self.data) > self.most:
            raise StopValidation(_("Use at most %(most)s characters.", most=self.most))
        if any(not char.isprintable() for char in self.data):
            raise StopValidation(_("This holds characters that cannot be stored."))


class WholeNumber(IntegerField):
    """A whole number between two others; empty where it is optional."""

    def __init__(self, label: Any = None, *, least: int, most: int, required: bool = True, **more: Any) -> None:
        """From `least` to `most`."""
        super().__init__(label, **more)
        self.least, self.most, self.is_required = least, most, required
        self.render_kw = {"min": least, "max": most, "step": 1, "inputmode": "numeric", "autocomplete": "off"}

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed."""
        text = valuelist[0].strip() if valuelist else ""
        self.data = None
        if not text and not self.is_required:
            return
        if not _WHOLE.fullmatch(text) or not self.least <= int(text) <= self.most:
            raise ValueError(_("Enter a whole number from %(least)s to %(most)s.", least=self.least, most=self.most))
        self.data = int(text)


class Amount(DecimalField):
    """A number with up to two decimals."""

    def __init__(self, label: Any = None, **more: Any) -> None:
        """Take no more than WTForms does."""
        super().__init__(label, places=None, **more)
        self.render_kw = {"min": 0, "step": "0.25", "inputmode": "decimal", "autocomplete": "off"}

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed."""
        text = valuelist[0].strip() if valuelist else ""
        self.data = None
        try:
            if _DECIMAL.fullmatch(text):
                self.data = Decimal(text.replace(",", "."))
        except InvalidOperation:
            self.data = None
        if self.data is None:
            raise ValueError(_("Enter a number, with up to two decimals."))


class OneOf(SelectField):
    """One of a list; anything else is refused in words."""

    def __init__(self, label: Any = None, *, choices: Iterable[tuple[str, Any]] = (), **more: Any) -> None:
        """`choices` are pairs of value and words."""
        super().__init__(label, choices=_as_choices(choices), **more)

    def offer(self, pairs: Iterable[tuple[str, Any]]) -> None:
        """Set the list to choose from."""
        self.choices = _as_choices(pairs)

    def pre_validate(self, form: Any) -> None:
        """Check that it is on the list."""
        try:
            super().pre_validate(form)
        except (ValidationError, ValueError) as error:
            raise StopValidation(_("Choose one of the list.")) from error

    @property
    def chosen_id(self) -> UUID | None:
        """What was chosen, where the choices are ids; None for the empty choice."""
        return uuid_or_none(self.data or "")


def _as_choices(pairs: Iterable[tuple[str, Any]]) -> list[SelectChoice]:
    return [SelectChoice(value, words) for value, words in pairs]


class YesOrNo(BooleanField):
    """A box to tick."""


class OfficeForm(CheckedForm):
    """A form whose fields take the refusals of the services as well."""

    form_errors: list[str]

    def mark(self, error: WrongField) -> None:
        """Put the refusal beside the field that it is about."""
        field = self._fields.get(error.field)
        if field is None:
            self.form_errors = [*self.form_errors, error.sentence]
        else:
            field.errors = [*field.errors, error.sentence]
