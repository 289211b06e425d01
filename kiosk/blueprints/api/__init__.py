"""The JSON API: other programs sit exams through the same services as the screens. Tokens only, no cookies.

`call` hangs a view into the blueprint and describes it in one place: the route, the guard and the OpenAPI document
come from the same words (docs/adr/0003-the-api.md says why there is no framework underneath).
"""

from __future__ import annotations

from flask import Blueprint, current_app, request

from kiosk.blueprints.api import caller
from kiosk.web.tokens import csrf

bp = Blueprint("api", __name__, url_prefix="/api")
# no cookie counts here, so there is nothing that another site could make a browser send
csrf.exempt(bp)


@bp.before_request
def demand_token() -> None:
    """Close every call without a token, unless its view is marked as open."""
    if not getattr(current_app.view_functions[str(request.endpoint)], "is_open_to_all", False):
        caller.authenticate()


from kiosk.blueprints.api import attempts, auth, docs, exam, staff  # noqa: E402, F401  they hang their routes into `bp`
