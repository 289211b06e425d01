"""What is done to a whole paper, each after a question: taking it into use, copying, archiving, deleting it."""

from __future__ import annotations

from uuid import UUID

from flask import flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from kiosk.blueprints.admin import bp
from kiosk.blueprints.admin.away import Away
from kiosk.models import Paper
from kiosk.services import paper_editor, paper_reports
from kiosk.services.paper_reports import PaperView
from kiosk.web.asking import Ask, Counted, add_question
from kiosk.web.htmx import go_to
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff

DELETE_WORD = "DELETE"


def _shown(paper_id: UUID) -> PaperView:
    return paper_reports.paper(paper_id, organisation_id=current_staff().organisation_id)


def _back(paper_id: UUID) -> str:
    return url_for("admin.paper", paper_id=paper_id)


def _ask_use(paper_id: UUID) -> Ask:
    title = _("Take “%(title)s” into use?", title=_title(paper_id))
    says = (
        _("From now on it is the paper of its trade and type: slots are assigned for it."),
        _("Nobody can start before one of its question sets is active."),
    )
    return Ask(title, _("Take into use"), _back(paper_id), "papers", says=says, needs_reason=False)


def _use(paper_id: UUID, _reason: str) -> ResponseReturnValue:
    organisation_id = current_staff().organisation_id
    paper_editor.take_into_use(paper_id, organisation_id=organisation_id, by=current_actor(), now=arrived_at())
    flash(_("The paper is in use."), "ok")
    return go_to("admin.paper", paper_id=paper_id)


def _ask_copy(paper_id: UUID) -> Ask:
    title = _("Copy “%(title)s”?", title=_title(paper_id))
    says = (_("A draft with the same parts and rules, whose parts can be changed. Question sets are not copied."),)
    return Ask(title, _("Copy as a new paper"), _back(paper_id), "papers", says=says, needs_reason=False)


def _copy(paper_id: UUID, _reason: str) -> ResponseReturnValue:
    organisation_id = current_staff().organisation_id
    made = paper_editor.copy(paper_id, organisation_id=organisation_id, by=current_actor(), now=arrived_at())
    flash(_("This is the copy, a draft."), "ok")
    return go_to("admin.paper", paper_id=made)


def _stands(paper_id: UUID) -> Counted:
    waiting = _shown(paper_id).waiting
    return ((waiting, _("slots for this paper that are not used up: reset them")),) if waiting else ()


def _title(paper_id: UUID) -> str:
    return _shown(paper_id).values.title


_SAYS = _l("Nobody gets a slot for this paper any more. Sets, tests and results stay.")
add_question(bp, "/papers/<uuid:paper_id>/use", "paper_use", "paper.edit", _ask_use, _use)
add_question(bp, "/papers/<uuid:paper_id>/copy", "paper_copy", "paper.edit", _ask_copy, _copy)
Away("paper", model=Paper, service=paper_editor, says=_SAYS, stands=_stands, name=_title, word=DELETE_WORD).hang_in(
    "paper.edit"
)
