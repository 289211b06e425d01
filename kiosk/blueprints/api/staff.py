"""What staff do to one attempt: pause, unpause, cancel, extend, restore, reopen.

Another centre's attempt does not exist for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from kiosk.blueprints.api import caller, repeats, views
from kiosk.blueprints.api.calls import Answer, call, sent
from kiosk.blueprints.api.fields import Body, Text, Whole
from kiosk.capabilities import ORGANISATION_WIDE, Role, may
from kiosk.errors import NotFound
from kiosk.services import cancelling, grants, reviving, sitting_reports
from kiosk.services.slots import LONGEST_REASON
from kiosk.web.request_time import arrived_at

GROUP = "Staff"
REASON = Text(LONGEST_REASON, least=1)
PATH = "/test-attempts/<uuid:attempt_id>"
COMMON: dict[str, Any] = {"group": GROUP, "who": "staff", "answers": {200: "Remaining"}, "takes_key": True}
REFUSALS = {
    403: "not_allowed",
    404: "not_found",
    409: "attempt_not_running, in_progress",
    422: "key_reused, key_too_long",
}
WITH_REASON = REFUSALS | {400: "bad_input, reason_missing, reason_too_long"}


@call(
    "POST",
    f"{PATH}/pause",
    needs=("attempt.pause",),
    body=Body({"reason": REASON}),
    refusals=WITH_REASON | {410: "time_over"},
    **COMMON,
)
def pause(attempt_id: UUID) -> Answer:
    """Stop the clock; the time left is kept."""
    return _act(
        attempt_id,
        lambda: cancelling.pause(attempt_id, reason=sent()["reason"], by=caller.actor(), now=arrived_at()),
    )


@call(
    "POST",
    f"{PATH}/unpause",
    needs=("attempt.pause",),
    refusals=REFUSALS | {409: "attempt_not_running, transition_refused, in_progress"},
    **COMMON,
)
def unpause(attempt_id: UUID) -> Answer:
    """Let the clock go on with exactly the time that was left."""
    return _act(attempt_id, lambda: cancelling.unpause(attempt_id, by=caller.actor(), now=arrived_at()))


@call(
    "POST",
    f"{PATH}/cancel",
    needs=("session.clear",),
    body=Body({"reason": REASON}),
    refusals=WITH_REASON,
    **COMMON,
)
def cancel(attempt_id: UUID) -> Answer:
    """End the attempt without a result; its answers are kept and its slot is free again."""
    return _act(
        attempt_id,
        lambda: cancelling.cancel(attempt_id, reason=sent()["reason"], by=caller.actor(), now=arrived_at()),
    )


@call(
    "POST",
    f"{PATH}/extend",
    needs=("time.grant", "time.grant_short"),
    body=Body({"seconds": Whole(1, grants.MOST_SECONDS), "reason": REASON}),
    refusals=WITH_REASON | {403: "not_allowed, grant_too_long"},
    **COMMON,
)
def extend(attempt_id: UUID) -> Answer:
    """Grant time to a running or paused attempt. Invigilators: ten minutes per attempt in total."""
    given = sent()
    return _act(
        attempt_id,
        lambda: grants.extend(
            attempt_id,
            given["seconds"],
            reason=given["reason"],
            is_short=not may(Role(caller.staff().role), "time.grant"),
            by=caller.actor(),
            now=arrived_at(),
        ),
    )


@call(
    "POST",
    f"{PATH}/restore",
    needs=("attempt.restore",),
    body=Body({"reason": REASON}),
    refusals=WITH_REASON | {409: "not_cancelled, not_restorable, slot_taken, newer_attempt, in_progress"},
    **COMMON,
)
def restore(attempt_id: UUID) -> Answer:
    """Take a cancelled attempt up again: paused, with the time that was left when it was cancelled."""
    return _act(
        attempt_id,
        lambda: reviving.restore(attempt_id, reason=sent()["reason"], by=caller.actor(), now=arrived_at()),
    )


@call(
    "POST",
    f"{PATH}/reopen",
    needs=("attempt.reopen",),
    body=Body({"seconds": Whole(1, grants.MOST_SECONDS), "reason": REASON}),
    refusals=WITH_REASON | {409: "not_expired, shift_closed, slot_taken, newer_attempt, in_progress"},
    **COMMON,
)
def reopen(attempt_id: UUID) -> Answer:
    """Take an attempt whose time ran out up again: paused, with these seconds to go on with."""
    given = sent()
    return _act(
        attempt_id,
        lambda: reviving.reopen(
            attempt_id, given["seconds"], reason=given["reason"], by=caller.actor(), now=arrived_at()
        ),
    )


def _act(attempt_id: UUID, work: Callable[[], None]) -> Answer:
    """Do it to an attempt of the own centre, once per key; the answer is the time as it is then."""
    user = caller.staff()
    is_bound = Role(user.role) not in ORGANISATION_WIDE
    if is_bound and user.centre_id is None:
        raise NotFound  # staff of a centre without a centre see nobody
    sitting_reports.demand_in_scope(
        attempt_id, organisation_id=user.organisation_id, centre_id=user.centre_id if is_bound else None
    )
    return repeats.once(work, lambda _: (views.remaining(sitting_reports.time_of(attempt_id, now=arrived_at())), 200))
