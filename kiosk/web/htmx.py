"""What HTMX and plain forms need differently: where to go next, and when to ask again."""

from __future__ import annotations

import random
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

POLL_MS = (7500, 8500)  # about 8 s, jittered per page so that a hall does not ask in step
WAITING_MS = 10_000
LAST_SECONDS_MS = 1000


def is_htmx() -> bool:
    """Whether a script asks and wants a fragment, not a page."""
    return "HTTP_HX_REQUEST" in request.environ


def go_to(endpoint: str, *, status: int = 200, **values: Any) -> ResponseReturnValue:
    """Send the whole browser window to `endpoint`: a header for HTMX, else 303 after a POST as after a GET."""
    return go_to_address(url_for(endpoint, **values), status=status)


def go_to_address(address: str, *, status: int = 200) -> ResponseReturnValue:
    """Send the whole browser window to one of our addresses, as `go_to` does."""
    if is_htmx():
        return "", status, {"HX-Redirect": address}
    return redirect(address, 303)


def poll_ms(remaining_ms: int | None = None) -> int:
    """Milliseconds until a page that heard nothing asks again; each second once the time has run out."""
    if remaining_ms == 0:
        return LAST_SECONDS_MS
    return random.randint(*POLL_MS)  # noqa: S311  spreads load, guards nothing
