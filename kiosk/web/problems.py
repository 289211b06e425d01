"""Errors under /api: RFC 9457 problem details with a stable code."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify, request
from werkzeug.exceptions import HTTPException

from kiosk.errors import KioskError
from kiosk.web.request_time import request_id

# what a form answers with 422 is a wrong request to a program, unless the contract says otherwise
KEPT_422 = ("key_reused", "key_too_long")
STATUS_OF_CODE = {"open_elsewhere": 403}
SHOWN_DETAILS = ("attempt_status", "reason")
CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "not_json"}
HEADERS_KEPT = ("Allow", "Retry-After")


def is_api() -> bool:
    """Whether this request is a program's and not a browser's."""
    return request.path == "/api" or request.path.startswith("/api/")


def problem(status: int, sentence: Any, code: str, **members: Any) -> Response:
    """Return a problem; `members` are added to it."""
    body = {"type": "about:blank", "title": _phrase(status), "status": status, "detail": str(sentence), "code": code}
    answer = jsonify(body | members | {"request_id": request_id()})
    answer.mimetype = "application/problem+json"
    answer.status_code = status
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def refusal_problem(error: KioskError, retry_after: str) -> Response:
    """Return the problem of a refusal with those of its details that a program needs."""
    status = STATUS_OF_CODE.get(error.code, error.status)
    if status == 422 and error.code not in KEPT_422:
        status = 400
    members = {name: _plain(error.details[name]) for name in SHOWN_DETAILS if name in error.details}
    answer = problem(status, error.sentence, error.code, **members)
    if status in (429, 503):
        answer.headers["Retry-After"] = retry_after
    return answer


def http_problem(error: HTTPException) -> Response:
    """Return the problem of an error that the framework found; a 405 names the methods that are there."""
    status = error.code or 500
    answer = problem(status, error.description or _phrase(status), CODES.get(status, _word(status)))
    given = error.get_response().headers
    answer.headers.update({name: given[name] for name in HEADERS_KEPT if name in given})
    return answer


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _word(status: int) -> str:
    return _phrase(status).lower().replace(" ", "_")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
