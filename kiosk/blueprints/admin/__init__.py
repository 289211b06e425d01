"""The organisation's pages: which set is active, the switch, its history, and results."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("admin", __name__, url_prefix="/admin")

from kiosk.blueprints.admin import audit, cancelled, results, switch, switch_all, user_acts, users, views  # noqa: E402, F401
