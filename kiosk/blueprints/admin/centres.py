"""Centres: their pages, and what stands in the way of putting one away."""

from __future__ import annotations

from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from kiosk.blueprints.admin.away import Away
from kiosk.blueprints.admin.centre_forms import CentreForm
from kiosk.blueprints.admin.kept import Kept
from kiosk.models import Centre
from kiosk.services import centres as service
from kiosk.services.system import settings
from kiosk.web.asking import Counted
from kiosk.web.signin import current_staff


def _stands(centre_id: UUID) -> Counted:
    going_on = service.in_use(centre_id)
    words = {"shifts": _("shifts that let people in: close them"), "writing": _("tests that are not handed in")}
    return tuple((going_on[what], said) for what, said in words.items() if going_on[what])


def _code(centre_id: UUID) -> str:
    return service.centre(centre_id, organisation_id=current_staff().organisation_id).values.code


_SAYS = _l("The centre, its shifts and its candidates are offered nowhere any more. Nothing of it is lost.")
Kept(
    "centre",
    service=service,
    form=CentreForm,
    usual=lambda: {"time_zone": settings().time_zone, "seats": 0},
    capability="centre.edit",
)
Away("centre", model=Centre, service=service, says=_SAYS, stands=_stands, name=_code).hang_in("centre.edit")
