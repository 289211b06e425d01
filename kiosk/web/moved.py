"""A kiosk whose candidate was moved says so, until somebody signs in at it or ten minutes have passed."""

from __future__ import annotations

from flask import request, session

from kiosk.web.request_time import arrived_at

MOVED = "moved_to"
LASTS_SECONDS = 600
ANEW = "anew"  # in the address: somebody else wants to sign in here


def remember(seat: str) -> None:
    """Keep for the next pages of this browser, which nobody is signed in at, where its candidate went."""
    session[MOVED] = {"seat": seat, "at": int(arrived_at().timestamp())}


def seat_to_show() -> str | None:
    """Return the seat to which this kiosk's last candidate was moved; None if that is no news here (any more)."""
    kept = session.get(MOVED)
    if kept is None or ANEW in request.args:
        return None
    return kept["seat"] if arrived_at().timestamp() - kept["at"] < LASTS_SECONDS else None
