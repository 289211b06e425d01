"""Where a candidate belongs: which screen, seen from this sign-in. Pure but for the reads at the top."""

from __future__ import annotations

from kiosk.errors import NotFound
from kiosk.services import reports
from kiosk.services.screens import ExamSheet, Standing
from kiosk.web import preferences
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import Sitting, current_actor, current_candidate_id, current_epoch, holds, show_page_of, sitting


def own_standing() -> Standing:
    """Return how the candidate stands now."""
    standing = reports.standing(current_candidate_id(), now=arrived_at(), epoch=current_epoch(), by=current_actor())
    preferences.keep_person(language=standing.person.language, time_zone=standing.person.time_zone)
    return standing


def own_sitting() -> Sitting:
    """Return the attempt that this sign-in has open. Raises NotFound."""
    found = sitting()
    if found is None:
        raise NotFound
    return found


def own_sheet() -> ExamSheet | None:
    """Return the exam page if this sign-in may write on it now."""
    held = sitting()
    if held is None:
        return None
    sheet = reports.exam_sheet(
        held.attempt_id,
        candidate_id=current_candidate_id(),
        now=arrived_at(),
        language=preferences.language(),
        epoch=current_epoch(),
    )
    attempt = sheet.attempt
    # between deadline and grace the attempt reads as running with no time left: no further question then
    is_open = attempt.is_running and attempt.remaining_ms > 0 and holds(attempt.lease)
    if not is_open:
        return None
    show_page_of(attempt.lease)
    return sheet


def screen_of(standing: Standing) -> str:
    """Return the name of the screen: exam, done, or one of the pages that home shows itself."""
    attempt, held = standing.attempt, sitting()
    if attempt is None or held is None or held.attempt_id != attempt.attempt_id:
        return _screen_of_newcomer(standing)
    if attempt.is_cancelled:
        return "cancelled"
    if attempt.is_handed_in and standing.kind == "handed_in":
        return "done"
    if not holds(attempt.lease):
        return "open_elsewhere"
    if attempt.is_paused:
        return "paused"
    return "exam" if attempt.remaining_ms > 0 else "time_over"


def token_of(standing: Standing) -> str:
    """Return a word that changes when a waiting page would look different now."""
    refusal = standing.refusal.code if standing.refusal else "none"
    asks = "-ask" if standing.attempt and standing.attempt.needs_approval else ""
    return f"{screen_of(standing)}-{standing.kind}-{refusal}{asks}"


def may_begin(standing: Standing) -> bool:
    """Whether the instructions are the next step."""
    is_waiting = standing.kind in ("ready", "cancelled")
    return is_waiting and standing.refusal is None and standing.paper is not None


def _screen_of_newcomer(standing: Standing) -> str:
    """This sign-in has opened nothing yet: say who you are, or learn why not."""
    if standing.kind in ("running", "paused"):
        # where staff must agree first, the question who this is comes after their word
        return "open_elsewhere" if standing.attempt and standing.attempt.needs_approval else "identity"
    if may_begin(standing):
        return "identity"
    return "refused"
