"""Drawing an attempt's paper: the order of questions and options, from a stored seed."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text

from kiosk.extensions import db, execute
from kiosk.models import Answer
from kiosk.prepared import Prepared
from kiosk.services.catalogue import FrozenQuestion

# all rows in one statement: a row at a time costs more than all the rest of a start
_POSTGRESQL, _SQLITE = (
    Prepared(
        text(
            "INSERT INTO answers "
            "(attempt_id, question_id, number, part, option_order, seq, is_marked, time_spent_seconds, visited_at) "
            f"SELECT :p_attempt, {drawn}"
        ).bindparams(
            bindparam("p_attempt", type_=Answer.__table__.c.attempt_id.type),
            bindparam("p_first_seen", type_=Answer.__table__.c.visited_at.type),
        )
    )
    for drawn in (
        "drawn.question_id, drawn.number, drawn.part, drawn.option_order, 0, false, 0, "
        "CASE WHEN drawn.number = 1 THEN CAST(:p_first_seen AS timestamptz) END "
        "FROM unnest(CAST(:p_question_id AS uuid[]), CAST(:p_number AS integer[]), CAST(:p_part AS text[]), "
        "CAST(:p_option_order AS text[])) AS drawn (question_id, number, part, option_order)",
        "value ->> 0, value ->> 1, value ->> 2, value ->> 3, 0, false, 0, "
        "CASE WHEN value ->> 1 = 1 THEN :p_first_seen END FROM json_each(:p_drawn)",
    )
)
DRAWN = ("question_id", "number", "part", "option_order")
SHUFFLED_OPTIONS = ("single", "multiple")


def new_seed() -> str:
    """Return a seed that nobody can foretell."""
    return secrets.token_hex(16)


def draw(attempt_id: UUID, questions: Iterable[FrozenQuestion], seed: str, *, first_seen_at: datetime | None) -> None:
    """Store an attempt's drawn questions, inside the caller's transaction; the first one was seen then."""
    rows = drawn_answers(attempt_id, questions, seed)
    given: dict[str, Any] = {"p_attempt": attempt_id, "p_first_seen": first_seen_at}
    if db.engine.dialect.name == "postgresql":
        for name in DRAWN:
            given[f"p_{name}"] = [row[name] for row in rows]
        execute(_POSTGRESQL, given)
    else:
        given["p_drawn"] = json.dumps([[row["question_id"].hex, *(row[name] for name in DRAWN[1:])] for row in rows])
        execute(_SQLITE, given)


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
