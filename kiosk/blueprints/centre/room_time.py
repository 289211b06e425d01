"""The same minutes for everybody of a shift who writes or is paused: first how many that are, then the deed."""

from __future__ import annotations

from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.board import MOST_MINUTES, time_problems
from kiosk.blueprints.centre.day import centre_of, code_of
from kiosk.blueprints.centre.shifts import own_shift
from kiosk.services import centre_reports, rooms
from kiosk.services.centre_reports import Filters
from kiosk.services.slots import BulkReport
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.once import once
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, needs, user_may


@bp.get("/shifts/<uuid:shift_id>/time")
@needs("time.grant_short")
def room_time_form(shift_id: UUID) -> ResponseReturnValue:
    """Ask how many minutes, and why; say who would get them."""
    return _page(shift_id, {}, 200)


@bp.post("/shifts/<uuid:shift_id>/time")
@needs("time.grant_short")
def room_time(shift_id: UUID) -> ResponseReturnValue:
    """Add the minutes."""
    problems = time_problems()
    if problems:
        return _page(shift_id, problems, 422)
    seconds, reports = int(request.form["minutes"]) * 60, list[BulkReport]()
    if once(lambda: reports.append(_add(shift_id, seconds, request.form["reason"], dry_run=False))):
        _say(reports[0])
    else:
        flash(_("That was done already: the form came twice. Nobody got the time a second time."), "ok")
    return go_to("centre.board", shift=shift_id, **code_of(centre_of(own_shift(shift_id).centre_id)))


def _say(done: BulkReport) -> None:
    minutes = ngettext("%(num)s minute", "%(num)s minutes", int(request.form["minutes"]))
    got = ngettext(
        "%(num)s candidate got %(minutes)s more.",
        "%(num)s candidates got %(minutes)s more.",
        done.changed,
        minutes=minutes,
    )
    flash(got, "ok" if done.changed else "warn")
    if done.skipped["over_limit"]:
        flash(
            _("%(num)s would have more than you may grant. Ask the centre admin.", num=done.skipped["over_limit"]),
            "warn",
        )


def _page(shift_id: UUID, problems: dict[str, str], status: int) -> ResponseReturnValue:
    shown = own_shift(shift_id)
    centre = centre_of(shown.centre_id)
    page = render_template(
        "centre/_room_time.html" if is_htmx() else "centre/room_time.html",
        shown=shown,
        centre=centre,
        code=code_of(centre),
        report=_add(shift_id, 60, "", dry_run=True),
        most_minutes=MOST_MINUTES,
        problems=problems,
        typed=request.form,
    )
    return page, status


def _add(shift_id: UUID, seconds: int, reason: str, *, dry_run: bool) -> BulkReport:
    ids = centre_reports.matching_ids(own_shift(shift_id).centre_id, Filters(shift=shift_id))
    return rooms.add_time(
        ids,
        seconds,
        reason=reason,
        is_short=not user_may("time.grant"),
        by=current_actor(),
        now=arrived_at(),
        dry_run=dry_run,
    )
