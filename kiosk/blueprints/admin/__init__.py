"""The organisation's pages: which set is active, the switch, its history, and results."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("admin", __name__, url_prefix="/admin")

from kiosk.blueprints.admin import (  # noqa: E402, F401
    audit,
    cancelled,
    centres,
    history,
    paper_acts,
    papers,
    results,
    switch,
    switch_all,
    system,
    trades,
    user_acts,
    users,
    views,
)
