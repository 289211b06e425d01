"""Health: is the process there, is it ready, and figures for Prometheus."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, abort, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from kiosk.services import system

bp = Blueprint("health", __name__)


def init_app(app: Flask) -> None:
    """Serve /healthz, /readyz and /metrics."""
    app.register_blueprint(bp)


@bp.get("/healthz")
def healthz() -> Response:
    """Say that the process serves."""
    return jsonify(status="ok")


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Say how each part fares; 503 only if nobody could work: database or migrations down."""
    checks: dict[str, Any] = system.readiness()
    must_work = (checks["database"], checks["migrations"])
    return jsonify(checks), 503 if "down" in must_work else 200


@bp.get("/metrics")
def metrics() -> Response:
    """Figures of this process, to this machine only."""
    if request.remote_addr not in ("127.0.0.1", "::1"):
        abort(404)
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
