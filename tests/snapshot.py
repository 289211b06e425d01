"""All rows of a database, to be put back: quicker than building them anew for every test."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from kiosk.extensions import db


class Snapshot:
    """The rows of every table as they are now."""

    def __init__(self) -> None:
        self._tables = db.metadata.sorted_tables
        with db.engine.connect() as connection:
            self._rows = {
                table: [dict(row._mapping) for row in connection.execute(select(table))] for table in self._tables
            }

    def restore(self) -> None:
        """Make the database hold exactly these rows."""
        self._replace(self._rows)

    def clear(self) -> None:
        """Make the database hold no rows at all."""
        self._replace({})

    def _replace(self, rows: dict[Any, list[dict[str, Any]]]) -> None:
        """Replace all rows. The audit log's guard is off for that moment only."""
        db.session.remove()
        with db.engine.begin() as connection:
            guards = _lift_guards(connection)
            for table in reversed(self._tables):
                connection.execute(table.delete())
            for table in self._tables:
                if rows.get(table):
                    connection.execute(table.insert(), rows[table])
            for statement in guards:
                connection.exec_driver_sql(statement)


def _lift_guards(connection: Connection) -> list[Any]:
    """Switch triggers off; return the statements that switch them on again."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        return []
    triggers = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
    for name, _ in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    return [sql for _, sql in triggers]
