"""The attempt life cycle as a candidate's program drives it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response

from kiosk.blueprints.api import caller, repeats, views
from kiosk.blueprints.api.calls import Answer, call, sent
from kiosk.blueprints.api.exam import START_REFUSALS, hand_in, own_time, started_body
from kiosk.blueprints.api.fields import Body, Id, Ids, SecondsById, Whole
from kiosk.services import attempts, preparing, progress, sitting_reports
from kiosk.states import AttemptStatus
from kiosk.web.request_time import arrived_at

GROUP = "Attempt life cycle"
MINE = {403: "not_allowed", 404: "not_found"}
PROGRESS = Body({"current_question_index": Whole(0, 499)}, {"time_spent": SecondsById(), "marked_for_review": Ids()})


@call(
    "POST",
    "/test-attempts",
    group=GROUP,
    who="candidate",
    body=Body({"paper_id": Id()}),
    answers={201: "Prepared", 200: "Prepared"},
    refusals={
        400: "bad_input, paper_not_published, no_active_set",
        403: "no_slot, not_allowed",
        404: "not_found",
        409: "slot_consumed, attempt_limit, transition_refused, in_progress",
        422: "key_reused, key_too_long",
    },
    takes_key=True,
)
def create() -> Answer:
    """Prepare an attempt; 200 if one is open.

    Its questions are drawn from the active set; the clock does not run yet.
    """
    who, actor, now = caller.current(), caller.actor(), arrived_at()
    preparing.end_overdue(who.id, by=actor, now=now)

    def answer(is_new: bool) -> tuple[dict[str, Any], int]:
        attempt_id = preparing.open_attempt_id(who.id)
        total = sitting_reports.questions_total(attempt_id)
        body = views.remaining(sitting_reports.time_of(attempt_id, now=now))
        return body | {"paper_id": str(sent()["paper_id"]), "total_questions": total}, 201 if is_new else 200

    return repeats.once(
        lambda: preparing.prepare(who.id, sent()["paper_id"], lease=who.login_no, by=actor, now=now), answer
    )


@call(
    "POST",
    "/test-attempts/<uuid:attempt_id>/start",
    group=GROUP,
    who="candidate",
    answers={201: "Started", 200: "Started"},
    refusals=START_REFUSALS,
)
def start_prepared(attempt_id: UUID) -> Answer:
    """Start the clock of a prepared attempt; while it runs, the same again."""
    who = caller.current()
    started = preparing.start_attempt(
        attempt_id, candidate_id=who.id, lease=who.login_no, by=caller.actor(), now=arrived_at()
    )
    return started_body(started)


@call(
    "PUT",
    "/test-attempts/<uuid:attempt_id>/progress",
    group=GROUP,
    who="candidate",
    body=PROGRESS,
    answers={200: "Progress"},
    refusals={
        400: "bad_input",
        403: "not_allowed, open_elsewhere",
        404: "not_found, question_not_in_attempt",
        409: "attempt_not_running",
        410: "time_over",
    },
)
def record_progress(attempt_id: UUID) -> dict[str, Any]:
    """Record the navigation; the answer is the progress as it follows from answers and visits.

    `current_question_index` counts from 0. `time_spent` is the total of seconds per question and only grows.
    `marked_for_review` lists all marked questions. Without it the marks stay.
    """
    who, given = caller.current(), sent()
    sitting_reports.own_attempt(attempt_id, candidate_id=who.id)
    progress.record(
        attempt_id,
        given["current_question_index"],
        time_spent=given.get("time_spent", {}),
        marked=given.get("marked_for_review"),
        lease=who.login_no,
        by=caller.actor(),
        now=arrived_at(),
    )
    return asdict(progress.of(attempt_id))


@call(
    "PUT",
    "/test-attempts/<uuid:attempt_id>/heartbeat",
    group=GROUP,
    who="quick candidate",
    answers={204: None},
    refusals=MINE,
    headers={204: {"X-Remaining-Seconds": "integer", "X-Attempt-Status": "string"}},
)
def heartbeat(attempt_id: UUID) -> Response:
    """Say that the client is there; time and state come back in headers."""
    time = own_time(attempt_id)
    headers = {"X-Remaining-Seconds": str(time.remaining_seconds), "X-Attempt-Status": str(time.status)}
    response = Response(status=204, headers=headers)
    del response.headers["Content-Type"]  # there is no content
    return response


@call(
    "GET",
    "/test-attempts/<uuid:attempt_id>/status",
    group=GROUP,
    who="candidate",
    answers={200: "Status"},
    refusals=MINE,
)
def status(attempt_id: UUID) -> dict[str, Any]:
    """State, progress and time left."""
    row = sitting_reports.own_attempt(attempt_id, candidate_id=caller.current().id)
    body = views.remaining(sitting_reports.time_view(row, arrived_at()))
    return body | {"progress": asdict(progress.of(attempt_id))}


@call(
    "POST",
    "/test-attempts/<uuid:attempt_id>/resume",
    group=GROUP,
    who="candidate",
    answers={200: "Recovery"},
    refusals=MINE | {409: "attempt_not_running"},
)
def resume(attempt_id: UUID) -> dict[str, Any]:
    """Recover after a crash: everything that a client needs to go on.

    While the attempt runs or is paused, this token becomes the one that may write. `can_resume` is true while the
    attempt is in progress. A cancelled attempt answers 409 with its reason.
    """
    who = caller.current()
    row = sitting_reports.own_attempt(attempt_id, candidate_id=who.id)
    time = sitting_reports.time_view(row, arrived_at())
    if time.status in (AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED):
        attempts.resume(who.id, lease=who.login_no, by=caller.actor(), now=arrived_at())
    elif time.status == AttemptStatus.CANCELLED:
        refusal = sitting_reports.closed_refusal(row, arrived_at())
        assert refusal is not None
        raise refusal
    body = views.remaining(time) | {
        "can_resume": time.status == AttemptStatus.IN_PROGRESS,
        "current_question_index": progress.of(attempt_id).current_question_index,
    }
    return body | views.saved_answers(sitting_reports.drawn_paper(attempt_id))


@call(
    "POST",
    "/test-attempts/<uuid:attempt_id>/complete",
    group=GROUP,
    who="candidate",
    answers={200: "Receipt"},
    refusals=MINE | {409: "attempt_not_running"},
)
def complete(attempt_id: UUID) -> dict[str, Any]:
    """Hand in, as *submit*; again: the same answer."""
    return hand_in(attempt_id)
