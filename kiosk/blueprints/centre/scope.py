"""Which centre a page is about, and which centres its reader may choose from."""

from __future__ import annotations

from uuid import UUID

from flask import request

from kiosk.capabilities import ORGANISATION_WIDE, Role
from kiosk.errors import NotFound
from kiosk.services import centres
from kiosk.services.centres import CentreView
from kiosk.web.signin import current_staff


def is_bound() -> bool:
    """Whether the staff member belongs to one centre."""
    return Role(current_staff().role) not in ORGANISATION_WIDE


def visible_centres() -> list[CentreView]:
    """Return the centres that the staff member may see: all of the organisation, or the own one."""
    staff = current_staff()
    known = centres.centres(staff.organisation_id)
    return [centre for centre in known if centre.centre_id == staff.centre_id] if is_bound() else known


def centre_and_all() -> tuple[CentreView, list[CentreView]]:
    """Return the centre that the address names, and with it all that may be chosen: one statement for both.

    Without a name it is the first one. Raises NotFound for anybody else's.
    """
    code, known = request.values.get("centre", ""), visible_centres()
    found = next((centre for centre in known if code in ("", centre.code)), None)
    if found is None:
        raise NotFound
    return found, known


def current_centre() -> CentreView:
    """Return the centre that the address names, without a name the first. Raises NotFound for anybody else's."""
    return centre_and_all()[0]


def own_centre_id() -> UUID | None:
    """Return the only centre whose candidates may be seen; None for those who see them all."""
    if not is_bound():
        return None
    centre_id = current_staff().centre_id
    if centre_id is None:
        # staff of a centre without a centre see nobody, rather than everybody
        raise NotFound
    return centre_id
