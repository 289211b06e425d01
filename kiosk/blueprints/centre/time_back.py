"""Time given back to everybody who was writing between two times: the window, its numbers, then the deed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.day import code_of, local_text
from kiosk.blueprints.centre.forms import reason_problem
from kiosk.blueprints.centre.scope import current_centre, is_bound
from kiosk.blueprints.centre.ways_back import board_query, go_to_board_or
from kiosk.errors import KioskError
from kiosk.services import boards, centre_reports, desk_reports, giving_back
from kiosk.services.centres import CentreView
from kiosk.services.desk_reports import DeskRow
from kiosk.services.giving_back import BackReport, Window
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, needs, user_may
from kiosk.web.staff_pages import uuid_or_none


@dataclass(frozen=True)
class Asked:
    """The window of a form, or what is wrong with it."""

    window: Window | None = None
    problem: str = ""


@bp.get("/time")
@needs("time.grant_short")
def time_back() -> ResponseReturnValue:
    """Ask for two times; with both, show who would get how much."""
    asked = _asked(current_centre(), request.args)
    return _page(asked, request.args)


@bp.post("/time")
@needs("time.grant_short")
def give_time_back() -> ResponseReturnValue:
    """Give it."""
    centre = current_centre()
    asked = _asked(centre, request.form)
    wrong = reason_problem(request.form.get("reason", ""))
    if asked.window is None or wrong:
        return _page(asked, request.form, status=422, reason_problem=wrong or "")
    try:
        done = _give(asked.window, reason=request.form["reason"], dry_run=False)
    except KioskError as error:
        return _page(Asked(problem=error.sentence), request.form, status=422)
    flash(
        ngettext("%(num)s candidate got time back.", "%(num)s candidates got time back.", done.changed),
        "ok" if done.changed else "warn",
    )
    return go_to_board_or("centre.candidates", centre=centre, candidate_id=_candidate_id(), values=code_of(centre))


def _page(asked: Asked, values: Any, *, status: int = 200, reason_problem: str = "") -> ResponseReturnValue:
    centre, report = current_centre(), None
    if asked.window is not None:
        try:
            report = _give(asked.window, reason="", dry_run=True)
        except KioskError as error:
            asked = Asked(problem=error.sentence)
    page = render_template(
        "centre/time_back.html",
        centre=centre,
        code="" if is_bound() else centre.code,
        back=board_query(centre),
        person=_person(centre),
        since=_silent_since(centre),
        until=local_text(arrived_at(), centre),
        shifts=centre_reports.shifts(centre.centre_id),
        problem=asked.problem,
        reason_problem=reason_problem,
        report=report,
        typed=values,
    )
    return page, 422 if asked.problem else status


def _give(window: Window, *, reason: str, dry_run: bool) -> BackReport:
    return giving_back.give_back(
        window,
        reason=reason,
        is_short=not user_may("time.grant"),
        by=current_actor(),
        now=arrived_at(),
        dry_run=dry_run,
    )


def _asked(centre: CentreView, values: Any) -> Asked:
    texts = values.get("from", "").strip(), values.get("to", "").strip()
    if not any(texts):
        return Asked()
    shift_id: UUID | None = uuid_or_none(values.get("shift", ""))
    try:
        from_at, to_at = (_instant(text, centre.time_zone) for text in texts)
    except ValueError:
        return Asked(problem=_("Give both times with their dates."))
    person = _person(centre)
    return Asked(Window(centre.centre_id, shift_id, from_at, to_at, person.candidate_id if person else None))


def _candidate_id() -> UUID | None:
    return uuid_or_none(request.values.get("candidate", ""))


def _silent_since(centre: CentreView) -> str:
    """When the page of the one candidate was last heard from, where it is silent now."""
    candidate_id = _candidate_id()
    seat = boards.seat(centre.centre_id, candidate_id, now=arrived_at()) if candidate_id else None
    is_silent = seat is not None and seat.state == "offline"
    return local_text(seat.last_seen_at, centre) if seat and is_silent and seat.last_seen_at else ""


def _person(centre: CentreView) -> DeskRow | None:
    """The one candidate whom the address names; None for a room. Raises NotFound for another centre's."""
    candidate_id = _candidate_id()
    return desk_reports.person(centre.centre_id, candidate_id) if candidate_id else None


def _instant(text: str, zone: str) -> datetime:
    """The time that the centre's clock showed, in UTC. Raises ValueError."""
    given = datetime.fromisoformat(text)
    # years at the edge of the calendar have no UTC
    if given.tzinfo is not None or not 2000 < given.year < 2200:
        raise ValueError(text)
    return given.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
