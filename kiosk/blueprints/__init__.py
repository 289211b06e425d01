"""The outside, cut by audience."""

from __future__ import annotations

from flask import Flask


def register_blueprints(app: Flask) -> None:
    """Hang every blueprint into `app`."""
    from kiosk.blueprints import account, admin, again, api, auth, candidate, centre, enrol, guide, kit, password, trust

    for module in (auth, password, again, account, guide, enrol, trust, candidate, centre, admin, api):
        app.register_blueprint(module.bp)
    if not app.extensions["settings"].is_production:
        app.register_blueprint(kit.bp)
