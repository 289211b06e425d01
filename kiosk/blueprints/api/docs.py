"""The description of the API: for programs as OpenAPI, for people as a page. Open to everybody."""

from __future__ import annotations

from flask import Response, jsonify, render_template
from flask.typing import ResponseReturnValue

from kiosk.blueprints.api import bp
from kiosk.blueprints.api.calls import CALLS
from kiosk.blueprints.api.document import address, document, refusals
from kiosk.web.signin import open_to_all


@bp.get("/openapi.json")
@open_to_all
def openapi() -> Response:
    """Return the OpenAPI 3.1 document."""
    return jsonify(document())


@bp.get("/docs")
@open_to_all
def docs() -> ResponseReturnValue:
    """Show every call with its body, its answers and its errors."""
    return render_template("api/docs.html", calls=CALLS, document=document(), address=address, refusals=refusals)
