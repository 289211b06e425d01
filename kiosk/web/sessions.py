"""The session cookie: signed, read without a query, and verified once by each process instead of at each poll."""

from __future__ import annotations

import threading
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer

COOKIES_KEPT = 10_000


class KeptSessions(SecureCookieSessionInterface):
    """Flask's own sessions, remembering which cookies it has found genuine and what they say.

    The same cookie says the same forever; only its age is asked each time. One that holds something that a request may
    change in place (flashed messages are a list) isn't kept.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._known: dict[str, tuple[dict[str, Any], float]] = {}
        self._serializer: tuple[Any, URLSafeTimedSerializer | None] | None = None
        self._clock = TimestampSigner("by whose clock cookies are signed")

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of the request's cookie; an empty one for a missing, forged or old cookie."""
        cookie = request.cookies.get(self.get_cookie_name(app), "")
        known = self._known.get(cookie) if cookie else None
        if known is None:
            known = self._read(app, cookie)
        longest = app.permanent_session_lifetime.total_seconds()
        if known is None or not 0 <= self._clock.get_timestamp() - known[1] <= longest:
            return self.session_class()
        return self.session_class(known[0])

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write the cookie if anything in it has changed. Nobody keeps our answers, so none says what it varies by."""
        if session.modified:
            super().save_session(app, session, response)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """As Flask's, made once for each key."""
        key = app.secret_key
        if self._serializer is None or self._serializer[0] != key:
            self._serializer = key, super().get_signing_serializer(app)
        return self._serializer[1]

    def _read(self, app: Flask, cookie: str) -> tuple[dict[str, Any], float] | None:
        serializer = self.get_signing_serializer(app)
        if serializer is None or not cookie:
            return None
        try:
            says, signed_at = serializer.loads(cookie, return_timestamp=True)
        except BadSignature:
            return None
        known = (says, signed_at.timestamp())
        if not any(isinstance(value, list) for value in says.values()):
            with self._guard:
                if len(self._known) >= COOKIES_KEPT:
                    self._known.clear()  # rare, and costs each sign-in one look at its signature
                self._known[cookie] = known
        return known
