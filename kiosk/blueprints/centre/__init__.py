"""The centre's pages: candidates and their slots."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("centre", __name__, url_prefix="/centre")

from kiosk.blueprints.centre import (  # noqa: E402, F401
    actions,
    board,
    check_in,
    coming_back,
    handing_in,
    imports,
    incidents,
    jobs,
    kiosks,
    moving,
    printables,
    record_acts,
    records,
    room_time,
    shift_moves,
    shifts,
    sittings,
    time_back,
    views,
)
