"""Where a request comes from, as far as wrong passwords are counted."""

from __future__ import annotations

from flask import Request

from kiosk.services import tries
from kiosk.services.tries import Source


def source_of(request: Request) -> Source:
    """Return the source of a request.

    An enrolled kiosk will be known by its signed cookie and counted for itself (`tries.kiosk_source`); until a request
    carries one, it is its address, behind which a whole hall may stand.
    """
    return tries.address_source(request.remote_addr or "")
