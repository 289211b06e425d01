"""Flask's own configuration, derived from the settings."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import kiosk
from kiosk.config import Settings
from kiosk.extensions import engine_options
from kiosk.runtime.net import names_of_this_machine
from kiosk.web import uploads

LARGEST_BODY = 2 * 1024 * 1024


def init_app(app: Flask, settings: Settings) -> None:
    """Set what Flask and its extensions read."""
    secure = settings.uses_https
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MIGRATIONS_DIR=str(kiosk.ROOT / "migrations"),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database_url),
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=LARGEST_BODY,
        TRUSTED_HOSTS=[*settings.trusted_hosts] or [_as_host(name) for name in names_of_this_machine(settings)],
        SESSION_COOKIE_NAME="__Host-kiosk" if secure else "kiosk",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        WTF_CSRF_TIME_LIMIT=None,  # a token lives as long as its sign-in: an exam outlasts the default hour
        WTF_CSRF_HEADERS=["X-CSRFToken"],
        WTF_CSRF_SSL_STRICT=False,  # the Sec-Fetch-Site check stands in its place; a missing Referer is no attack
        WTF_I18N_ENABLED=False,  # WTForms has no Hindi: the forms' words are our own
        BABEL_DEFAULT_LOCALE="en",
        BABEL_TRANSLATION_DIRECTORIES=str(kiosk.ROOT / "translations"),
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.url_map.strict_slashes = False
    uploads.init_app(app)
    if settings.proxy_count:
        count = settings.proxy_count
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]


def _as_host(name: str) -> str:
    """A name as it stands in a Host header: IPv6 addresses in brackets."""
    return f"[{name}]" if ":" in name else name
