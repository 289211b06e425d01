"""Signing in for a token."""

from __future__ import annotations

from typing import Any

from flask import request

from kiosk.blueprints.api import tokens
from kiosk.blueprints.api.calls import call, sent
from kiosk.blueprints.api.fields import Body, Text
from kiosk.services import accounts
from kiosk.services.accounts import LONGEST_CODE, LONGEST_PASSWORD
from kiosk.sign_in_errors import SecondFactorNeeded
from kiosk.web.request_time import arrived_at
from kiosk.web.sources import source_of

# together with the slash between them as long as a login may be
CREDENTIALS = Body(
    {"username": Text(40, least=1), "password": Text(LONGEST_PASSWORD, least=1, is_secret=True)},
    {"organisation": Text(39), "totp": Text(LONGEST_CODE)},
)


@call(
    "POST",
    "/auth/login/",
    group="Sign-in",
    who="anybody",
    body=CREDENTIALS,
    answers={200: "Token"},
    refusals={
        400: "bad_input, missing_credentials",
        401: "wrong_credentials, totp_required, wrong_code",
        403: "totp_setup_required",
        429: "locked_out, too_many_tries",
        503: "busy",
    },
)
def login() -> dict[str, Any]:
    """Sign in for an access token.

    Candidates' tokens last 12 hours, staff's 1 hour. `organisation` is its code, needed only where there are several.
    A token ends early when the account is deactivated, archived, or its password changes. For somebody with a second
    factor `totp` is the code of their authenticator app; without it the answer is 401 `totp_required`. While many
    people sign in the answer may be 503 `busy`: try again after some seconds.
    """
    given = sent()
    organisation = given.get("organisation", "").strip()
    username = f"{organisation}/{given['username']}" if organisation else given["username"]
    signed_in = accounts.sign_in(
        username,
        given["password"],
        now=arrived_at(),
        address=request.remote_addr,
        source=source_of(request),
        code=given.get("totp"),
    )
    if signed_in.must_set_up_totp:
        raise SecondFactorNeeded
    token, seconds = tokens.issue(signed_in, now=arrived_at())
    return {"access_token": token, "token_type": "Bearer", "expires_in": seconds}
