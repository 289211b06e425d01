"""Security headers on every answer, and the refusal of cross-site writes."""

from __future__ import annotations

from flask import Flask, Response, abort, request

from kiosk.config import Settings

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
READS = ("GET", "HEAD", "OPTIONS")


def init_app(app: Flask, settings: Settings) -> None:
    """Add the headers and the check."""
    app.before_request(_refuse_cross_site)

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        if settings.uses_https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.endpoint != "static" or response.status_code >= 400:
            # nothing of a page may stay on a kiosk
            response.headers["Cache-Control"] = "no-store"
            response.headers.add("Vary", "HX-Request")
        return response


def _refuse_cross_site() -> None:
    if request.method not in READS and request.headers.get("Sec-Fetch-Site") == "cross-site":
        abort(403)
