"""The page's token against forged requests, verified once per process for each page instead of at each save."""

from __future__ import annotations

from flask import g, request, session
from flask_wtf.csrf import CSRFProtect, validate_csrf
from wtforms import ValidationError

from kiosk.web.headers import READS

PAIRS_KEPT = 10_000


class KeptTokens(CSRFProtect):
    """Flask-WTF's protection, remembering which tokens of scripts it has found genuine for which session."""

    def __init__(self) -> None:
        super().__init__()
        self._genuine: set[tuple[str, str]] = set()

    def protect(self, apply_exemptions: bool = False) -> None:
        """Let the request pass, or raise CSRFError."""
        if request.method in READS:
            return
        token = request.headers.get("X-CSRFToken")
        if token and self._is_genuine(token):
            g.csrf_valid = True
            g.csrf_token = token  # what is drawn now keeps it: a new signature would say nothing else
        else:
            super().protect(apply_exemptions=apply_exemptions)

    def _is_genuine(self, token: str) -> bool:
        """Tokens don't grow old (WTF_CSRF_TIME_LIMIT), so one that was genuine for a session stays so."""
        pair = (session.get("csrf_token", ""), token)
        if pair in self._genuine:
            return True
        try:
            validate_csrf(token)
        except ValidationError:
            return False
        if len(self._genuine) >= PAIRS_KEPT:
            self._genuine.clear()
        self._genuine.add(pair)
        return True


csrf = KeptTokens()
