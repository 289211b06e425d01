"""The refusals: each with its HTTP status, a stable code, and a sentence for the person who meets it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l


class KioskError(Exception):
    """A request that is refused. Nothing was changed."""

    status = 400
    code = "refused"
    retry_after_seconds: int | None = None  # None: whatever is usual
    message: Any = _l("This is not possible now. Ask the invigilator.")

    def __init__(self, **details: Any) -> None:
        """Keep `details`: they fill the sentence and go into the JSON problem."""
        self.details = details
        super().__init__(self.code)

    @property
    def sentence(self) -> str:
        """The message in the language of the request."""
        return str(self.message) % self.details if self.details else str(self.message)

    def __str__(self) -> str:
        return self.sentence


class NotFound(KioskError):
    status, code = 404, "not_found"
    message = _l("There is nothing here.")


class NotAllowed(KioskError):
    status, code = 403, "not_allowed"
    message = _l("You may not do this.")


class WrongAudience(KioskError):
    status, code = 403, "wrong_audience"
    message = _l("This page is for others. You are signed in, but not as one of them.")


class BadInput(KioskError):
    status, code = 422, "bad_input"
    message = _l("%(problem)s")


# --- signing in -----------------------------------------------------------------------------


class MissingCredentials(KioskError):
    status, code = 422, "missing_credentials"
    message = _l("Enter your service number and password.")


class WrongCredentials(KioskError):
    status, code = 401, "wrong_credentials"
    message = _l("The service number or the password is not right. Check both and try again.")


class SignedOut(KioskError):
    status, code = 401, "signed_out"
    message = _l("You are signed out. Sign in again; your answers are safe.")


class PasswordChangeNeeded(KioskError):
    status, code = 403, "password_change_needed"
    message = _l("Choose a password of your own first.")


class ServerBusy(KioskError):
    status, code = 503, "busy"
    message = _l("The server is busy for a moment. Try again.")


class CannotSave(KioskError):
    status, code = 503, "cannot_save"
    message = _l("The server cannot save at the moment. Keep working; it is tried again.")


# --- starting -------------------------------------------------------------------------------


class NoSlot(KioskError):
    status, code = 403, "no_slot"
    message = _l("No exam is assigned to you now. Ask the invigilator.")


class SlotConsumed(KioskError):
    status, code = 409, "slot_consumed"

    def __init__(self, *, at: datetime, clock_time: str, is_time_over: bool) -> None:
        """`at` is the end in UTC, `clock_time` the same as the centre's clock shows it."""
        super().__init__(clock_time=clock_time)
        self.at = at
        self.message = (
            _l("Your time for this exam ended at %(clock_time)s. Ask the invigilator if that is wrong.")
            if is_time_over
            else _l("You submitted this exam at %(clock_time)s. Ask the invigilator if that is wrong.")
        )


class AttemptLimit(KioskError):
    status, code = 409, "attempt_limit"
    message = _l("You have used all attempts at this paper. Ask the invigilator.")


class PaperNotPublished(KioskError):
    status, code = 400, "paper_not_published"
    message = _l("This paper is not in use yet. The exam office must release it. Nothing was used up.")


class NoActiveSet(KioskError):
    status, code = 400, "no_active_set"
    message = _l("The question set is not ready. This is for the staff to solve. Nothing was used up.")


class ShiftNotOpen(KioskError):
    status, code = 403, "shift_not_open"
    message = _l("Your shift is not open. Wait for the invigilator. Nothing was used up.")


class TooEarly(ShiftNotOpen):
    message = _l("It is too early. Your shift opens at %(clock_time)s.")


class TooLate(ShiftNotOpen):
    message = _l("Entry to your shift ended at %(clock_time)s. Ask the invigilator.")


class WrongShift(ShiftNotOpen):
    message = _l("You are not in a shift that is open at this centre. Ask the invigilator.")


class WrongStartCode(KioskError):
    status, code = 422, "wrong_start_code"
    message = _l("The start code is not right. It is read out by the invigilator.")


class ConsentMissing(KioskError):
    status, code = 422, "consent_missing"
    message = _l("Tick the box to say that you have read the instructions.")


class NotCheckedIn(KioskError):
    status, code = 403, "not_checked_in"
    message = _l("You are not checked in yet. Go to the entrance desk. Nothing was used up.")


class KioskRequired(KioskError):
    status, code = 403, "kiosk_required"
    message = _l("This exam can only be taken on a kiosk of the centre. Ask the invigilator for your seat.")


class GoToSeat(KioskRequired):
    message = _l("This exam is taken at your own seat. Go to seat %(seat)s. Nothing was used up.")


class LockdownRequired(KioskRequired):
    message = _l(
        "This exam runs in the locked-down browser only (Safe Exam Browser). Ask the invigilator to start it here. "
        "Nothing was used up."
    )


class TimerUnavailable(KioskError):
    status, code = 503, "timer_unavailable"
    message = _l("The exam could not start. Nothing was used up; try again.")


# --- during the exam --------------------------------------------------------------------------


class OpenedElsewhere(KioskError):
    status, code = 409, "open_elsewhere"
    message = _l("Your test was opened on another computer. Go on there. What was saved is safe.")


class TakeoverNeedsApproval(OpenedElsewhere):
    message = _l("Your test is open on another computer. The invigilator must agree before you go on here.")


class AttemptNotRunning(KioskError):
    status, code = 409, "attempt_not_running"
    message = _l("Your test is not running now. What was saved is safe. Ask the invigilator.")

    def __init__(self, *, attempt_status: str, reason: str | None = None) -> None:
        """`reason` is the cancel reason where there is one."""
        super().__init__(attempt_status=attempt_status, **({"reason": reason} if reason else {}))


class TimeOver(KioskError):
    status, code = 410, "time_over"
    message = _l("Time is up. Everything that was saved before the end is handed in.")


class SeqReused(KioskError):
    status, code = 409, "seq_reused"
    message = _l("This answer was changed on two pages at once. Load the page again.")


class BadResponse(KioskError):
    status, code = 422, "bad_response"
    message = _l("%(problem)s")


class QuestionNotInAttempt(KioskError):
    status, code = 404, "question_not_in_attempt"
    message = _l("This question is not part of your exam.")


# --- staff -------------------------------------------------------------------------------------


class ReasonMissing(KioskError):
    status, code = 422, "reason_missing"
    message = _l("Give a reason. It goes into the audit log.")


class ReasonTooLong(KioskError):
    status, code = 422, "reason_too_long"
    message = _l("The reason is too long (at most %(most)s characters).")


class TransitionRefused(KioskError):
    status, code = 409, "transition_refused"
    message = _l("Somebody else was quicker. It is %(found)s now.")


class SetNotReady(KioskError):
    status, code = 422, "set_not_ready"
    message = _l("This set cannot be activated: %(problems)s.")


class WritingNow(KioskError):
    status, code = 409, "writing_now"
    message = _l("Candidates who are writing now: %(count)s. Type %(word)s to confirm.")


class NotSetUp(KioskError):
    status, code = 503, "not_set_up"
    message = _l(
        "Nothing is set up here yet. On the server: "
        "flask --app wsgi setup --organisation NAME --centre CODE:NAME --admin LOGIN"
    )


class MigrationPending(KioskError):
    status, code = 503, "migration_pending"
    message = _l("The database has to be brought up to date first (flask db upgrade).")
