"""Request bodies, read strictly: what Python's parser lets pass and the contract does not is refused."""

from __future__ import annotations

import json
import math
from typing import Any

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from kiosk.blueprints.api.fields import Body
from kiosk.errors import BadInput

MOST_DIGITS = 300  # what is longer fits no float, and arithmetic with it fails


def read(body: Body | None) -> dict[str, Any]:
    """Return the fields of the request's body; unknown ones are left out.

    Without a `body` to expect, an empty one or any object will do, whatever its Content-Type says.
    Raises BadInput, UnsupportedMediaType.
    """
    if body is None and request.method in ("GET", "HEAD"):
        return {}
    data = request.get_data(cache=True)
    if body is None:
        if data.strip():
            parse(data)
        return {}
    if data and request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise UnsupportedMediaType("This call takes application/json.")
    return body.read(parse(data))


def parse(data: bytes) -> dict[str, Any]:
    """Return the object that `data` describes. Raises BadInput for anything else."""
    try:
        found = json.loads(
            data.decode("utf-8"),
            parse_constant=_refuse,
            parse_float=_finite,
            parse_int=_whole,
            object_pairs_hook=_without_duplicates,
        )
    except (ValueError, RecursionError) as error:
        raise BadInput(problem="The body is not valid JSON.") from error
    if not isinstance(found, dict):
        raise BadInput(problem="The body must be a JSON object.")
    return found


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number too large")
    return number


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError("a number too large")
    return int(text)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
