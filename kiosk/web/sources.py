"""Where a request comes from, as far as wrong passwords are counted."""

from __future__ import annotations

from flask import Request

from kiosk.services import tries
from kiosk.services.tries import Source
from kiosk.web import enrolment


def source_of(request: Request) -> Source:
    """Return the source of a request: the enrolled kiosk, where one person at a time sits, else the address.

    Behind an address a whole hall may stand.
    """
    kiosk_id = enrolment.current_kiosk_id()
    return tries.kiosk_source(kiosk_id) if kiosk_id else tries.address_source(request.remote_addr or "")
