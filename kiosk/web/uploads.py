"""Files that staff send: only the views that say so take more than a form, and only from somebody signed in."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, request
from flask_login import current_user
from werkzeug.datastructures import FileStorage

LONGEST_NAME = 120


def up_to(megabytes: int) -> Callable[[Any], Any]:
    """Mark a view that takes a file of this size."""

    def mark(view: Any) -> Any:
        view.largest_body = megabytes * 1024 * 1024
        return view

    return mark


def init_app(app: Flask) -> None:
    """Raise the limit before anything reads the form: the check of its token does."""
    app.before_request(_raise_limit)


def size_of(given: FileStorage) -> int:
    """Return how many bytes a file has that was sent."""
    size = given.stream.seek(0, io.SEEK_END)
    given.stream.seek(0)
    return size


def file_name(given: str | None) -> str:
    """Return the name of a file that was sent, fit to be shown and kept: no folders, nothing invisible."""
    last = (given or "").replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if unicodedata.category(char)[0] != "C")[-LONGEST_NAME:]


def _raise_limit() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    largest = getattr(view, "largest_body", None)
    if largest and current_user.is_authenticated and current_user.kind == "user":
        request.max_content_length = largest
