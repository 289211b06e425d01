"""`call`: hangs a view into the API with its guard, its body and its description, all from the same words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Literal

from flask import Response, g, jsonify

from kiosk.blueprints.api import bodies, bp, caller
from kiosk.blueprints.api.fields import Body
from kiosk.web.signin import open_to_all

# a candidate's poll costs no statement: whether the sign-in still holds is asked where the database is asked anyway
Who = Literal["anybody", "candidate", "quick candidate", "staff"]
Answer = Response | tuple[dict[str, Any], int] | dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One call of the API. `answers` names the schema of each success, `refusals` the codes of each error."""

    method: str
    path: str
    name: str
    group: str
    who: Who
    summary: str
    description: str
    answers: dict[int, str | None]
    refusals: dict[int, str]
    body: Body | None = None
    needs: tuple[str, ...] = ()
    headers: dict[int, dict[str, str]] = field(default_factory=dict)
    takes_key: bool = False


CALLS: list[Call] = []


def call(
    method: str,
    path: str,
    *,
    group: str,
    who: Who,
    answers: dict[int, str | None],
    refusals: dict[int, str] | None = None,
    **more: Any,
) -> Callable[[Callable[..., Answer]], Callable[..., Response]]:
    """Decorate a view: its docstring describes it, `who` may call it, and its return value becomes JSON."""

    def decorate(view: Callable[..., Answer]) -> Callable[..., Response]:
        summary, _, description = (view.__doc__ or "").strip().partition("\n")
        described = Call(
            method,
            path,
            view.__name__,
            group,
            who,
            summary,
            " ".join(description.split()),
            answers,
            refusals or {},
            **more,
        )
        CALLS.append(described)
        guarded = _guarded(view, described)
        bp.add_url_rule(path, view.__name__, guarded, methods=[method])
        return guarded

    return decorate


def _guarded(view: Callable[..., Answer], described: Call) -> Callable[..., Response]:
    @wraps(view)
    def run(**arguments: Any) -> Response:
        _admit(described)
        g.api_body = bodies.read(described.body)
        answer = view(**arguments)
        if isinstance(answer, Response):
            return answer
        body, status = answer if isinstance(answer, tuple) else (answer, 200)
        response = jsonify(body)
        response.status_code = status
        return response

    return open_to_all(run) if described.who == "anybody" else run


def _admit(described: Call) -> None:
    if described.who == "staff":
        caller.demand_staff(described.needs)
    elif described.who != "anybody":
        caller.demand_candidate(still_signed_in=described.who == "candidate")


def sent() -> dict[str, Any]:
    """Return the fields of this call's body."""
    return g.api_body
