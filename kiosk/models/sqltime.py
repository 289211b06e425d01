"""Time arithmetic that both databases understand."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class milliseconds_between(GenericFunction[float]):
    """Milliseconds from the first instant to the second."""

    type = Float()
    inherit_cache = True


@compiles(milliseconds_between, "postgresql")
def _postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    earlier, later = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(EXTRACT(EPOCH FROM ({later}) - ({earlier})) * 1000)"


@compiles(milliseconds_between, "sqlite")
def _sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    earlier, later = (compiler.process(clause, **kw) for clause in element.clauses)
    # julianday is a float of days: good to a twentieth of a millisecond
    return f"((julianday({later}) - julianday({earlier})) * 86400000.0)"
