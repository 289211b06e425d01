"""Incidents: the list, a new one, and the time that one cost given back in one step."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.day import centre_of, code_of, instant_of, local_text, own_centre_ids, whole_number
from kiosk.blueprints.centre.scope import current_centre, visible_centres
from kiosk.blueprints.centre.ways_back import board_query, go_to_board_or
from kiosk.errors import KioskError
from kiosk.office_errors import NotNow
from kiosk.services import desk_reports, kiosk_reports
from kiosk.services import incidents as service
from kiosk.services.centres import CentreView
from kiosk.services.desk_reports import DeskRow
from kiosk.services.incidents import KINDS, MOST_SECONDS, Told, WrongIncident
from kiosk.services.kiosk_reports import INCIDENT_SORTS, IncidentRow
from kiosk.web import lists
from kiosk.web.asking import Ask, add_question
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, needs, user_may
from kiosk.web.staff_pages import search_text, uuid_or_none

COLUMNS = (
    "happened_at", "kind", "service_no", "name", "words", "seconds_lost", "seconds_granted", "written_at", "written_by",
)  # fmt: skip


@bp.get("/incidents", endpoint="incidents")
@needs("centre.see")
def incident_list() -> ResponseReturnValue:
    """Show what happened in the centre, the newest first."""
    centre, q, kind, order = current_centre(), _q(), _kind(), _order()
    return render_template(
        "centre/_incidents.html" if is_htmx() else "centre/incidents.html",
        centre=centre,
        centres=visible_centres(),
        q=q,
        kind=kind,
        kinds=KINDS,
        order=order,
        query=lists.query_of(order, INCIDENT_SORTS, q=q, kind=kind, **code_of(centre)),
        listed=kiosk_reports.incidents(centre.centre_id, q=q, kind=kind, order=order),
    )


@bp.get("/incidents.csv")
@needs("centre.see")
def incidents_file() -> ResponseReturnValue:
    """Return the incidents that the filters match as a file."""
    centre = current_centre()
    found = kiosk_reports.incidents(centre.centre_id, q=_q(), kind=_kind(), order=lists.all_of(_order()))
    return lists.csv_file("incidents", COLUMNS, ([_cell(row, name, centre) for name in COLUMNS] for row in found.rows))


@bp.get("/incidents/new")
@needs("incident.write")
def new_incident() -> ResponseReturnValue:
    """Show the form, with the candidate of the address."""
    centre, asked = current_centre(), uuid_or_none(request.args.get("candidate", ""))
    person = desk_reports.person(centre.centre_id, asked) if asked else None
    return _page(centre, {"service_no": person.service_no if person else ""}, {})


@bp.post("/incidents/new")
@needs("incident.write")
def write_incident() -> ResponseReturnValue:
    """Write an incident, and give the time back where that was ticked."""
    centre, number = current_centre(), request.form.get("service_no", "").strip()[:80]
    person = desk_reports.scanned(centre.centre_id, number) if number else None
    problems = _problems(centre, number, person)
    if problems:
        return _page(centre, request.form, problems), 422
    try:
        service.write(
            centre.centre_id,
            _told(centre, person),
            grants_time=request.form.get("grant") == "1",
            is_short=not user_may("time.grant"),
            by=current_actor(),
            now=arrived_at(),
        )
    except KioskError as error:
        field = error.field if isinstance(error, WrongIncident) else "minutes"
        return _page(centre, request.form, {field: error.sentence}), error.status
    flash(_("The incident is written."), "ok")
    candidate_id = person.candidate_id if person else None
    return go_to_board_or("centre.incidents", centre=centre, candidate_id=candidate_id, values=code_of(centre))


def _told(centre: CentreView, person: DeskRow | None) -> Told:
    happened_at = instant_of(request.form.get("happened_at", ""), centre)
    assert happened_at is not None
    minutes = whole_number(request.form.get("minutes", "") or "0", most=MOST_SECONDS // 60) or 0
    return Told(
        kind=request.form.get("kind", ""),
        words=request.form.get("words", ""),
        happened_at=happened_at,
        seconds_lost=minutes * 60,
        candidate_id=person.candidate_id if person else None,
    )


def _problems(centre: CentreView, number: str, person: DeskRow | None) -> dict[str, str]:
    """What can't be read; what can't be so is the service's matter."""
    found = {}
    if number and person is None:
        found["service_no"] = _("Nobody in this centre has the number %(number)s.", number=number)
    if instant_of(request.form.get("happened_at", ""), centre) is None:
        found["happened_at"] = _("Give a time within the last seven days.")
    if whole_number(request.form.get("minutes", "") or "0", most=MOST_SECONDS // 60) is None:
        found["minutes"] = _("Give whole minutes, from 0 to %(most)s.", most=MOST_SECONDS // 60)
    return found


def _page(centre: CentreView, typed: Any, problems: dict[str, str]) -> str:
    return render_template(
        "centre/incident.html",
        centre=centre,
        query=code_of(centre),
        back=board_query(centre),
        typed=typed,
        problems=problems,
        kinds=[kind for kind in KINDS if kind != service.MOVED],
        happened_at=typed.get("happened_at") or local_text(arrived_at(), centre),
    )


def _order() -> Any:
    order = lists.order_from(request.args, INCIDENT_SORTS)
    # without a wish the newest come first
    return order if "sort" in request.args else type(order)(order.sort, True, order.page)


def _q() -> str:
    return search_text(request.args.get("q", ""))


def _kind() -> str:
    kind = request.args.get("kind", "")
    return kind if kind in KINDS else ""


def _cell(row: IncidentRow, name: str, centre: CentreView) -> Any:
    value = getattr(row, name)
    return local_text(value, centre) if name.endswith("_at") and value else value


def _own(incident_id: UUID) -> IncidentRow:
    return kiosk_reports.incident(incident_id, centre_ids=own_centre_ids())


def _ask_grant(incident_id: UUID) -> Ask:
    shown = _own(incident_id)
    return Ask(
        title=_("Give %(name)s the lost time back?", name=shown.name or "–"),
        go=_("Give the time back"),
        back=url_for("centre.incidents", **code_of(centre_of(shown.centre_id))),
        nav="incidents",
        says=(shown.words,),
        numbers=((-(-shown.seconds_lost // 60), _("minutes, at most, are added to the test that is open")),),
        stands=() if shown.may_grant else ((0, _("seconds that could still be given back to an open test")),),
        needs_reason=False,
    )


def _grant(incident_id: UUID, _reason: str) -> ResponseReturnValue:
    shown = _own(incident_id)
    try:
        service.grant(incident_id, is_short=not user_may("time.grant"), by=current_actor(), now=arrived_at())
    except KioskError as error:
        raise NotNow(problem=error.sentence) from error
    flash(_("%(name)s got %(seconds)s s back.", name=shown.name, seconds=shown.seconds_lost), "ok")
    return go_to("centre.incidents", **code_of(centre_of(shown.centre_id)))


add_question(bp, "/incidents/<uuid:incident_id>/grant", "incident_grant", "time.grant_short", _ask_grant, _grant)
