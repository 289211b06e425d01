"""Static files: each release has its own addresses, so browsers keep them for good, and pages load few of them.

The digest stands in the path, not behind it: what a module imports and a stylesheet names relatively keeps it too.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
# what the pages of an audience share travels as one stylesheet
BUNDLES = {
    "css/candidate.css": ("css/tokens.css", "css/parts.css", "css/exam.css", "css/pages.css"),
    "css/staff-pages.css": (
        "css/tokens.css",
        "css/parts.css",
        "css/nav.css",
        "css/staff.css",
        "css/lists.css",
        "css/board.css",
    ),
}


def init_app(app: Flask) -> None:
    """Put the digest into each address, and serve what has it as something that never changes."""
    assert app.static_folder is not None
    folder = Path(app.static_folder)
    digest = _digest(folder)
    bundles = {name: b"\n".join((folder / part).read_bytes() for part in parts) for name, parts in BUNDLES.items()}

    @app.url_defaults
    def add_digest(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "filename" in values:
            values["filename"] = f"{digest}/{values['filename']}"

    def static(filename: str) -> ResponseReturnValue:
        first, _, rest = filename.partition("/")
        name = rest if first == digest else filename
        response = _bundle(bundles[name]) if name in bundles else app.send_static_file(name)
        response.headers["Cache-Control"] = FOR_GOOD if first == digest else ASK_AGAIN
        return response

    app.view_functions["static"] = static


def _bundle(text: bytes) -> Response:
    response = Response(text, mimetype="text/css")
    response.add_etag()
    response.make_conditional(request)
    return response


def _digest(folder: Path) -> str:
    """A word that changes with any byte of any static file."""
    seen = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            seen.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return seen.hexdigest()[:12]
