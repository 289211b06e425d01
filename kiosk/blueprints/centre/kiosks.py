"""The centre's kiosks: the list, a new one, its one-time code, and taking the enrolment back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.day import centre_of, code_of, local_text, own_centre_ids
from kiosk.blueprints.centre.scope import current_centre, visible_centres
from kiosk.errors import BadInput, KioskError
from kiosk.office_errors import NotNow
from kiosk.services import kiosk_reports
from kiosk.services import kiosks as service
from kiosk.services.centres import CentreView
from kiosk.services.kiosk_reports import KIOSK_SHOWS, KIOSK_SORTS, KioskRow
from kiosk.services.kiosks import KioskNameTaken
from kiosk.services.system import settings
from kiosk.web import lists
from kiosk.web.asking import Ask, add_question
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, needs
from kiosk.web.staff_pages import search_text

COLUMNS = ("name", "seat", "is_enrolled", "enrolled_at", "last_seen_at", "archived_at")


@bp.get("/kiosks", endpoint="kiosks")
@needs("kiosk.see")
def kiosk_list() -> ResponseReturnValue:
    """Show the centre's kiosks."""
    centre, q, show, order = current_centre(), _q(), _show(), lists.order_from(request.args, KIOSK_SORTS)
    return render_template(
        "centre/_kiosks.html" if is_htmx() else "centre/kiosks.html",
        centre=centre,
        centres=visible_centres(),
        q=q,
        show=show,
        order=order,
        query=lists.query_of(order, KIOSK_SORTS, q=q, show=show, **code_of(centre)),
        listed=kiosk_reports.kiosks(centre.centre_id, q=q, show=show, order=order),
        now=arrived_at(),
    )


@bp.get("/kiosks.csv")
@needs("kiosk.see")
def kiosks_file() -> ResponseReturnValue:
    """Return the kiosks that the filters match as a file."""
    centre = current_centre()
    order = lists.all_of(lists.order_from(request.args, KIOSK_SORTS))
    found = kiosk_reports.kiosks(centre.centre_id, q=_q(), show=_show(), order=order)
    return lists.csv_file("kiosks", COLUMNS, ([_cell(row, name, centre) for name in COLUMNS] for row in found.rows))


@bp.get("/kiosks/new")
@needs("seat.edit")
def new_kiosk() -> ResponseReturnValue:
    """Show the form for a new kiosk."""
    return _page(current_centre(), None, "")


@bp.post("/kiosks/new")
@needs("seat.edit")
def add_kiosk() -> ResponseReturnValue:
    """Add a kiosk."""
    centre = current_centre()
    try:
        kiosk_id = service.add(centre.centre_id, *_typed(), by=current_actor(), now=arrived_at())
    except (BadInput, KioskNameTaken) as error:
        return _page(centre, None, error.sentence), error.status
    flash(_("The kiosk is added. Give it a code and enter that code on the machine."), "ok")
    return go_to("centre.kiosk", kiosk_id=kiosk_id)


@bp.get("/kiosks/<uuid:kiosk_id>")
@needs("seat.edit")
def kiosk(kiosk_id: UUID) -> ResponseReturnValue:
    """Show one kiosk."""
    shown = _own(kiosk_id)
    return _page(centre_of(shown.centre_id), shown, "")


@bp.post("/kiosks/<uuid:kiosk_id>")
@needs("seat.edit")
def edit_kiosk(kiosk_id: UUID) -> ResponseReturnValue:
    """Change a kiosk's name and seat."""
    shown = _own(kiosk_id)
    try:
        service.rename(kiosk_id, *_typed(), by=current_actor(), now=arrived_at())
    except (BadInput, KioskNameTaken) as error:
        return _page(centre_of(shown.centre_id), shown, error.sentence), error.status
    flash(_("The kiosk is changed."), "ok")
    return go_to("centre.kiosk", kiosk_id=kiosk_id)


@bp.post("/kiosks/<uuid:kiosk_id>/code")
@needs("seat.edit")
def kiosk_code(kiosk_id: UUID) -> ResponseReturnValue:
    """Make a one-time code and show it, this once."""
    shown = _own(kiosk_id)
    code = service.new_code(kiosk_id, by=current_actor(), now=arrived_at())
    return _page(centre_of(shown.centre_id), _own(kiosk_id), "", code=code)


def _page(centre: CentreView, shown: KioskRow | None, problem: str, *, code: str = "") -> str:
    return render_template(
        "centre/kiosk.html",
        centre=centre,
        query=code_of(centre),
        shown=shown,
        problem=problem,
        typed=request.form if "name" in request.form else {},
        code=f"{code[:4]} {code[4:]}" if code else "",
        enrol_at=settings().public_url + url_for("enrol.page"),
        now=arrived_at(),
        address=url_for("centre.edit_kiosk", kiosk_id=shown.kiosk_id) if shown else url_for("centre.add_kiosk"),
    )


def _own(kiosk_id: UUID) -> KioskRow:
    return kiosk_reports.kiosk(kiosk_id, centre_ids=own_centre_ids())


def _typed() -> tuple[str, str]:
    return request.form.get("name", ""), request.form.get("seat", "")


def _q() -> str:
    return search_text(request.args.get("q", ""))


def _show() -> str:
    show = request.args.get("show", "")
    return show if show in KIOSK_SHOWS else ""


def _cell(row: KioskRow, name: str, centre: CentreView) -> Any:
    value = getattr(row, name)
    return local_text(value, centre) if name.endswith("_at") and value else value


def _ask_revoke(kiosk_id: UUID) -> Ask:
    shown = _own(kiosk_id)
    return Ask(
        title=_("Take the enrolment of %(name)s back?", name=shown.name),
        go=_("Take it back"),
        back=url_for("centre.kiosk", kiosk_id=kiosk_id),
        nav="kiosks",
        says=(
            _("The machine is no kiosk of the centre then. Whoever writes there goes on; nothing new starts there."),
        ),
        is_danger=True,
    )


def _revoke(kiosk_id: UUID, reason: str) -> ResponseReturnValue:
    shown = _own(kiosk_id)
    try:
        service.revoke(kiosk_id, reason=reason, by=current_actor(), now=arrived_at())
    except KioskError as error:
        raise NotNow(problem=error.sentence) from error
    flash(_("%(name)s is no longer enrolled.", name=shown.name), "ok")
    return go_to("centre.kiosk", kiosk_id=kiosk_id)


def _ask_archive(kiosk_id: UUID) -> Ask:
    shown = _own(kiosk_id)
    return Ask(
        title=_("Put %(name)s away?", name=shown.name),
        go=_("Put it away"),
        back=url_for("centre.kiosk", kiosk_id=kiosk_id),
        nav="kiosks",
        says=(_("Its enrolment ends, and its name and seat are free for another machine."),),
        is_danger=True,
    )


def _archive(kiosk_id: UUID, reason: str) -> ResponseReturnValue:
    shown = _own(kiosk_id)
    try:
        service.archive(kiosk_id, reason=reason, by=current_actor(), now=arrived_at())
    except KioskError as error:
        raise NotNow(problem=error.sentence) from error
    flash(_("%(name)s is put away.", name=shown.name), "ok")
    return go_to("centre.kiosks", **code_of(centre_of(shown.centre_id)))


add_question(bp, "/kiosks/<uuid:kiosk_id>/revoke", "kiosk_revoke", "seat.edit", _ask_revoke, _revoke)
add_question(bp, "/kiosks/<uuid:kiosk_id>/archive", "kiosk_archive", "seat.edit", _ask_archive, _archive)
