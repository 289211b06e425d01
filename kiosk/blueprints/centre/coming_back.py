"""A test that ended is taken up again, restored or reopened: first a look at what would come of it, then the deed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.forms import reason_problem
from kiosk.blueprints.centre.scope import own_centre_id
from kiosk.errors import KioskError, NotFound
from kiosk.services import candidate_reports, grants, reviving
from kiosk.services.candidate_reports import AttemptRow, CandidateView
from kiosk.services.reviving import Revived
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, needs

MOST_MINUTES = grants.MOST_SECONDS // 60


@dataclass(frozen=True)
class Way:
    """One way back: who may, what it would give (or why not), and whether it asks for minutes."""

    name: str
    capability: str
    look: Callable[[UUID], Revived]
    asks_minutes: bool = False


WAYS = (
    Way("restore", "attempt.restore", reviving.time_if_restored),
    Way("reopen", "attempt.reopen", reviving.may_reopen, asks_minutes=True),
)


def _add_routes(way: Way) -> None:
    @needs(way.capability)
    def preview(attempt_id: UUID) -> ResponseReturnValue:
        return _preview(way, attempt_id)

    @needs(way.capability)
    def perform(attempt_id: UUID) -> ResponseReturnValue:
        return _perform(way, attempt_id)

    address = f"/attempts/<uuid:attempt_id>/{way.name}"
    bp.add_url_rule(address, f"{way.name}_preview", preview, methods=["GET"])
    bp.add_url_rule(address, way.name, perform, methods=["POST"])


for _way in WAYS:
    _add_routes(_way)


def _preview(
    way: Way, attempt_id: UUID, *, status: int = 200, problems: dict[str, str] | None = None
) -> ResponseReturnValue:
    """Say what would come of it; where it can't be done, why. Nothing has changed yet."""
    shown, attempt = _found(attempt_id)
    ahead, refusal = None, None
    try:
        ahead = way.look(attempt_id)
    except KioskError as error:
        refusal, status = error.sentence, error.status
    page = render_template(
        "centre/_coming_back.html" if is_htmx() else "centre/coming_back.html",
        way=way,
        shown=shown,
        attempt=attempt,
        ahead=ahead,
        refusal=refusal,
        problems=problems or {},
        typed=request.form,
        zone=shown.centre.time_zone,
        code={} if own_centre_id() else {"centre": shown.centre.code},
        most_minutes=MOST_MINUTES,
    )
    return page, status


def _perform(way: Way, attempt_id: UUID) -> ResponseReturnValue:
    shown, _attempt = _found(attempt_id)
    problems = _problems(way)
    if problems:
        return _preview(way, attempt_id, status=422, problems=problems)
    seen = request.form.get("version", "")
    how: dict[str, Any] = {"reason": request.form["reason"], "by": current_actor(), "now": arrived_at()}
    how["version"] = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else -1
    try:
        if way.asks_minutes:
            reviving.reopen(attempt_id, int(request.form["minutes"]) * 60, **how)
        else:
            reviving.restore(attempt_id, **how)
    except KioskError as error:
        # somebody was quicker: the row as it is now, and why nothing was done
        return _preview(way, attempt_id, status=error.status, problems={"race": error.sentence})
    flash(_("The test of %(name)s is paused. Resume it when the candidate sits at the kiosk.", name=shown.name), "ok")
    return go_to(
        "centre.candidate", candidate_id=shown.candidate_id, centre=None if own_centre_id() else shown.centre.code
    )


def _found(attempt_id: UUID) -> tuple[CandidateView, AttemptRow]:
    """The attempt on its candidate's page. Raises NotFound for another centre's and another organisation's."""
    shown = candidate_reports.candidate(
        reviving.candidate_of(attempt_id), organisation_id=current_staff().organisation_id, centre_id=own_centre_id()
    )
    attempt = next((one for one in shown.attempts if one.attempt_id == attempt_id), None)
    if attempt is None:
        raise NotFound
    return shown, attempt


def _problems(way: Way) -> dict[str, str]:
    found = {}
    wrong_reason = reason_problem(request.form.get("reason", ""))
    if wrong_reason:
        found["reason"] = wrong_reason
    minutes = request.form.get("minutes", "").strip()
    is_number = minutes.isascii() and minutes.isdigit() and len(minutes) < 6 and 0 < int(minutes) <= MOST_MINUTES
    if way.asks_minutes and not is_number:
        found["minutes"] = _("Give whole minutes, from 1 to %(most)s.", most=MOST_MINUTES)
    return found
