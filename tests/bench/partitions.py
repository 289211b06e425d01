"""The hot tables cut by attempt, as `docs/scale.md` plans it: what a country's database would be given before the exam.

Not part of the product's migrations: a centre's or a state's database needs none of it.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

# by which columns a row is known once the table is cut; `answers` is already known by its attempt
KEYS = {"answers": None, "answer_saves": "attempt_id, id", "visits": "attempt_id, id"}


def as_it_is(connection: Connection, table: str) -> str | None:
    """Say what PostgreSQL has against cutting a table by attempt with the keys that it has now; None: nothing."""
    attempt = connection.begin_nested()
    try:
        connection.execute(text(f"CREATE TABLE tried (LIKE {table} INCLUDING ALL) PARTITION BY HASH (attempt_id)"))
    except DBAPIError as error:
        return str(error.orig).splitlines()[0]
    finally:
        attempt.rollback()
    return None


def cut(connection: Connection, count: int) -> None:
    """Put tables of `count` parts each in the place of the hot tables, with all their rows."""
    for table, key in KEYS.items():
        whole = f"{table}_whole"
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {whole}"))
        # everything but the keys and indexes, which must carry the attempt
        what = "ALL" if key is None else "DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE"
        connection.execute(text(f"CREATE TABLE {table} (LIKE {whole} INCLUDING {what}) PARTITION BY HASH (attempt_id)"))
        for part in range(count):
            connection.execute(
                text(
                    f"CREATE TABLE {table}_{part} PARTITION OF {table} "
                    f"FOR VALUES WITH (MODULUS {count}, REMAINDER {part})"
                )
            )
        if key is not None:
            connection.execute(text(f"ALTER TABLE {table} ADD PRIMARY KEY ({key})"))
        connection.execute(text(f"INSERT INTO {table} SELECT * FROM {whole}"))
    for table, column in (("answer_saves", "question_id"), ("visits", "at")):
        connection.execute(text(f"CREATE INDEX ON {table} (attempt_id, {column})"))
    connection.execute(text("ALTER TABLE answers ADD FOREIGN KEY (attempt_id) REFERENCES attempts (id)"))


def parts_touched(connection: Connection, query: str, **values: object) -> set[str]:
    """Which parts a statement would have to look at, by PostgreSQL's own plan."""
    plan = "\n".join(row[0] for row in connection.execute(text(f"EXPLAIN {query}"), values))
    return set(re.findall(rf" on ((?:{'|'.join(KEYS)})_\d+)\b", plan))
