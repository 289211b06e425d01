"""The exam timer: which paper, start, time left, save, hand in, questions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from kiosk.blueprints.api import caller, views
from kiosk.blueprints.api.calls import Answer, call, sent
from kiosk.blueprints.api.fields import SEQ, Body, Id, Response
from kiosk.errors import NotAllowed
from kiosk.services import answers, attempts, preparing, reports, sitting_reports
from kiosk.services.attempts import Started
from kiosk.web.request_time import arrived_at

GROUP = "Exam timer"
SAVE = Body(
    {"attempt_id": Id(), "question_id": Id()},
    {"response": Response(), "selected_option": Response(), "seq": SEQ},
    any_of=("response", "selected_option"),
)
START_REFUSALS = {
    400: "paper_not_published, no_active_set",
    403: "no_slot, shift_not_open, not_checked_in, kiosk_required, open_elsewhere, not_allowed",
    404: "not_found",
    409: "slot_consumed, attempt_limit, attempt_not_running, transition_refused",
    503: "timer_unavailable",
}


@call("GET", "/exam/", group=GROUP, who="candidate", answers={200: "Papers"}, refusals={403: "not_allowed"})
def exam() -> dict[str, Any]:
    """The paper of the candidate's current slot, or none."""
    item = sitting_reports.current_paper(caller.current().id, now=arrived_at())
    if item is None:
        return {"items": []}
    paper = {
        "paper_id": str(item.paper_id),
        "title": item.title,
        "trade": item.trade_code,
        "paper_type": item.paper_type,
        "duration_seconds": item.duration_seconds,
        "total_questions": item.total_questions,
        "slot_status": str(item.slot_status),
        "attempt_id": str(item.attempt_id) if item.attempt_id else None,
    }
    return {"items": [paper]}


@call(
    "POST",
    "/exam/timer/start/<uuid:paper_id>/",
    group=GROUP,
    who="candidate",
    answers={201: "Started", 200: "Started"},
    refusals=START_REFUSALS,
)
def start(paper_id: UUID) -> Answer:
    """Start the clock; while it runs, the running attempt.

    201 for the call that started it, 200 for every other. The token that called last may write. No start code is
    asked for: an open shift is enough. With 503 nothing was started and nothing used up.
    """
    who = caller.current()
    started = preparing.start_paper(who.id, paper_id, lease=who.login_no, by=caller.actor(), now=arrived_at())
    return started_body(started)


@call(
    "GET",
    "/exam/timer/remaining/<uuid:attempt_id>/",
    group=GROUP,
    who="quick candidate",
    answers={200: "Remaining"},
    refusals={403: "not_allowed", 404: "not_found"},
)
def remaining(attempt_id: UUID) -> dict[str, Any]:
    """The time left, in any state of the attempt."""
    return views.remaining(own_time(attempt_id))


@call(
    "POST",
    "/exam/timer/submit-answer/",
    group=GROUP,
    who="quick candidate",
    body=SAVE,
    answers={200: "Saved"},
    refusals={
        400: "bad_input, bad_response",
        403: "not_allowed, open_elsewhere",
        404: "not_found, question_not_in_attempt",
        409: "attempt_not_running, seq_reused",
        410: "time_over",
    },
)
def submit_answer() -> dict[str, Any]:
    """Save one answer.

    `seq` counts the client's changes of one question. A lower one than the stored one is not saved: the answer then
    carries the stored `seq` and `response`. `selected_option` is an alias of `response` for a single choice.
    """
    given, who = sent(), caller.current()
    try:
        saved = answers.save(
            given["attempt_id"],
            given["question_id"],
            given["response"] if "response" in given else given["selected_option"],
            seq=given.get("seq"),
            lease=who.login_no,
            by=caller.actor(),
            now=arrived_at(),
        )
    except NotAllowed:
        raise sitting_reports.refusal_to_stranger(given["attempt_id"], candidate_id=who.id) from None
    return {
        "saved": saved.saved,
        "seq": saved.seq,
        "saved_at": views.iso(saved.saved_at),
        "remaining_seconds": views.seconds(saved.remaining_ms),
    } | ({} if saved.saved else {"response": saved.response})


@call(
    "POST",
    "/exam/timer/submit/<uuid:attempt_id>/",
    group=GROUP,
    who="candidate",
    answers={200: "Receipt"},
    refusals={403: "not_allowed", 404: "not_found", 409: "attempt_not_running"},
)
def submit(attempt_id: UUID) -> dict[str, Any]:
    """Hand in; again: the same answer.

    Later than deadline and grace it is ended as of the deadline, with `status` *expired*. Score fields are there where
    the paper releases them at the hand-in.
    """
    return hand_in(attempt_id)


@call(
    "GET",
    "/exam/timer/questions/<uuid:attempt_id>/",
    group=GROUP,
    who="candidate",
    answers={200: "Questions"},
    refusals={403: "not_allowed", 404: "not_found", 409: "attempt_not_running", 410: "time_over"},
)
def questions(attempt_id: UUID) -> dict[str, Any]:
    """The questions in this attempt's order, with what is stored for them."""
    row = sitting_reports.own_attempt(attempt_id, candidate_id=caller.current().id)
    refusal = sitting_reports.closed_refusal(row, arrived_at())
    if refusal:
        raise refusal
    rows = sitting_reports.drawn_paper(attempt_id)
    body = {"attempt_id": str(attempt_id), "questions": [sitting_reports.question_for_program(row) for row in rows]}
    time = sitting_reports.time_view(row, arrived_at())
    return body | views.saved_answers(rows) | {"remaining_seconds": time.remaining_seconds}


def own_time(attempt_id: UUID) -> sitting_reports.TimeView:
    """Return the time of the caller's own attempt; where Redis did not know, the sign-in is checked too."""
    who = caller.current()
    time, was_quick = sitting_reports.time_now(attempt_id, candidate_id=who.id, lease=who.login_no, now=arrived_at())
    if not was_quick:
        caller.demand_sign_in()
    return time


def hand_in(attempt_id: UUID) -> dict[str, Any]:
    """Hand in and return the receipt."""
    who = caller.current()
    try:
        attempts.submit(attempt_id, by=caller.actor(), now=arrived_at(), lease=who.login_no)
    except NotAllowed:
        raise sitting_reports.refusal_to_stranger(attempt_id, candidate_id=who.id) from None
    return views.receipt(reports.receipt(attempt_id, candidate_id=who.id))


def started_body(started: Started) -> Answer:
    """The body of a start: 201 for the call that started the clock."""
    time = sitting_reports.time_of(started.attempt_id, now=arrived_at())
    body = views.remaining(time) | {
        "total_questions": sitting_reports.questions_total(started.attempt_id),
        "resumed": not started.is_new,
    }
    return body, 201 if started.is_new else 200
