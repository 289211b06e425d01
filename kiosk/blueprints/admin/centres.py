"""Centres: the list, one centre, a new one. Putting it away stands in `away`."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from kiosk.blueprints.admin import bp
from kiosk.blueprints.admin.away import Away
from kiosk.blueprints.admin.centre_forms import CentreForm, state_from
from kiosk.models import Centre
from kiosk.office_errors import WrongField
from kiosk.services import centres as service
from kiosk.services.centres import SORTS, CentreRow
from kiosk.services.system import settings
from kiosk.web.asking import Counted
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.lists import all_of, csv_file, order_from, query_of
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, needs
from kiosk.web.staff_pages import search_text


@bp.get("/centres", endpoint="centres")
@needs("centre.edit")
def centre_list() -> ResponseReturnValue:
    """Show the organisation's centres."""
    q, state = search_text(request.args.get("q", "")), state_from(request.args.get("state", ""))
    order = order_from(request.args, SORTS)
    return render_template(
        "admin/_centres.html" if is_htmx() else "admin/centres.html",
        q=q,
        state=state,
        order=order,
        query=query_of(order, SORTS, q=q, state={"active": "", "": "all"}.get(state, state)),
        listed=service.kept(current_staff().organisation_id, q=q, state=state, order=order),
    )


@bp.get("/centres.csv")
@needs("centre.edit")
def centres_file() -> ResponseReturnValue:
    """Return the centres that the filters match as a file."""
    found = service.kept(
        current_staff().organisation_id,
        q=search_text(request.args.get("q", "")),
        state=state_from(request.args.get("state", "")),
        order=all_of(order_from(request.args, SORTS)),
    )
    head = (*CentreForm().values().__dataclass_fields__, "candidates", "archived")
    rows = [(*asdict(one.values).values(), one.candidates, one.is_archived) for one in found.rows]
    return csv_file("centres", head, rows)


@bp.get("/centres/new")
@needs("centre.edit")
def new_centre() -> ResponseReturnValue:
    """Show the form for a new centre."""
    return _page(None, CentreForm(formdata=None, data={"time_zone": settings().time_zone, "seats": 0}))


@bp.post("/centres/new")
@needs("centre.edit")
def add_centre() -> ResponseReturnValue:
    """Add a centre."""
    form = CentreForm()
    if form.validate():
        try:
            made = service.create(current_staff().organisation_id, form.values(), by=current_actor(), now=arrived_at())
        except WrongField as error:
            form.mark(error)
        else:
            flash(_("%(name)s is added.", name=form.name.data), "ok")
            return go_to("admin.centre", centre_id=made)
    return _page(None, form, 422)


@bp.get("/centres/<uuid:centre_id>")
@needs("centre.edit")
def centre(centre_id: UUID) -> ResponseReturnValue:
    """Show one centre with the form to change it."""
    shown = _shown(centre_id)
    return _page(shown, CentreForm(formdata=None, data=asdict(shown.values)))


@bp.post("/centres/<uuid:centre_id>")
@needs("centre.edit")
def edit_centre(centre_id: UUID) -> ResponseReturnValue:
    """Change a centre."""
    shown, form = _shown(centre_id), CentreForm()
    if form.validate():
        try:
            service.edit(
                centre_id,
                form.values(),
                organisation_id=current_staff().organisation_id,
                by=current_actor(),
                now=arrived_at(),
            )
        except WrongField as error:
            form.mark(error)
        else:
            flash(_("Saved."), "ok")
            return go_to("admin.centre", centre_id=centre_id)
    return _page(shown, form, 422)


def _shown(centre_id: UUID) -> CentreRow:
    return service.centre(centre_id, organisation_id=current_staff().organisation_id)


def _page(shown: CentreRow | None, form: CentreForm, status: int = 200) -> ResponseReturnValue:
    return render_template("admin/centre.html", shown=shown, form=form), status


def _stands(centre_id: UUID) -> Counted:
    going_on = service.in_use(centre_id)
    words = {"shifts": _("shifts that let people in: close them"), "writing": _("tests that are not handed in")}
    return tuple((going_on[what], said) for what, said in words.items() if going_on[what])


_SAYS = _l("The centre, its shifts and its candidates are offered nowhere any more. Nothing of it is lost.")
Away("centre", model=Centre, service=service, says=_SAYS, stands=_stands).hang_in("centre.edit")
