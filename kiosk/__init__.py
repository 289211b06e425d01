"""Exam Kiosk: timed trade tests on kiosks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.config import Settings, load_settings

if TYPE_CHECKING:
    from flask import Flask

ROOT = Path(__file__).resolve().parent.parent


def create_app(settings: Settings | None = None, *, background: bool = True) -> Flask:
    """Return the application; `background` off leaves out the threads that a serving process starts."""
    settings = settings or load_settings()
    from kiosk.web.application import Application

    app = Application(__name__, root_path=str(ROOT), instance_path=str(settings.instance_dir))
    app.extensions["settings"] = settings

    from kiosk import cli, embedded, timers
    from kiosk.blueprints import register_blueprints
    from kiosk.extensions import init_extensions
    from kiosk.jobs import pulse
    from kiosk.web import (
        assets,
        compression,
        configure,
        errors,
        headers,
        health,
        lane,
        logs,
        preferences,
        request_time,
        schema_gate,
        signin,
        templating,
        tokens,
    )

    configure.init_app(app, settings)
    if background:
        pulse.init_app(app)  # before all else: a process' first request is stamped with a measured clock, too
    lane.init_app(app, settings)
    logs.init(settings, request_id=request_time.request_id)
    request_time.init_app(app)
    headers.init_app(app, settings)
    init_extensions(app)
    tokens.csrf.init_app(app)
    timers.init_app(app, lambda: embedded.redis_url(settings))
    signin.init_app(app)
    preferences.init_app(app)
    templating.init_app(app)
    assets.init_app(app)
    compression.init_app(app)
    errors.init_app(app)
    schema_gate.init_app(app)
    health.init_app(app)
    register_blueprints(app)
    cli.init_app(app)
    return app
