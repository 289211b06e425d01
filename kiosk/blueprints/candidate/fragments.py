"""What the exam page asks for while it stays open: saves, swaps, the clock, and the look of waiting pages."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kiosk.blueprints.candidate import bp, pieces
from kiosk.blueprints.candidate.forms import ExamForm
from kiosk.blueprints.candidate.place import own_sheet, own_sitting, own_standing, token_of
from kiosk.errors import BadResponse, QuestionNotInAttempt
from kiosk.services import answers, catalogue, presence, reports
from kiosk.services.answers import SavedAnswer, Swap
from kiosk.services.responses import response_from_form
from kiosk.web import preferences
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import Sitting, current_actor, current_page

UNSAVED = "HTTP_X_UNSAVED"


@bp.post("/exam/save")
def save() -> ResponseReturnValue:
    """Save one answer; the page sends each change here by itself."""
    form, sitting = ExamForm(request.form), own_sitting()
    try:
        saved = _save(form, sitting, seq=form.seq)
    except BadResponse as refusal:
        return render_template("candidate/_problem.html", problem=refusal.sentence), refusal.status
    _note_unsaved(sitting.attempt_id)
    return pieces.saved_answer(saved, preferences.time_zone())


@bp.post("/exam/go")
def go() -> ResponseReturnValue:
    """Move to another question; what the page has not heard saved comes along and is saved first."""
    form, sitting = ExamForm(request.form), own_sitting()
    try:
        saved = _save_before_going(form, sitting)
    except BadResponse as refusal:
        return _stay(refusal)
    swap = _go(form, sitting)
    if form.is_finished:
        return go_to("candidate.summary")
    if not is_htmx():
        return redirect(url_for("candidate.exam"), 303)
    return pieces.swap(swap, saved, form.question, preferences.time_zone())


@bp.get("/exam/clock")
def clock() -> ResponseReturnValue:
    """Say how much time is left; where the exam does not run here any more, home says why."""
    sitting = own_sitting()
    view = reports.clock(sitting.attempt_id, lease=sitting.lease, now=arrived_at())
    if not (view.is_running and is_htmx()):
        return go_to("candidate.home", page=current_page())
    _note_unsaved(sitting.attempt_id)
    return pieces.clock(view.remaining_ms)


@bp.get("/waiting")
def waiting() -> ResponseReturnValue:
    """Tell a waiting page that it is still right, or send it to what is."""
    standing = own_standing()
    token = token_of(standing)
    if token != request.args.get("shown") or not is_htmx():
        return go_to("candidate.home", page=current_page())
    if standing.attempt and token.startswith("paused"):
        presence.seen(standing.attempt.attempt_id, now=arrived_at())
    return render_template(
        "candidate/_waiting.html", token=token, checked_at=arrived_at(), zone=preferences.time_zone()
    )


def _note_unsaved(attempt_id: UUID) -> None:
    """Take over what the page says by the way, for the room board: how many answers it could not bring here yet."""
    text = request.environ.get(UNSAVED, "0")
    presence.unsaved(attempt_id, int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0)


def _save(form: ExamForm, sitting: Sitting, *, seq: int | None, clears: bool = False) -> SavedAnswer:
    question = catalogue.question(form.question) if form.question else None
    if question is None:
        raise QuestionNotInAttempt
    return answers.save(
        sitting.attempt_id,
        question.id,
        None if clears else response_from_form(question.question_type, request.form),
        seq=seq,
        lease=sitting.lease,
        by=current_actor(),
        now=arrived_at(),
    )


def _save_before_going(form: ExamForm, sitting: Sitting) -> SavedAnswer | None:
    """A script numbers its changes; a plain form is the newest by being sent, whatever number its page had."""
    clears = form.go == "clear"
    if not (form.is_changed or clears):
        return None
    return _save(form, sitting, seq=form.seq if is_htmx() else None, clears=clears)


def _go(form: ExamForm, sitting: Sitting) -> Swap:
    return answers.go(
        sitting.attempt_id,
        lease=sitting.lease,
        by=current_actor(),
        now=arrived_at(),
        # the last question left forward stays where it is: the summary comes next
        to_number=form.target,
        left_number=form.number,
        marked=form.mark,
        language=preferences.language(),
    )


def _stay(refusal: BadResponse) -> ResponseReturnValue:
    """The answer can't be stored: the message by the field, and what was typed stays there."""
    if is_htmx():
        return render_template("candidate/_problem.html", problem=refusal.sentence), refusal.status
    sheet = own_sheet()
    if sheet is None:
        return go_to("candidate.home")
    typed = request.form.get("text", "")
    return render_template("candidate/exam.html", sheet=sheet, problem=refusal.sentence, typed=typed), refusal.status
