"""Statements that take any number of rows at once, with the same text however many there are.

PostgreSQL is given a list for each column, SQLite one JSON text. To send them a row at a time, or with a parameter for
each value, costs more than what the database does with them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect, bindparam, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeEngine

from kiosk.prepared import Convert, Prepared, Rows, for_driver


class Listed:
    """One such statement. Where its rows belong it says `{rows}`; it calls them `listed`."""

    def __init__(self, statement: str, columns: dict[str, TypeEngine[Any]], **given: TypeEngine[Any]) -> None:
        """Name the columns of the rows in their order, and what is given once for all of them."""
        self._columns = columns
        names = list(columns)
        lists = ", ".join(f"CAST(:{name} AS {kind.compile(postgresql.dialect())}[])" for name, kind in columns.items())
        values = ", ".join(f"value ->> {place} AS {name}" for place, name in enumerate(names))
        binds = [bindparam(name, type_=kind) for name, kind in given.items()]
        self._for_lists, self._for_json = (
            Prepared(text(statement.replace("{rows}", rows)).bindparams(*binds))
            for rows in (
                f"unnest({lists}) AS listed ({', '.join(names)})",
                f"(SELECT {values} FROM json_each(:listed)) AS listed",  # noqa: S608  names of our own
            )
        )
        self._converts: dict[str, list[Convert | None]] = {}

    def run(self, connection: Connection, given: Mapping[str, Any]) -> Rows:
        """Run it in the connection's transaction: `rows` is what it is given, beside what was named.

        Raises KeyError for a missing parameter, and SQLAlchemy's errors.
        """
        rows: Sequence[Sequence[Any]] = given["rows"]
        columns = [
            [convert(row[place]) for row in rows] if convert else [row[place] for row in rows]
            for place, convert in enumerate(self._converts_for(connection.dialect))
        ]
        if connection.dialect.name == "postgresql":
            return self._for_lists.run(connection, {**given, **dict(zip(self._columns, columns, strict=True))})
        return self._for_json.run(connection, {**given, "listed": json.dumps(list(zip(*columns, strict=True)))})

    def _converts_for(self, dialect: Dialect) -> list[Convert | None]:
        found = self._converts.get(dialect.name)
        if found is None:
            found = self._converts[dialect.name] = [for_driver(kind, dialect) for kind in self._columns.values()]
        return found
