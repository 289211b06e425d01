"""Security headers on every answer, and the refusal of cross-site writes."""

from __future__ import annotations

from typing import Any

from flask import Flask, abort, request

from kiosk.config import Settings

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = (
    ("Content-Security-Policy", CSP),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
    ("Vary", "Accept-Encoding, HX-Request"),
)
HTTPS = (("Strict-Transport-Security", "max-age=31536000"),)
# nothing of a page may stay on a kiosk
NOT_KEPT = (("Cache-Control", "no-store"),)
READS = ("GET", "HEAD", "OPTIONS")
GOOD = "123"


def init_app(app: Flask, settings: Settings) -> None:
    """Add the headers and the check."""
    app.before_request(_refuse_cross_site)
    always = HEADERS + (HTTPS if settings.uses_https else ())
    app.wsgi_app = _Headers(app.wsgi_app, always, f"{app.static_url_path}/")  # type: ignore[method-assign]


class _Headers:
    """Around the application, so that whatever answers has them, and adding them costs a poll nothing."""

    def __init__(self, application: Any, always: tuple[tuple[str, str], ...], files: str) -> None:
        self._application, self._always, self._files = application, [*always], files

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        is_file = environ["PATH_INFO"].startswith(self._files)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            # a file says itself for how long it is good
            if not (is_file and status[0] in GOOD):
                headers = [(name, value) for name, value in headers if name != "Cache-Control"]
                headers += NOT_KEPT
            return start_response(status, headers + self._always, exc_info)

        return self._application(environ, start)


def _refuse_cross_site() -> None:
    if request.method not in READS and request.environ.get("HTTP_SEC_FETCH_SITE") == "cross-site":
        abort(403)
