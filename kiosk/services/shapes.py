"""From rows to what a screen shows: cells, questions, remaining time. Pure."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from kiosk.services import catalogue
from kiosk.services.catalogue import LETTERS, FrozenQuestion
from kiosk.services.screens import Cell, CellState, OptionView, QuestionFace, QuestionView

FACES_KEPT = 5_000


def remaining_ms(deadline_at: datetime | None, now: datetime) -> int:
    """Milliseconds until the deadline, never negative."""
    return max(round((deadline_at - now).total_seconds() * 1000), 0) if deadline_at else 0


def cell_state(response: Any, is_marked: bool, is_visited: bool) -> CellState:
    """The one of the five palette states."""
    if is_marked:
        return "both" if response is not None else "mark"
    if response is not None:
        return "done"
    return "blank" if is_visited else "none"


def cell(row: Any, *, is_current: bool) -> Cell:
    """The palette cell of an answer row."""
    state = cell_state(row.response, row.is_marked, row.visited_at is not None)
    return Cell(row.number, row.question_id, row.part, state, is_current)


def number(value: Decimal) -> float:
    """A mark as a plain number: an int where it is whole."""
    return int(value) if value == value.to_integral_value() else float(value)


def question_view(row: Any, language: str, total: int = 0) -> QuestionView:
    """The question of an answer row, in `language` where the set has it."""
    question = catalogue.question(row.question_id)
    assert question is not None, "a drawn question is a published one"
    lang = "hi" if language == "hi" and question.text_hi else "en"
    return QuestionView(
        face=_face(question.id, lang),
        number=row.number,
        total=total or len(catalogue.questions_of(question.set_id)),
        options=options(question, row.option_order, lang),
        response=row.response,
        seq=row.seq,
    )


@lru_cache(FACES_KEPT)
def _face(question_id: UUID, lang: str) -> QuestionFace:
    """One object for all who meet the question: a published one never changes."""
    question = catalogue.question(question_id)
    assert question is not None, "asked for by its own id"
    return QuestionFace(
        question_id=question_id,
        part=question.part,
        question_type=question.question_type,
        text=(question.text_hi if lang == "hi" else None) or question.text,
        lang=lang,
        marks=number(question.marks),
        negative_marks=number(question.negative_marks),
        min_words=question.min_words,
        max_words=question.max_words,
    )


def options(question: FrozenQuestion, option_order: str, lang: str) -> tuple[OptionView, ...]:
    """The options in the drawn order under the letters A, B, C …"""
    by_key = {option["key"]: option for option in question.options}
    ordered = (by_key[key] for key in option_order)
    return tuple(
        OptionView(letter, (option.get("text_hi") if lang == "hi" else None) or option["text"])
        for letter, option in zip(LETTERS, ordered, strict=False)
    )


def own_keys(letters: list[str], option_order: str) -> set[str]:
    """Translate the letters on the candidate's screen to the question's own option keys."""
    return {option_order[LETTERS.index(letter)] for letter in letters}
