"""The design system on one page, for whoever works on the screens. Not in production."""

from __future__ import annotations

import re

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

bp = Blueprint("kit", __name__)


@bp.get("/kit")
def kit() -> ResponseReturnValue:
    """Show every part."""
    assert current_app.static_folder
    with open(f"{current_app.static_folder}/img/icons.svg", encoding="utf-8") as sprite:
        names = re.findall(r'<symbol id="([\w-]+)"', sprite.read())
    return render_template("kit.html", icon_names=names)
