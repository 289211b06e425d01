"""The sign-in as the session cookie keeps it: signed, and read without a query."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any
from uuid import UUID

from flask import Flask, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import UserMixin, current_user, login_user, logout_user

from kiosk.capabilities import Role, may
from kiosk.errors import NotAllowed, PasswordChangeNeeded, SignedOut, WrongAudience
from kiosk.extensions import login_manager
from kiosk.models import User
from kiosk.services import accounts, leases
from kiosk.services.accounts import SignedIn
from kiosk.services.audit import Actor
from kiosk.services.leases import Started
from kiosk.web import enrolment
from kiosk.web.request_time import request_id
from kiosk.web.sessions import KeptSessions

LONGEST_AGENT = 200
VISITORS_KEPT = 10_000
OPEN_ENDPOINTS = {"static", "health.healthz", "health.readyz", "health.metrics"}


class Visitor(UserMixin):
    """Who is signed in, as Flask-Login wants it; everything comes from the cookie."""

    def __init__(self, *, kind: str, id: str, name: str, organisation: str, epoch: int, login: int) -> None:
        """Take over what `sign_in_session` kept."""
        self.kind, self.name, self.epoch, self.login_no = kind, name, epoch, login
        self.id, self.organisation_id = UUID(id), UUID(organisation)

    def get_id(self) -> str:
        """Return the id under which Flask-Login finds this sign-in again."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True)
class Sitting:
    """The attempt that this sign-in has open, and its lease."""

    attempt_id: UUID
    lease: int


def init_app(app: Flask) -> None:
    """Close every route without a sign-in, unless its view is marked as open."""
    login_manager.user_loader(_load_visitor)
    app.session_interface = KeptSessions()
    app.before_request(require_sign_in)


def open_to_all(view: Any) -> Any:
    """Mark a view that needs no sign-in."""
    view.is_open_to_all = True
    return view


def sign_in_session(signed_in: SignedIn) -> None:
    """Begin a new session for this person; whatever the old one held is gone."""
    session.clear()
    session["who"] = {
        "kind": signed_in.kind,
        "id": str(signed_in.id),
        "name": signed_in.name,
        "organisation": str(signed_in.organisation_id),
        "epoch": signed_in.epoch,
        "login": signed_in.login_no,
    }
    session.permanent = True
    login_user(Visitor(**session["who"]))


def keep_epoch(epoch: int) -> None:
    """Carry this sign-in over a change that ended all others."""
    session["who"] = session["who"] | {"epoch": epoch}


def sign_out_session() -> None:
    """End the session."""
    logout_user()
    session.clear()


def current_candidate_id() -> UUID:
    """Return the signed-in candidate's id. Raises SignedOut for anybody else."""
    visitor = current_user._get_current_object()
    if not visitor.is_authenticated:
        raise SignedOut
    if visitor.kind != "candidate":
        raise WrongAudience
    return visitor.id


def current_epoch() -> int:
    """Return the epoch of this sign-in: it holds until the person's own epoch moves on."""
    return current_user.epoch


def current_login_no() -> int:
    """Return the number of this sign-in."""
    return current_user.login_no


def current_page() -> int | None:
    """Return the number of the exam page that asks; None for a page that does not know its number yet."""
    kept = g._get_current_object()
    if "asking_page" not in kept:
        text = request.args.get("page") or (request.form.get("page") if request.method == "POST" else None) or ""
        kept.asking_page = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None
    return kept.asking_page


def current_lease() -> int:
    """Return the lease of the page that asks: an attempt is written by the page that holds it."""
    return leases.of_page(current_login_no(), current_page() or 0)


def holds(lease: int) -> bool:
    """Whether the page that asks has this lease; one that has no number yet has it if its sign-in does."""
    if current_page() is None:
        return leases.sign_in_of(lease) == current_login_no()
    return lease == current_lease()


def show_page_of(lease: int) -> None:
    """The page being drawn is the one that has this lease: its number goes into it."""
    g.exam_page = leases.page_of(lease)


def exam_page() -> int:
    """Return the number of the exam page being drawn; a fragment belongs to the page that asked for it."""
    return g.get("exam_page", current_page() or 0)


def current_actor() -> Actor:
    """Return who acts in this request, for the audit log."""
    visitor = current_user._get_current_object()
    return Actor(
        kind=visitor.kind,
        name=visitor.name,
        id=visitor.id,
        organisation_id=visitor.organisation_id,
        request_id=request_id(),
        address=request.remote_addr,
        user_agent=user_agent(),
        kiosk_id=enrolment.current_kiosk_id(),
        is_locked_down=enrolment.is_locked_down(),
        epoch=visitor.epoch if visitor.kind == "candidate" else None,
    )


def user_agent() -> str | None:
    """Return what the browser calls itself, without what could not be shown."""
    words = request.environ.get("HTTP_USER_AGENT", "")
    if not words.isprintable():
        words = "".join(char for char in words if char.isprintable())
    return words[:LONGEST_AGENT] or None


def sitting() -> Sitting | None:
    """Return the attempt that this sign-in opened; None if it opened none."""
    kept = session.get("sitting")
    return Sitting(UUID(kept), current_lease()) if kept else None


def keep_sitting(started: Started) -> None:
    """Remember the attempt in the session."""
    session["sitting"] = str(started.attempt_id)


def forget_sitting() -> None:
    """Forget the attempt."""
    session.pop("sitting", None)


def current_staff() -> User:
    """Return the signed-in staff member as the database has them now: one query a request.

    Raises SignedOut for candidates and for sign-ins that were ended.
    """
    if "staff" not in g:
        if not current_user.is_authenticated:
            raise SignedOut
        if current_user.kind != "user":
            raise WrongAudience
        g.staff = accounts.current_user(current_user.id, current_user.epoch)
    if g.staff is None:
        sign_out_session()
        raise SignedOut
    return g.staff


def user_may(capability: str) -> bool:
    """Whether the signed-in staff member has `capability`; templates ask this for each button."""
    if not current_user.is_authenticated or current_user.kind != "user":
        return False
    return may(Role(current_staff().role), capability)


def needs(capability: str) -> Any:
    """Decorate a view that only staff with `capability` may use."""

    def decorate(view: Any) -> Any:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if current_staff().must_change_password:
                raise PasswordChangeNeeded
            if not may(Role(current_staff().role), capability):
                raise NotAllowed
            return view(*args, **kwargs)

        guarded.needs_capability = capability  # type: ignore[attr-defined]
        return guarded

    return decorate


def _load_visitor(visitor_id: str) -> Visitor | None:
    kept = session.get("who")
    try:
        visitor = _visitor(**kept) if kept else None
    except (TypeError, ValueError):
        return None  # a cookie of an older shape is a sign-out, not an error
    return visitor if visitor and visitor.get_id() == visitor_id else None


@lru_cache(VISITORS_KEPT)
def _visitor(**kept: Any) -> Visitor:
    """A sign-in says the same at each request; whoever reads it changes nothing in it."""
    return Visitor(**kept)


def require_sign_in() -> ResponseReturnValue | None:
    """Return the way to the sign-in for whoever needs one and has none, else None."""
    if request.blueprint == "api":
        return None  # closed by its own guard: it takes tokens only, and a cookie gives nobody access there
    if request.endpoint is None or request.endpoint in OPEN_ENDPOINTS or current_user.is_authenticated:
        return None
    if getattr(current_app.view_functions[request.endpoint], "is_open_to_all", False):
        return None
    if request.headers.get("HX-Request"):
        # a login page must never land in the clock
        return "", 401, {"HX-Redirect": url_for("auth.login")}
    return redirect(url_for("auth.login"))
