"""What staff do to slots, one by one or in bulk: first a preview with numbers, then the deed and its report."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import render_template, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.forms import choice_from, chosen_ids, query_of, reason_problem
from kiosk.blueprints.centre.scope import current_centre
from kiosk.services import centre_reports, slot_jobs
from kiosk.services.candidate_search import PAUSED
from kiosk.services.slot_jobs import Ask
from kiosk.services.slots import BulkReport
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, needs, user_may

MOST_AT_ONCE = 1000  # candidates; for more a worker does it, while a page shows how far it is


@dataclass(frozen=True)
class Action:
    """One thing that can be done: who may, whether it needs a reason, and the word to type when people write.

    What `is_harmless` is done even if the numbers of the preview are no longer so: a fire alarm does not wait.
    """

    name: str
    capability: str
    needs_reason: bool = False
    word: str = ""
    is_harmless: bool = False

    def look_ahead(self, ids: list[UUID]) -> BulkReport:
        """Say what it would do; nothing changes."""
        return slot_jobs.RUNS[self.name](ids, "", current_actor(), arrived_at(), True)


ACTIONS = (
    Action("assign", "slot.assign"),
    Action("reassign", "slot.reassign", needs_reason=True, word="REASSIGN"),
    Action("clear", "session.clear", needs_reason=True, word="CLEAR"),
    Action("reset", "slot.reset", needs_reason=True, word="RESET"),
    Action("pause", "attempt.pause", needs_reason=True, is_harmless=True),
    Action("resume", "attempt.pause", is_harmless=True),
)


def offered(names: Collection[str] | None = None) -> list[Action]:
    """Return what the signed-in staff member may do, of these actions or of all."""
    return [one for one in ACTIONS if (names is None or one.name in names) and user_may(one.capability)]


def remembered_offers() -> Callable[..., list[Action]]:
    """Return `offered` for a list: what this staff member may do is worked out once for all its rows."""
    mine = offered()
    return lambda names=None: mine if names is None else [one for one in mine if one.name in names]


def _add_routes(action: Action) -> None:
    @needs(action.capability)
    def preview() -> ResponseReturnValue:
        return _preview(action, request.args)

    @needs(action.capability)
    def perform() -> ResponseReturnValue:
        return _perform(action)

    bp.add_url_rule(f"/slots/{action.name}", f"{action.name}_preview", preview, methods=["GET"])
    bp.add_url_rule(f"/slots/{action.name}", action.name, perform, methods=["POST"])


for _action in ACTIONS:
    _add_routes(_action)


def _preview(
    action: Action, values: Any, *, status: int = 200, problems: dict[str, str] | None = None
) -> ResponseReturnValue:
    """Say with numbers what the action would do; nothing has changed yet."""
    centre, choice = current_centre(), choice_from(values)
    ids = chosen_ids(choice, centre)
    report = action.look_ahead(ids)
    page = render_template(
        "centre/_preview.html" if is_htmx() else "centre/preview.html",
        action=action,
        centre=centre,
        choice=choice,
        count=len(ids),
        who=centre_reports.name_of(ids[0]) if len(ids) == 1 else None,
        hand_in=centre_reports.hand_in_of(ids[0]) if len(ids) == 1 else None,
        report=report,
        seen=_seen(report),
        now=arrived_at(),
        query=query_of(choice.filters, centre),
        problems=problems or {},
        typed=values,
    )
    return page, status if ids else 422


def _perform(action: Action) -> ResponseReturnValue:
    """Do it, unless the form is incomplete or what was previewed is no longer so."""
    centre, choice = current_centre(), choice_from(request.form)
    ids = chosen_ids(choice, centre)
    ahead = action.look_ahead(ids)
    if not action.is_harmless and request.form.get("seen") != _seen(ahead):
        changed = _("The numbers changed in the meantime. Nothing was done; look at them again.")
        return _preview(action, request.form, status=409, problems={"numbers": changed})
    problems = _problems(action, ahead)
    if problems or not ids:
        return _preview(action, request.form, status=422, problems=problems)
    ask = Ask(action.name, tuple(ids), request.form.get("reason", ""), current_staff().organisation_id, centre)
    if len(ids) > MOST_AT_ONCE and not action.is_harmless:
        return go_to("centre.job", job_id=slot_jobs.order(ask, by=current_actor(), now=arrived_at()))
    _keep_report(ask)
    if request.form.get("back") == "board":
        return go_to("centre.board", centre=query_of(choice.filters, centre).get("centre"), shift=choice.filters.shift)
    # whoever goes on is not paused any more: the list of the paused would be empty
    gone = {"slot": ""} if choice.filters.slot == PAUSED else {}
    return go_to("centre.candidates", **query_of(choice.filters, centre, **gone))


def _keep_report(ask: Ask) -> None:
    """Do it now, and keep for the next page what was done; of several candidates a report on each stays."""
    done, job_id = slot_jobs.do_now(ask, by=current_actor(), now=arrived_at())
    session["slot_report"] = {
        "action": ask.action,
        "changed": done.changed,
        "cancelled": done.sessions_cancelled,
        "skipped": dict(done.skipped),
        "job": str(job_id or ""),
    }


def _problems(action: Action, ahead: BulkReport) -> dict[str, str]:
    found = {}
    wrong_reason = reason_problem(request.form.get("reason", "")) if action.needs_reason else None
    if wrong_reason:
        found["reason"] = wrong_reason
    if action.word and ahead.writing and request.form.get("word", "").strip() != action.word:
        found["word"] = _("Type %(word)s in capital letters to go on.", word=action.word)
    return found


def _seen(report: BulkReport) -> str:
    """The numbers that a preview showed, to be compared when the answer comes."""
    states = ",".join(f"{status}:{count}" for status, count in sorted(report.by_status.items()))
    return f"{report.changed};{report.writing};{states}"
