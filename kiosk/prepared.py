"""Statements that are compiled once for each kind of database and then handed to its driver, for what everybody asks.

SQLAlchemy builds, types and converts them; only its way to run one is left out: for a statement that touches one row it
takes several times as long as the database does (ADR 4). Its events are told, so whoever counts or delays statements
sees these as well; its errors are the same.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Executable, literal_column
from sqlalchemy.engine import Connection

Convert = Callable[[Any], Any]


class Rows(list[Any]):
    """What came back: named tuples."""

    def all(self) -> Rows:
        """Return them, as SQLAlchemy's results do."""
        return self

    def one_or_none(self) -> Any:
        """Return the only row, None without any. Raises ValueError where there are several."""
        if len(self) > 1:
            raise ValueError("more rows than one")
        return self[0] if self else None


@dataclass(frozen=True)
class _Compiled:
    """A statement as one kind of database is given it."""

    text: str
    names: tuple[str, ...]
    fixed: dict[str, Any]
    to_driver: dict[str, Convert]
    is_positional: bool
    row: Callable[..., Any] | None
    from_driver: tuple[tuple[int, Convert], ...]

    def parameters(self, given: Mapping[str, Any]) -> Any:
        """Return what the driver is given. Raises KeyError for a parameter without a value."""
        fixed, to_driver = self.fixed, self.to_driver
        found = {
            name: fixed[name] if name in fixed else to_driver[name](given[name]) if name in to_driver else given[name]
            for name in self.names
        }
        return tuple(map(found.__getitem__, self.names)) if self.is_positional else found

    def rows(self, found: Sequence[Any]) -> Rows:
        """Return the driver's rows as they are meant."""
        if self.row is None:
            return Rows()
        made = Rows()
        for values in found:
            one = list(values)
            for place, convert in self.from_driver:
                one[place] = convert(one[place])
            made.append(self.row(one))
        return made


class Prepared:
    """One such statement; its parameters are bindparams with types."""

    def __init__(self, statement: Executable) -> None:
        """Take over the statement."""
        self._statement: Any = statement
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, given: Mapping[str, Any]) -> Rows:
        """Run it in the connection's transaction. Raises KeyError for a missing parameter, and SQLAlchemy's errors."""
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name) or self._compile(dialect)
        parameters = compiled.parameters(given)
        cursor = connection.connection.cursor()
        try:
            for tell in connection.dispatch.before_cursor_execute:
                tell(connection, cursor, compiled.text, parameters, None, False)
            cursor.execute(compiled.text, parameters)
            return compiled.rows(cursor.fetchall() if compiled.row else [])
        except dialect.loaded_dbapi.Error as error:
            # as SQLAlchemy's own: wrapped, told to whoever listens, and a connection that is gone is given up
            connection._handle_dbapi_exception(error, compiled.text, parameters, cursor, None)
            raise
        finally:
            cursor.close()

    def _compile(self, dialect: Dialect) -> _Compiled:
        made: Any = self._statement.compile(dialect=dialect)
        assert not made.post_compile_params, "IN takes words of the program (one_of), a list of values is one parameter"
        names = tuple(made.positiontup or made.params)
        binds = {name: bind for bind, name in made.bind_names.items()}
        to_driver = {name: convert for name in names if (convert := _to_driver(binds[name].type, dialect))}
        fixed = {
            name: to_driver[name](value) if name in to_driver else value
            for name, value in made.params.items()
            if not binds[name].required
        }
        columns = list(getattr(self._statement, "exported_columns", ()))
        converts = [_from_driver(column.type, dialect) for column in columns]
        compiled = self._compiled[dialect.name] = _Compiled(
            text=str(made),
            names=names,
            fixed=fixed,
            to_driver=to_driver,
            is_positional=bool(made.positiontup),
            row=row_of("Row", [str(column.key) for column in columns]) if columns else None,
            from_driver=tuple((place, convert) for place, convert in enumerate(converts) if convert),
        )
        return compiled


def row_of(name: str, columns: Iterable[str]) -> Callable[[Iterable[Any]], Any]:
    """Return what makes rows with these columns."""
    made: Any = namedtuple(name, list(columns), rename=True)  # type: ignore[misc]
    return made._make


def one_of(column: Any, words: Iterable[str]) -> Any:
    """Return the condition that a column holds one of these words of the program; they stand in the text itself."""
    return column.in_([literal_column(f"'{word}'") for word in words])


def _to_driver(kind: Any, dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _from_driver(kind: Any, dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
