"""Rows of the database as a test changes them under the code, and as they are now."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from kiosk.extensions import db, transaction


def change(model: Any, **values: Any) -> None:
    """Change every row of a table: an organisation's rule or a candidate's data."""
    with transaction():
        db.session.execute(update(model).values(**values))


def row(model: Any, **known: Any) -> Any:
    """The one row that has these values, read afresh, or None."""
    db.session.rollback()
    return db.session.execute(
        select(model).filter_by(**known).execution_options(populate_existing=True)
    ).scalar_one_or_none()
