"""Nothing is served while a migration is pending or nobody has set anything up, but the word that it is so."""

from __future__ import annotations

from flask import Flask, current_app, request

from kiosk.errors import MigrationPending, NotSetUp
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
    if schema.is_empty():
        raise NotSetUp
    current_app.extensions["schema_is_current"] = True
