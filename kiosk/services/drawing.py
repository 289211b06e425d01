"""Drawing an attempt's paper: the order of questions and options, from a stored seed."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from kiosk.services.catalogue import FrozenQuestion

SHUFFLED_OPTIONS = ("single", "multiple")


def new_seed() -> str:
    """Return a seed that nobody can foretell."""
    return secrets.token_hex(16)


def drawn_answers(attempt_id: UUID, questions: Iterable[FrozenQuestion], seed: str) -> list[dict[str, Any]]:
    """Return the rows of an attempt's drawn questions: parts stay in order, questions mix within a part.

    The same seed and set give the same paper.
    """
    dice = random.Random(seed)  # noqa: S311  the seed is secret; the order needs no more
    by_part: dict[str, list[FrozenQuestion]] = {}
    for question in questions:
        by_part.setdefault(question.part, []).append(question)
    rows: list[dict[str, Any]] = []
    for part in by_part.values():
        dice.shuffle(part)
        for question in part:
            keys = [option["key"] for option in question.options]
            if question.question_type in SHUFFLED_OPTIONS:
                dice.shuffle(keys)
            rows.append(
                {
                    "attempt_id": attempt_id,
                    "question_id": question.id,
                    "number": len(rows) + 1,
                    "part": question.part,
                    "option_order": "".join(keys),
                    "seq": 0,
                    "is_marked": False,
                }
            )
    return rows
