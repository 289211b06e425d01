"""Drawing an attempt's paper: the order of questions and options, from a stored seed."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, String, Uuid

from kiosk.extensions import execute
from kiosk.listed import Listed
from kiosk.models.types import UtcDateTime
from kiosk.services.catalogue import FrozenQuestion

# all rows in one statement: a row at a time costs more than all the rest of a start
_DRAWN = Listed(
    "INSERT INTO answers "
    "(attempt_id, question_id, number, part, option_order, seq, is_marked, time_spent_seconds, visited_at) "
    "SELECT :attempt, listed.question_id, listed.number, listed.part, listed.option_order, 0, false, 0, "
    "listed.visited_at FROM {rows}",
    {
        "question_id": Uuid(), "number": Integer(), "part": String(), "option_order": String(),
        "visited_at": UtcDateTime(),
    },
    attempt=Uuid(),
)  # fmt: skip
SHUFFLED_OPTIONS = ("single", "multiple")


def new_seed() -> str:
    """Return a seed that nobody can foretell."""
    return secrets.token_hex(16)


def draw(attempt_id: UUID, questions: Iterable[FrozenQuestion], seed: str, *, first_seen_at: datetime | None) -> None:
    """Store an attempt's drawn questions, inside the caller's transaction; the first one was seen then."""
    rows = [(*drawn, None if place else first_seen_at) for place, drawn in enumerate(drawn_answers(questions, seed))]
    execute(_DRAWN, {"rows": rows, "attempt": attempt_id})


def drawn_answers(questions: Iterable[FrozenQuestion], seed: str) -> list[tuple[UUID, int, str, str]]:
    """Return question, number, part and order of options of what is drawn: parts stay in order, questions mix within.

    The same seed and set give the same paper.
    """
    dice = random.Random(seed)  # noqa: S311  the seed is secret; the order needs no more
    by_part: dict[str, list[FrozenQuestion]] = {}
    for question in questions:
        by_part.setdefault(question.part, []).append(question)
    rows: list[tuple[UUID, int, str, str]] = []
    for part in by_part.values():
        dice.shuffle(part)
        for question in part:
            keys = [option["key"] for option in question.options]
            if question.question_type in SHUFFLED_OPTIONS:
                dice.shuffle(keys)
            rows.append((question.id, len(rows) + 1, question.part, "".join(keys)))
    return rows
