"""Counting what reaches the database and Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import current_app
from sqlalchemy import event

from kiosk.extensions import db


@dataclass
class Counted:
    """What was counted: statements (transaction control apart), commits, round trips to Redis."""

    texts: list[str] = field(default_factory=list)
    commits: int = 0
    round_trips: int = 0

    @property
    def statements(self) -> int:
        """SQL statements without BEGIN, COMMIT and the like."""
        return len(self.texts)


@contextmanager
def counting() -> Iterator[Counted]:
    """Count what happens inside."""
    counted = Counted()
    engine, store = db.engine, current_app.extensions["timers"]
    before = store.round_trips

    def on_execute(_c: Any, _cur: Any, statement: str, _p: Any, _ctx: Any, _many: bool) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "COMMIT", "ROLLBACK")):
            counted.texts.append(statement)

    def on_commit(_c: Any) -> None:
        counted.commits += 1

    event.listen(engine, "before_cursor_execute", on_execute)
    event.listen(engine, "commit", on_commit)
    try:
        yield counted
    finally:
        event.remove(engine, "before_cursor_execute", on_execute)
        event.remove(engine, "commit", on_commit)
        counted.round_trips = store.round_trips - before
