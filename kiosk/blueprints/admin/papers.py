"""Papers: the list, the editor with its live sum, a new one. What is done to a whole paper stands in `paper_acts`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from kiosk.blueprints.admin import bp
from kiosk.blueprints.admin.many import Act, Many
from kiosk.blueprints.admin.paper_forms import (
    TYPE_WORDS,
    NewPaperForm,
    PartsForm,
    RulesForm,
    entered_of,
    paper_filters_from,
    trade_choices,
    usual,
)
from kiosk.office_errors import NotNow, WrongField
from kiosk.services import paper_deeds, paper_editor, paper_reports
from kiosk.services.paper_reports import SORTS, PaperView
from kiosk.services.paper_values import LETTERS
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.lists import all_of, csv_file, order_from, query_of
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, needs

# what is done to many papers at once
ACTS = (
    Act(
        "use",
        paper_deeds.USE,
        "check",
        _l("Take into use…"),
        _l("Take the selected papers into use?"),
        _l("Take into use"),
        _l("From now on each is the paper of its trade and type: slots are assigned for it."),
    ),
    Act(
        "archive",
        paper_deeds.ARCHIVE,
        "box",
        _l("Archive…"),
        _l("Archive what is selected?"),
        _l("Archive"),
        _l("Nobody gets a slot for these papers any more. Sets, tests and results stay."),
    ),
)


@bp.get("/papers", endpoint="papers")
@needs("office.see")
def paper_list() -> ResponseReturnValue:
    """Show the organisation's papers."""
    filters, order = paper_filters_from(request.args), order_from(request.args, SORTS)
    return render_template(
        "admin/_papers.html" if is_htmx() else "admin/papers.html",
        **_many.shown(),
        filters=filters,
        order=order,
        query=_query(request.args),
        listed=paper_reports.papers(current_staff().organisation_id, filters, order),
        trades=trade_choices(),
    )


@bp.get("/papers.csv")
@needs("office.see")
def papers_file() -> ResponseReturnValue:
    """Return the papers that are ticked, or that the filters match, as a file."""
    order = all_of(order_from(request.args, SORTS))
    found = paper_reports.papers(current_staff().organisation_id, paper_filters_from(request.args), order)
    head = ("title", "trade", "paper", "status", "minutes", "questions", "written", "practical", "viva", "sets")
    rows = [
        (
            one.title,
            one.trade_code or "",
            one.paper_type,
            one.status,
            one.duration_minutes,
            one.questions,
            one.written_marks,
            one.practical_marks,
            one.viva_marks,
            one.published_sets,
        )
        for one in _many.ticked(found.rows, lambda one: one.paper_id)
    ]
    return csv_file("papers", head, rows)


@bp.get("/papers/sum")
@needs("paper.edit")
def paper_sum() -> ResponseReturnValue:
    """Show what the marks of a form make, while it is filled in; alone it is no page."""
    if not is_htmx():
        return go_to("admin.papers")
    return render_template("admin/_sum.html", structure=PartsForm(request.args).structure())


@bp.get("/papers/new")
@needs("paper.edit")
def new_paper() -> ResponseReturnValue:
    """Show the form for a new paper, filled with the usual parts."""
    return _page(None, NewPaperForm(formdata=None, data=usual()).offer())


@bp.post("/papers/new")
@needs("paper.edit")
def add_paper() -> ResponseReturnValue:
    """Add a paper as a draft."""
    form = NewPaperForm().offer()
    if form.validate():
        try:
            made = paper_editor.create(
                current_staff().organisation_id,
                trade_id=form.trade.chosen_id,
                paper_type=form.paper_type.data,
                values=form.values(),
                structure=form.structure(),
                by=current_actor(),
                now=arrived_at(),
            )
        except WrongField as error:
            form.mark(error)
        else:
            flash(_("The paper is a draft. Take it into use when it is right."), "ok")
            return go_to("admin.paper", paper_id=made)
    return _page(None, form, 422)


@bp.get("/papers/<uuid:paper_id>")
@needs("office.see")
def paper(paper_id: UUID) -> ResponseReturnValue:
    """Show one paper with the form to change what may still be changed."""
    shown = _shown(paper_id)
    kind = RulesForm if shown.is_fixed else PartsForm
    return _page(shown, kind(formdata=None, data=entered_of(shown)))


@bp.post("/papers/<uuid:paper_id>")
@needs("paper.edit")
def edit_paper(paper_id: UUID) -> ResponseReturnValue:
    """Change a paper. Parts that are sent for a paper whose parts are fixed are not read."""
    shown = _shown(paper_id)
    form: RulesForm = RulesForm() if shown.is_fixed else PartsForm()
    if form.validate():
        try:
            paper_editor.edit(
                paper_id,
                form.values(),
                form.structure() if isinstance(form, PartsForm) else None,
                organisation_id=current_staff().organisation_id,
                by=current_actor(),
                now=arrived_at(),
            )
        except WrongField as error:
            form.mark(error)
        except NotNow as error:
            form.mark(WrongField("sum", error.sentence))
            return _page(_shown(paper_id), form, error.status)
        else:
            flash(_("Saved."), "ok")
            return go_to("admin.paper", paper_id=paper_id)
    return _page(shown, form, 422)


def _shown(paper_id: UUID) -> PaperView:
    return paper_reports.paper(paper_id, organisation_id=current_staff().organisation_id)


def _page(shown: PaperView | None, form: RulesForm, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "admin/paper.html",
        shown=shown,
        form=form,
        letters=LETTERS,
        types=TYPE_WORDS,
        structure=form.structure() if isinstance(form, PartsForm) else None,
    )
    return page, status


def _query(values: MultiDict[str, str]) -> dict[str, Any]:
    filters, order = paper_filters_from(values), order_from(values, SORTS)
    chosen: dict[str, Any] = {
        "q": filters.q,
        "trade": filters.trade or "",
        "paper": filters.paper_type,
        "status": filters.status,
    }
    return query_of(order, SORTS, **chosen)


def _matching(values: MultiDict[str, str]) -> list[UUID]:
    return paper_reports.matching_ids(current_staff().organisation_id, paper_filters_from(values))


_many = Many("papers", "paper.edit", ACTS, matching=_matching, query=_query)
