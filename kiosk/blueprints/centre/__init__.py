"""The centre's pages: candidates and their slots."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("centre", __name__, url_prefix="/centre")

from kiosk.blueprints.centre import actions, board, coming_back, imports, jobs, printables, sittings, time_back, views  # noqa: E402, F401
