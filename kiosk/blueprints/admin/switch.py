"""The switch: choose a set, see with numbers what would happen, give a reason, do it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import render_template, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.admin import bp
from kiosk.blueprints.admin.forms import SwitchForm, switch_form_from
from kiosk.errors import NotFound, SetNotReady, WritingNow
from kiosk.services import set_reports, sets
from kiosk.services.set_reports import ActiveSet
from kiosk.services.system import settings
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, needs, user_may

ADDRESS = "/sets/<uuid:trade_id>/<any(primary, secondary):paper_type>/switch"


@bp.get(ADDRESS)
@needs("set.see")
def switch_preview(trade_id: UUID, paper_type: str) -> ResponseReturnValue:
    """Show the sets of a paper; with one chosen what activating it would do."""
    return _page(trade_id, paper_type, switch_form_from(request.args))


@bp.post(ADDRESS)
@needs("set.activate")
def switch(trade_id: UUID, paper_type: str) -> ResponseReturnValue:
    """Make the chosen set the active one."""
    form, rows = switch_form_from(request.form), _rows(trade_id, paper_type)
    problems = form.problems()
    if problems or form.set_id is None:
        return _page(trade_id, paper_type, form, status=422, problems=problems)
    trade_ids = _trade_ids(rows, form)
    try:
        _check_paper(form, trade_id, paper_type)
        done = sets.activate(
            form.set_id,
            trade_ids,
            organisation_id=current_staff().organisation_id,
            keep_running=form.keep_running,
            reason=form.reason,
            confirmed=form.confirms(_preview(form, trade_ids)),
            by=current_actor(),
            now=arrived_at(),
        )
    except WritingNow as error:
        if form.word == error.details["word"]:
            words = {"word": _("More people have begun since. Look at the numbers again.")}
        else:
            words = {"word": _("Type %(word)s to stop them, or let them finish.", word=error.details["word"])}
        return _page(trade_id, paper_type, form, status=409, problems=words)
    except SetNotReady as error:
        return _page(trade_id, paper_type, form, status=422, problems={"set": error.sentence})
    session["switch_report"] = {
        "trade": rows[0].trade_code,
        "paper_type": paper_type,
        "activations": done.activations,
        "cancelled": done.cancelled,
        "kept": form.keep_running,
    }
    return go_to("admin.active_sets")


def _page(
    trade_id: UUID, paper_type: str, form: SwitchForm, *, status: int = 200, problems: dict[str, str] | None = None
) -> ResponseReturnValue:
    rows = _rows(trade_id, paper_type)
    preview = None
    if form.set_id and user_may("set.activate"):
        _check_paper(form, trade_id, paper_type)
        preview = _preview(form, _trade_ids(rows, form))
    page = render_template(
        "admin/_switch.html" if is_htmx() else "admin/switch.html",
        row=rows[0],
        others=len(rows) - 1,
        choices=_choices(trade_id, paper_type),
        form=form,
        preview=preview,
        problems=problems or {},
        now=arrived_at(),
        zone=settings().time_zone,
    )
    return page, status


def _rows(trade_id: UUID, paper_type: str) -> list[ActiveSet]:
    """The row of this trade and paper first, then those that share its common paper. Raises NotFound."""
    rows = [row for row in set_reports.active_sets(current_staff().organisation_id) if row.paper_type == paper_type]
    own = next((row for row in rows if row.trade_id == trade_id), None)
    if own is None:
        raise NotFound
    shared = [row for row in rows if own.is_common and row.paper_id == own.paper_id and row.trade_id != trade_id]
    return [own, *shared]


def _choices(trade_id: UUID, paper_type: str) -> list[Any]:
    return set_reports.choices(trade_id, paper_type, organisation_id=current_staff().organisation_id)


def _check_paper(form: SwitchForm, trade_id: UUID, paper_type: str) -> None:
    """Raise NotFound unless the set is one of this paper's: the address says which paper is switched."""
    if form.set_id not in [choice.set_id for choice in _choices(trade_id, paper_type)]:
        raise NotFound


def _trade_ids(rows: list[ActiveSet], form: SwitchForm) -> list[UUID]:
    return [row.trade_id for row in (rows if form.is_for_all else rows[:1])]


def _preview(form: SwitchForm, trade_ids: list[UUID]) -> sets.SwitchPreview:
    assert form.set_id is not None
    return sets.preview(form.set_id, trade_ids, organisation_id=current_staff().organisation_id)
