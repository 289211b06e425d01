"""The OpenAPI 3.1 document, made of what each `call` says of itself."""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from typing import Any

from kiosk.blueprints.api.calls import CALLS, Call
from kiosk.blueprints.api.repeats import HEADER
from kiosk.blueprints.api.schemas import ID, SCHEMAS, ref
from kiosk.services.idempotency import LONGEST_KEY

INTRODUCTION = (
    "Timed exams for other programs, through the same services as the screens. Errors are RFC 9457 problem details "
    "with a stable `code`. Times are ISO 8601 UTC. A trailing slash makes no difference. Unknown fields are ignored."
)
_PARAMETER = re.compile(r"<uuid:(\w+)>")
# what every call may answer, whatever it does
ALWAYS = {401: "signed_out", 503: "busy"}
WITH_BODY = {400: "bad_input", 413: "too_large", 415: "not_json"}


@cache
def document() -> dict[str, Any]:
    """Return the document; it is the same for everybody."""
    paths: dict[str, dict[str, Any]] = {}
    for one in CALLS:
        paths.setdefault(address(one), {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Exam Kiosk", "version": "1", "description": INTRODUCTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(one.group for one in CALLS)],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
        "security": [{"token": []}],
    }


def address(one: Call) -> str:
    """Return the call's path as OpenAPI writes it."""
    return "/api" + _PARAMETER.sub(r"{\1}", one.path)


def refusals(one: Call) -> dict[int, str]:
    """Return the codes of a call's errors by status: its own and those that come with its kind."""
    common = dict(ALWAYS)
    if one.who == "anybody":
        common[401] = ""
    if one.body is not None:
        common |= WITH_BODY
    elif one.method != "GET":
        common |= {status: WITH_BODY[status] for status in (400, 413)}
    if one.who == "staff":
        common[403] = "password_change_needed"
    found = {
        status: ", ".join(dict.fromkeys(_words(one.refusals.get(status)) + _words(common.get(status))))
        for status in sorted(one.refusals.keys() | common.keys())
    }
    return {status: codes for status, codes in found.items() if codes}


def _words(codes: str | None) -> list[str]:
    return [code for code in (codes or "").split(", ") if code]


def _operation(one: Call) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": one.name,
        "tags": [one.group],
        "summary": one.summary,
        "description": f"{one.description} {_who(one)}".strip(),
        "parameters": _parameters(one),
        "responses": {str(status): _success(one, status) for status in one.answers}
        | {str(status): _error(status, codes) for status, codes in refusals(one).items()},
    }
    if one.body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": one.body.schema}}}
    if one.who == "anybody":
        found["security"] = []
    return found


def _who(one: Call) -> str:
    if one.who == "anybody":
        return "Open to everybody."
    return f"For staff with {' or '.join(one.needs)}." if one.who == "staff" else "For candidates."


def _parameters(one: Call) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": ID} for name in _PARAMETER.findall(one.path)
    ]
    if one.takes_key:
        schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY}
        found.append({"name": HEADER, "in": "header", "required": False, "schema": schema})
    return found


def _success(one: Call, status: int) -> dict[str, Any]:
    found: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    schema = one.answers[status]
    if schema is not None:
        found["content"] = {"application/json": {"schema": ref(schema)}}
    headers = one.headers.get(status)
    if headers:
        found["headers"] = {name: {"required": True, "schema": {"type": kind}} for name, kind in headers.items()}
    return found


def _error(status: int, codes: str) -> dict[str, Any]:
    return {
        "description": f"{HTTPStatus(status).phrase}: {codes}",
        "content": {"application/problem+json": {"schema": ref("Problem")}},
    }
