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

from sqlalchemy import Dialect, Executable, bindparam, insert, literal, literal_column
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


@dataclass
class _Compiled:
    """A statement as one kind of database is given it."""

    text: str
    names: tuple[str, ...]
    fixed: dict[str, Any]
    to_driver: dict[str, Convert]
    is_positional: bool
    row: Callable[..., Any] | None
    from_driver: tuple[tuple[int, Convert], ...] | None = None  # known once the driver has said what it gives

    def parameters(self, given: Mapping[str, Any]) -> Any:
        """Return what the driver is given. Raises KeyError for a parameter without a value."""
        fixed, to_driver = self.fixed, self.to_driver
        found = {
            name: fixed[name] if name in fixed else to_driver[name](given[name]) if name in to_driver else given[name]
            for name in self.names
        }
        return tuple(map(found.__getitem__, self.names)) if self.is_positional else found

    def rows(self, cursor: Any, kinds: Sequence[Any], dialect: Dialect) -> Rows:
        """Return the driver's rows as they are meant, by the types of their columns."""
        if self.row is None:
            return Rows()
        if self.from_driver is None:
            converts = [
                _from_driver(kind, dialect, said[1]) for kind, said in zip(kinds, cursor.description, strict=True)
            ]
            self.from_driver = tuple((place, convert) for place, convert in enumerate(converts) if convert)
        made = Rows()
        for values in cursor.fetchall():
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
        columns = list(getattr(statement, "exported_columns", ()))
        self._names, self._kinds = [str(column.key) for column in columns], [column.type for column in columns]
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, given: Mapping[str, Any] | list[dict[str, Any]]) -> Rows:
        """Run it in the connection's transaction, with a list once for each of it, which returns nothing.

        Raises KeyError for a missing parameter, and SQLAlchemy's errors.
        """
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name) or self._compile(dialect)
        parameters: Any
        if is_many := isinstance(given, list):
            parameters = [compiled.parameters(each) for each in given]
        else:
            parameters = compiled.parameters(given)
        cursor = connection.connection.cursor()
        try:
            for tell in connection.dispatch.before_cursor_execute:
                tell(connection, cursor, compiled.text, parameters, None, is_many)
            if is_many:
                cursor.executemany(compiled.text, parameters)
                return Rows()
            cursor.execute(compiled.text, parameters)
            return compiled.rows(cursor, self._kinds, dialect)
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
        to_driver = {name: convert for name in names if (convert := for_driver(binds[name].type, dialect))}
        fixed = {
            name: to_driver[name](value) if name in to_driver else value
            for name, value in made.params.items()
            if not binds[name].required
        }
        compiled = self._compiled[dialect.name] = _Compiled(
            text=str(made),
            names=names,
            fixed=fixed,
            to_driver=to_driver,
            is_positional=bool(made.positiontup),
            row=row_of("Row", self._names) if self._names else None,
        )
        return compiled


class Tables:
    """Whole rows of several tables in one statement, as plain values.

    What an ORM adds to objects that are only looked at takes longer than to read them.
    """

    def __init__(self, **models: Any) -> None:
        """Name the models; the first column of each is its key."""
        self.columns = [
            column.label(f"{name}_{column.key}") for name, model in models.items() for column in model.__table__.c
        ]
        self._parts: list[tuple[str, int, int, Callable[[Iterable[Any]], Any]]] = []
        begin = 0
        for name, model in models.items():
            names = [column.key for column in model.__table__.c]
            self._parts.append((name, begin, begin + len(names), row_of(model.__name__, names)))
            begin += len(names)

    def of(self, row: Any) -> dict[str, Any]:
        """Return each table's row out of one that begins with all of them; None where none was joined."""
        return {
            name: make(row[begin:end]) if row[begin] is not None else None for name, begin, end, make in self._parts
        }


def insert_into(table: Any, names: Iterable[str], **computed: Any) -> Prepared:
    """Return the statement that inserts a row: these columns are given, others are computed or as the table says."""
    given = {name: bindparam(name, type_=table.c[name].type) for name in names}
    usual = {
        column.key: literal(column.default.arg, column.type)
        for column in table.c
        if column.default is not None and column.default.is_scalar and column.key not in given | computed
    }
    return Prepared(insert(table).values(usual | given | computed))


def row_of(name: str, columns: Iterable[str]) -> Callable[[Iterable[Any]], Any]:
    """Return what makes rows with these columns."""
    made: Any = namedtuple(name, list(columns), rename=True)  # type: ignore[misc]
    return made._make


def one_of(column: Any, words: Iterable[str]) -> Any:
    """Return the condition that a column holds one of these words of the program; they stand in the text itself."""
    return column.in_([literal_column(f"'{word}'") for word in words])


def for_driver(kind: Any, dialect: Dialect) -> Convert | None:
    """Return what makes values of this type ready for the driver; None where they go as they are."""
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _from_driver(kind: Any, dialect: Dialect, driver_kind: Any) -> Convert | None:
    return kind.dialect_impl(dialect).result_processor(dialect, driver_kind)
