"""The refusals of signing in: tries, turns and second factors; the others are in `kiosk.errors`."""

from __future__ import annotations

import math
from uuid import UUID

from flask_babel import lazy_gettext as _l

from kiosk.errors import KioskError, ServerBusy


class _TriedTooOften(KioskError):
    status = 429

    def __init__(self, *, seconds: float) -> None:
        """`seconds` until the next try may succeed."""
        super().__init__(minutes=math.ceil(seconds / 60))
        self.retry_after_seconds = math.ceil(seconds)


class LockedOut(_TriedTooOften):
    code = "locked_out"
    message = _l("Too many wrong tries. Wait %(minutes)s minutes, or ask the invigilator to unlock you.")


class TooManyTries(_TriedTooOften):
    code = "too_many_tries"
    message = _l("Too many wrong tries from this computer. Wait %(minutes)s minutes, or ask the invigilator.")


class TooManyStartCodes(_TriedTooOften):
    code = "too_many_start_codes"
    message = _l("Too many wrong start codes. Wait %(minutes)s minutes, or ask the invigilator. Nothing was used up.")


class CodeNeeded(KioskError):
    status, code = 401, "totp_required"
    message = _l("Enter the code of your authenticator app.")

    def __init__(self, user_id: UUID, epoch: int) -> None:
        """Whose password was right; nothing is open to them before the code."""
        super().__init__()
        self.user_id, self.epoch = user_id, epoch


class WrongCode(KioskError):
    status, code = 401, "wrong_code"
    message = _l("This code is not right, or it was used already. Wait for the next one.")


class SecondFactorNeeded(KioskError):
    status, code = 403, "totp_setup_required"
    message = _l("Your role needs a second factor. Set it up on the sign-in page first.")


class SecondFactorDemanded(KioskError):
    status, code = 409, "totp_demanded"
    message = _l("Your role must have a second factor.")


class PasswordNeeded(KioskError):
    status, code = 401, "password_needed"
    message = _l("Nobody clicked here for half an hour. Enter your password to go on.")

    def __init__(self, why_not: KioskError | None = None) -> None:
        """`why_not` is the refusal of a password that was given."""
        super().__init__()
        self.why_not = why_not


class SignInBusy(ServerBusy):
    message = _l("Many people are signing in. Press Sign in again.")
