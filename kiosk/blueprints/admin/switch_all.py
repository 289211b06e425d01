"""One set label for all trades at once, with exceptions: choose, see the numbers, give a reason, do it."""

from __future__ import annotations

from flask import render_template, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from kiosk.blueprints.admin import bp
from kiosk.errors import BadInput, KioskError, WritingNow
from kiosk.models.papers import PAPER_TYPES
from kiosk.services import set_reports, switching_all
from kiosk.services.system import settings
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, needs
from kiosk.web.staff_pages import search_text, uuid_or_none


@bp.get("/sets/all")
@needs("set.activate")
def switch_all_preview() -> ResponseReturnValue:
    """Show which trades would get the label, and what that would do."""
    return _page(request.args)


@bp.post("/sets/all")
@needs("set.activate")
def switch_all() -> ResponseReturnValue:
    """Make the label's set the active one for every trade that was left ticked."""
    form = request.form
    paper_type, label = _paper_type(form), search_text(form.get("label", ""))
    ticked = {uuid_or_none(one) for one in form.getlist("trade")}
    organisation_id = current_staff().organisation_id
    everybody = switching_all.plan(organisation_id, paper_type, label)
    without = {trade_id for row in everybody for trade_id in row.trade_ids if trade_id not in ticked}
    rows = switching_all.plan(organisation_id, paper_type, label, without=without)
    try:
        done = switching_all.switch(
            rows,
            organisation_id=organisation_id,
            keep_running=form.get("mode") == "finish",
            reason=form.get("reason", ""),
            word=form.get("word", "").strip(),
            seen=form.get("seen", type=int),
            by=current_actor(),
            now=arrived_at(),
        )
    except WritingNow as error:
        words = _("%(count)s are writing. Type %(word)s to stop them, or let them finish.", **error.details)
        return _page(form, status=409, problems={"word": words})
    except BadInput as error:
        return _page(form, status=422, problems={"trade": error.sentence})
    except KioskError as error:
        return _page(form, status=error.status, problems={"reason": error.sentence})
    session["switch_report"] = {
        "trade": label,
        "paper_type": paper_type,
        "activations": done.activations,
        "cancelled": done.cancelled,
        "kept": form.get("mode") == "finish",
    }
    return go_to("admin.active_sets")


def _paper_type(values: MultiDict[str, str]) -> str:
    given = values.get("paper", "")
    return given if given in PAPER_TYPES else "primary"


def _page(
    values: MultiDict[str, str], *, status: int = 200, problems: dict[str, str] | None = None
) -> ResponseReturnValue:
    organisation_id, paper_type = current_staff().organisation_id, _paper_type(values)
    labels = switching_all.labels(organisation_id, paper_type)
    label = search_text(values.get("label", ""))
    rows = switching_all.plan(organisation_id, paper_type, label) if label in labels else []
    ticked = set(values.getlist("trade")) if values.get("seen") is not None else None
    page = render_template(
        "admin/_switch_all.html" if is_htmx() else "admin/switch_all.html",
        paper_type=paper_type,
        labels=labels,
        label=label if label in labels else "",
        rows=rows,
        ticked=ticked,
        names={row.trade_id: row.trade_code for row in set_reports.active_sets(organisation_id)},
        writing=switching_all.writing(rows),
        typed=values,
        problems=problems or {},
        now=arrived_at(),
        zone=settings().time_zone,
    )
    return page, status
