"""The candidate's own photo."""

from __future__ import annotations

from flask import Response

from kiosk.blueprints.candidate import bp
from kiosk.services import photos
from kiosk.web.signin import current_candidate_id


@bp.get("/photo")
def photo() -> Response:
    """Return the photo of whoever is signed in, to nobody else; nothing of it stays on the kiosk."""
    found = photos.photo(current_candidate_id())
    return Response(found.image, mimetype=found.mime)
