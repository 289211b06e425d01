"""Who calls: from the token without a query, and on calls that ask the database anyway, whether it still holds."""

from __future__ import annotations

from flask import g, request

from kiosk.blueprints.api import tokens
from kiosk.blueprints.api.tokens import Caller
from kiosk.capabilities import Role, may
from kiosk.errors import NotAllowed, PasswordChangeNeeded, SignedOut
from kiosk.models import User
from kiosk.services import accounts
from kiosk.services.audit import Actor
from kiosk.web import enrolment
from kiosk.web.request_time import arrived_at, request_id
from kiosk.web.signin import user_agent


def authenticate() -> None:
    """Read the bearer token of this request. Raises SignedOut."""
    scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer":
        raise SignedOut
    g.caller = tokens.read(token.strip(), now=arrived_at())


def current() -> Caller:
    """Return who calls."""
    return g.caller


def actor() -> Actor:
    """Return who acts in this call, for the audit log."""
    who = current()
    return Actor(
        kind=who.kind,
        name=who.name,
        id=who.id,
        organisation_id=who.organisation_id,
        request_id=request_id(),
        address=request.remote_addr,
        user_agent=user_agent(),
        # a token says who calls, the kiosk's own cookie where: a centre that demands kiosks asks a program as well
        kiosk_id=enrolment.current_kiosk_id(),
        is_locked_down=enrolment.is_locked_down(),
        epoch=who.epoch if who.kind == "candidate" else None,
    )


def demand_candidate(*, still_signed_in: bool = True) -> None:
    """Close a call to everybody but candidates. Raises NotAllowed, SignedOut.

    `still_signed_in` costs one statement; polls go without it until they ask the database, and a save asks by the way.
    """
    if current().kind != "candidate":
        raise NotAllowed
    if still_signed_in:
        demand_sign_in()


def demand_sign_in() -> None:
    """Raise SignedOut if the candidate was archived or their sign-ins were ended."""
    if not accounts.candidate_sign_in_holds(current().id, current().epoch):
        raise SignedOut


def demand_staff(capabilities: tuple[str, ...]) -> None:
    """Close a call to everybody but staff with one of `capabilities`.

    Raises NotAllowed, PasswordChangeNeeded, SignedOut.
    """
    if current().kind != "user":
        raise NotAllowed
    user = accounts.current_user(current().id, current().epoch)
    if user is None:
        raise SignedOut
    if user.must_change_password:
        raise PasswordChangeNeeded  # on a page; a token from before the change is then worth nothing
    if not any(may(Role(user.role), capability) for capability in capabilities):
        raise NotAllowed
    g.api_staff = user


def staff() -> User:
    """Return the calling staff member as the database has them now."""
    return g.api_staff
