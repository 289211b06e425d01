"""Questions before consequences: what would happen, in numbers; a reason; a word to type; then the deed.

One question is a page, and in a browser with scripts a dialog over the page that asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.errors import KioskError
from kiosk.office_errors import InTheWay, LastAdmin, NotNow, OwnAccount, WrongField
from kiosk.services import slots
from kiosk.web.htmx import is_htmx
from kiosk.web.signin import needs

Counted = tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Ask:
    """One question. `stands` is what forbids it: then, or where it is `idle`, there is nothing to press.

    `carries` goes along with the form; `stays` counts by a word for the reason who would not be changed.
    """

    title: str
    go: str
    back: str
    nav: str
    says: tuple[str, ...] = ()
    numbers: Counted = ()
    stands: Counted = ()
    word: str = ""
    needs_reason: bool = True
    is_danger: bool = False
    is_idle: bool = False
    carries: tuple[tuple[str, str], ...] = ()
    stays: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Secret:
    """A password that is shown once."""

    title: str
    login: str
    password: str
    back: str
    nav: str
    is_one_time: bool = False


def add_question(
    blueprint: Blueprint,
    rule: str,
    endpoint: str,
    capability: str,
    ask: Callable[[Any], Ask],
    do: Callable[[Any, str], ResponseReturnValue],
) -> None:
    """Hang a question and its deed under one address, whose one id goes to both."""

    @needs(capability)
    def show(**ids: Any) -> ResponseReturnValue:
        (object_id,) = ids.values()
        return ask_page(ask(object_id), {})

    @needs(capability)
    def perform(**ids: Any) -> ResponseReturnValue:
        (object_id,) = ids.values()
        question = ask(object_id)
        problems = problems_of(question)
        if problems:
            return ask_page(question, problems, 422)
        try:
            return do(object_id, request.form.get("reason", ""))
        except (InTheWay, LastAdmin, NotNow, OwnAccount, WrongField) as error:
            return ask_page(ask(object_id), {"all": error.sentence}, error.status)

    blueprint.add_url_rule(rule, endpoint, show, methods=["GET"])
    blueprint.add_url_rule(rule, f"{endpoint}_now", perform, methods=["POST"])


def password_page(secret: Secret) -> ResponseReturnValue:
    """Show a new password, this once: it is in no session, no log and no other page."""
    return render_template("office/_password.html" if is_htmx() else "office/password.html", secret=secret)


def problems_of(question: Ask) -> dict[str, str]:
    """Return what is missing in the form, by field. Without `go` the form was not that of the question."""
    found: dict[str, str] = {}
    if question.stands or question.is_idle or request.form.get("go") != "yes":
        found["all"] = _("Nothing has changed. Read what would happen, then confirm.")
    if question.needs_reason:
        try:
            slots.checked_reason(request.form.get("reason"))
        except KioskError as error:
            found["reason"] = error.sentence
    if question.word and request.form.get("word", "").strip() != question.word:
        found["word"] = _("Type %(word)s to confirm.", word=question.word)
    return found


def ask_page(question: Ask, problems: dict[str, str], status: int = 200) -> ResponseReturnValue:
    """Show a question, as a page or a dialog, with what was wrong in its form by field."""
    template = "office/_ask.html" if is_htmx() else "office/ask.html"
    typed = request.form if request.method == "POST" else {}
    return render_template(template, ask=question, problems=problems, typed=typed, address=request.path), status
