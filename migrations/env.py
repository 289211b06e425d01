"""How migrations run: on the application's own engine, in one transaction each."""

from alembic import context
from flask import current_app

db = current_app.extensions["migrate"].db


def run() -> None:
    """Bring the database to the wanted revision."""
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            transaction_per_migration=True,
            transactional_ddl=True,  # on SQLite too: a migration that fails leaves nothing half done
            **current_app.extensions["migrate"].configure_args,
        )
        raw = connection.connection.dbapi_connection
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:
            # a table that is copied to lose a column is dropped for a moment: what points to it must not mind
            raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with context.begin_transaction():
                context.run_migrations()
        finally:
            if is_sqlite:
                raw.execute("PRAGMA foreign_keys=ON")
        if is_sqlite and (orphans := raw.execute("PRAGMA foreign_key_check").fetchall()):
            raise RuntimeError(f"rows that point to nothing after the migration: {orphans[:5]}")


run()
