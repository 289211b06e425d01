"""Nothing is served while a migration is pending, but the word that it is."""

from __future__ import annotations

from flask import Flask, current_app, request

from kiosk.errors import MigrationPending
from kiosk.services import schema

ALWAYS_OPEN = ("static", "health.healthz", "health.readyz", "health.metrics")


def init_app(app: Flask) -> None:
    """Check at each request until the schema was once found up to date."""
    app.before_request(_refuse_while_pending)


def _refuse_while_pending() -> None:
    if current_app.extensions.get("schema_is_current") or request.endpoint in ALWAYS_OPEN:
        return
    if schema.pending_migrations():
        raise MigrationPending
    current_app.extensions["schema_is_current"] = True
