"""The candidate's pages, each on its own address. Changes are POSTs that lead to a page."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kiosk.blueprints.auth import farewell
from kiosk.blueprints.candidate import bp
from kiosk.blueprints.candidate.forms import FeedbackForm, IdentityForm, StartForm, SubmitForm, value_of
from kiosk.blueprints.candidate.place import (
    may_begin,
    own_sheet,
    own_sitting,
    own_standing,
    screen_of,
    token_of,
)
from kiosk.errors import (
    ConsentMissing,
    KioskError,
    KioskRequired,
    NotCheckedIn,
    OpenedElsewhere,
    TakeoverNeedsApproval,
    WrongStartCode,
)
from kiosk.services import attempts, feedback
from kiosk.services.screens import Standing
from kiosk.sign_in_errors import TooManyStartCodes
from kiosk.web import preferences
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import (
    current_actor,
    current_candidate_id,
    current_login_no,
    current_page,
    keep_sitting,
)

PAGES = {"exam": "candidate.exam", "done": "candidate.done"}


@bp.get("/")
def home() -> ResponseReturnValue:
    """Show the screen on which the candidate belongs."""
    standing = own_standing()
    screen = screen_of(standing)
    return redirect(url_for(PAGES[screen]), 303) if screen in PAGES else _waiting_page(screen, standing)


@bp.post("/identity")
def identity() -> ResponseReturnValue:
    """Yes: go on with what is open, or to the instructions. No: sign out and call somebody."""
    if IdentityForm().me.data != "yes":
        return farewell(make_response(render_template("candidate/not_me.html")))
    standing = own_standing()
    if standing.kind in ("running", "paused"):
        return _go_on()
    return redirect(url_for("candidate.instructions" if may_begin(standing) else "candidate.home"), 303)


@bp.get("/instructions")
def instructions() -> ResponseReturnValue:
    """Show what the paper is like and what to know before the clock runs."""
    standing = own_standing()
    if not may_begin(standing):
        return redirect(url_for("candidate.home"), 303)
    return render_template("candidate/instructions.html", standing=standing, form=StartForm(), refusal=None)


@bp.post("/start")
def start() -> ResponseReturnValue:
    """Begin, or say why not; nothing is used up by a refusal."""
    form = StartForm()
    try:
        if not form.consent.data:
            raise ConsentMissing
        started = attempts.start(
            current_candidate_id(),
            lease=current_login_no(),
            by=current_actor(),
            now=arrived_at(),
            start_code=form.start_code.data,
            language=preferences.language(),
        )
    except KioskError as refusal:
        return _refused_start(refusal, form)
    keep_sitting(started)
    return redirect(url_for("candidate.exam"), 303)


@bp.post("/take")
def take() -> ResponseReturnValue:
    """Go on here: this tab takes the exam from another one, or from another computer."""
    return _go_on(as_new_page=True)


@bp.get("/exam")
def exam() -> ResponseReturnValue:
    """Show the whole exam page with the question that was looked at last."""
    sheet = own_sheet()
    if sheet is None:
        return redirect(url_for("candidate.home"), 303)
    return render_template("candidate/exam.html", sheet=sheet)


@bp.get("/exam/summary")
def summary() -> ResponseReturnValue:
    """Show the counts before the hand-in."""
    sheet = own_sheet()
    if sheet is None:
        return redirect(url_for("candidate.home"), 303)
    return render_template("candidate/summary.html", sheet=sheet)


@bp.get("/exam/submit")
def confirm() -> ResponseReturnValue:
    """Ask once more, for browsers without scripts; with them it is a dialog on the summary."""
    sheet = own_sheet()
    if sheet is None:
        return redirect(url_for("candidate.home"), 303)
    return render_template("candidate/confirm.html", sheet=sheet)


@bp.post("/submit")
def submit() -> ResponseReturnValue:
    """Hand in."""
    if not SubmitForm().confirm.data:
        return redirect(url_for("candidate.confirm"), 303)
    held = own_sitting()
    try:
        attempts.submit(held.attempt_id, by=current_actor(), now=arrived_at(), lease=held.lease)
    except OpenedElsewhere:
        return redirect(url_for("candidate.home", page=current_page()), 303)
    return redirect(url_for("candidate.done"), 303)


@bp.get("/done")
def done() -> ResponseReturnValue:
    """Show the receipt."""
    standing = own_standing()
    if screen_of(standing) != "done":
        return redirect(url_for("candidate.home"), 303)
    return render_template(
        "candidate/done.html",
        standing=standing,
        receipt=standing.receipt,
        form=FeedbackForm(),
        is_thanked="thanked" in request.args,
    )


@bp.post("/feedback", endpoint="feedback")
def send_feedback() -> ResponseReturnValue:
    """Keep what the candidate says of the computer."""
    form = FeedbackForm()
    form.validate()
    feedback.send(
        own_sitting().attempt_id,
        candidate_id=current_candidate_id(),
        rating=value_of(form.rating),
        comment=form.comment.data or "",
        now=arrived_at(),
    )
    return redirect(url_for("candidate.done", thanked=1), 303)


@bp.post("/leave")
def leave() -> ResponseReturnValue:
    """Clear the kiosk for the next person."""
    return farewell(redirect(url_for("auth.login"), 303))


@bp.get("/help", endpoint="help")
def help_page() -> ResponseReturnValue:
    """Show the keys and what to do when something goes wrong."""
    return render_template("candidate/help.html")


def _waiting_page(screen: str, standing: Standing, refusal: KioskError | None = None) -> str:
    if screen == "identity":
        return render_template("candidate/identity.html", standing=standing)
    return render_template(
        "candidate/interruption.html",
        kind=(standing.attempt and standing.attempt.cancel_reason) if screen == "cancelled" else screen,
        standing=standing,
        refusal=refusal or standing.refusal,
        token=token_of(standing),
        may_begin=may_begin(standing),
        checked_at=arrived_at(),
        zone=preferences.time_zone(),
    )


def _refused_start(refusal: KioskError, form: StartForm) -> ResponseReturnValue:
    standing = own_standing()
    if may_begin(standing):
        is_code = isinstance(refusal, WrongStartCode | TooManyStartCodes)
        if is_code:
            form.start_code.errors = [refusal.sentence]
        shown = None if is_code else refusal
        page = render_template("candidate/instructions.html", standing=standing, form=form, refusal=shown)
    else:
        page = _waiting_page("refused", standing, refusal)
    return page, refusal.status


def _go_on(*, as_new_page: bool = False) -> ResponseReturnValue:
    """Take the open attempt to this page; home says where it goes on, or who must agree first."""
    try:
        started = attempts.resume(
            current_candidate_id(),
            lease=current_login_no(),
            by=current_actor(),
            now=arrived_at(),
            as_new_page=as_new_page,
        )
    except TakeoverNeedsApproval:
        return redirect(url_for("candidate.home", page=current_page(), asked=1), 303)
    except (KioskRequired, NotCheckedIn) as refusal:
        # the centre says where this exam is written, and this is not the place
        return _waiting_page("refused", own_standing(), refusal), refusal.status
    keep_sitting(started)
    return redirect(url_for("candidate.home"), 303)
