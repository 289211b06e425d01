"""The pieces of the exam page that are drawn at every click, as functions: its page and its swaps use the same."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from kiosk.blueprints.candidate import bp
from kiosk.services.answers import SavedAnswer, Swap
from kiosk.services.screens import QuestionView
from kiosk.web import preferences
from kiosk.web.htmx import poll_ms
from kiosk.web.moulds import Mould
from kiosk.web.signin import exam_page
from kiosk.web.templating import cell_button, option_label
from kiosk.web.templating import translated as _

# how little time is left: milliseconds up to which a stage lasts
STAGES = ((60_000, "last"), (300_000, "red"), (600_000, "amber"))

_clock = Mould("candidate/_clock.html", "ms", "time", "poll", "page")
_save_state = Mould("candidate/_save_state.html", "time")
_question = Mould("candidate/_question.html", "number", "total", "seq", "csrf", "page", "left", "answer")
_saved_answer = Mould("candidate/_saved.html", "flag", "seq", "save", "cell", "clock")
_swap = Mould("candidate/_swap.html", "question", "cells", "save", "clock")


def saved_answer(saved: SavedAnswer, zone: str) -> Markup:
    """Return what the page hears of a save."""
    slots = {
        "flag": int(saved.saved),
        "seq": saved.seq,
        "save": save_state(saved.saved_at, zone),
        "cell": cell_button(saved.number, saved.state),
        "clock": clock(saved.remaining_ms),
    }
    return _saved_answer.cast(slots)


def swap(made: Swap, saved: SavedAnswer | None, left_id: UUID | None, zone: str) -> Markup:
    """Return the question moved to and what changed on the way; `saved` is what became of the answer to `left_id`."""
    changed = [cell for cell in (made.left, made.here) if cell]
    slots = {
        "question": question_form(made.question, saved=saved, left_id=left_id),
        "cells": Markup().join([cell_button(cell.number, cell.state, cell.is_current, True) for cell in changed]),
        "save": save_state(saved.saved_at, zone) if saved else "",
        "clock": clock(made.remaining_ms, oob=True),
    }
    return _swap.cast(slots, is_saved=bool(saved and saved.saved))


@bp.app_template_global()
def clock(remaining_ms: int, *, oob: bool = False) -> Markup:
    """Return the clock; `oob`: it rides along with something else."""
    stage = next((name for most, name in STAGES if remaining_ms <= most), "calm")
    slots = {
        "ms": remaining_ms,
        "time": preferences.hms(remaining_ms),
        "poll": poll_ms(remaining_ms),
        "page": exam_page(),
    }
    return _clock.cast(slots, stage=stage, oob=oob)


@bp.app_template_global()
def save_state(saved_at: datetime, zone: str) -> Markup:
    """Return the words that say when the last answer was saved, on the clock of `zone`."""
    return _save_state.cast({"time": preferences.clock_seconds(saved_at, zone)})


@bp.app_template_global()
def question_form(
    question: QuestionView,
    *,
    saved: SavedAnswer | None = None,
    left_id: UUID | None = None,
    problem: str = "",
    typed: str | None = None,
) -> Markup:
    """Return the form of a question.

    `saved` is what became of the answer to `left_id`, the question left; `problem` and `typed` follow a refusal.
    """
    slots = {
        "number": question.number,
        "total": question.total,
        "seq": question.seq,
        "csrf": generate_csrf(),
        "page": exam_page(),
        "left": _left(saved, left_id) if saved else "",
        "answer": _labels(question) if question.face.is_choice else _text(question, typed),
    }
    return _question.cast(slots, face=question.face, problem=problem)


def _left(saved: SavedAnswer, left_id: UUID | None) -> Markup:
    attributes = Markup(' data-left="%s" data-left-seq="%s" data-left-saved="%s"')
    return attributes % (left_id, saved.seq, int(saved.saved))


def _labels(question: QuestionView) -> Markup:
    """Every option in the order of this candidate; one that looks the same is drawn once for all."""
    face, response = question.face, question.response
    if face.question_type == "true_false":
        words = (("A", "true", _("True")), ("B", "false", _("False")))
        labels = [option_label(value, key, word, response is (value == "true")) for key, value, word in words]
    else:
        is_multiple = face.question_type == "multiple"
        chosen = response if isinstance(response, list) else (response,)
        labels = [
            option_label(option.key, option.key, option.text, option.key in chosen, face.lang, is_multiple)
            for option in question.options
        ]
    return Markup("\n    ").join(labels)


def _text(question: QuestionView, typed: str | None) -> object:
    if typed is not None:
        return typed
    return "" if question.response is None else question.response
