"""How the database finds what it is asked for: by an index in the wanted order, or by looking at everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from kiosk.extensions import db

# few rows are read through and sorted quicker than looked up, unless PostgreSQL is told to behave as with many
AS_WITH_MANY_ROWS = ("seqscan", "sort", "incremental_sort", "bitmapscan", "hashjoin", "mergejoin", "material")
LOOKS_AT_EVERYTHING = ("SCAN ", "TEMP B-TREE", "Seq Scan", "Sort")


def plans(work: Callable[[], Any]) -> dict[str, str]:
    """Do some reading, and return the plan of each statement of it."""
    asked: list[tuple[str, Any]] = []

    def on_execute(_c: Any, _cur: Any, statement: str, parameters: Any, _ctx: Any, _many: bool) -> None:
        asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", on_execute)
    try:
        work()
    finally:
        event.remove(db.engine, "before_cursor_execute", on_execute)
    db.session.rollback()
    with db.engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        if not is_sqlite:
            for step in AS_WITH_MANY_ROWS:
                connection.exec_driver_sql(f"SET LOCAL enable_{step} = off")
        explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
        return {
            statement: "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", given))
            for statement, given in asked
            if statement.lstrip().startswith("SELECT")
        }


def looks_at_everything(plan: str) -> bool:
    """Whether a plan reads a whole table or sorts what it found."""
    return any(words in plan for words in LOOKS_AT_EVERYTHING)
