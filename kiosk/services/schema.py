"""The schema: which migrations the code knows, and which of them the database lacks."""

from __future__ import annotations

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app

from kiosk.extensions import db


def pending_migrations() -> list[str]:
    """Return the revisions that the database lacks, oldest first; a newer, unknown schema counts as one."""
    current, known = current_revision(), known_revisions()
    if current is None:
        return known
    if current not in known:
        return [f"{current} is newer than this program"]
    return known[known.index(current) + 1 :]


def current_revision() -> str | None:
    """Return the database's revision; None for one without tables."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def known_revisions() -> list[str]:
    """Return the revisions that the code knows, oldest first."""
    scripts = ScriptDirectory(current_app.config["MIGRATIONS_DIR"])
    return [script.revision for script in scripts.walk_revisions()][::-1]


def is_empty() -> bool:
    """Whether nobody has made an organisation yet."""
    from kiosk.models import Organisation

    return db.session.query(Organisation.id).first() is None
