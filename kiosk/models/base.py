"""`Model`: what type checkers see as the declarative base and Flask-SQLAlchemy as its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.extensions import Base, db

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


def one_of(column: str, *values: str) -> str:
    """Return the SQL of a CHECK that `column` holds one of `values`."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"
