"""The manual inside the product: the same pages as in docs/users, for whoever is signed in."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import Blueprint, render_template
from markdown_it import MarkdownIt
from markupsafe import Markup

from kiosk.capabilities import ORGANISATION_WIDE, Role
from kiosk.web.signin import current_staff

bp = Blueprint("guide", __name__, url_prefix="/guide")
PAGES = Path(__file__).resolve().parents[2] / "docs" / "users"


@bp.get("")
def page() -> str:
    """Show the manual of the signed-in staff member's role."""
    role = Role(current_staff().role)
    names = ("admin", "centre") if role in ORGANISATION_WIDE else ("centre",)
    return render_template("guide.html", parts=[_html(name) for name in names])


@cache
def _html(name: str) -> Markup:
    """One manual page as HTML. It is our own text, and raw HTML in it would be shown, not obeyed."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse((PAGES / f"{name}.md").read_text("utf-8"))
    for token in tokens:
        if token.children:  # a link to another file of the documents leads nowhere here
            token.children = [part for part in token.children if not part.type.startswith("link_")]
        if token.type.startswith("heading"):
            token.tag = f"h{int(token.tag[1]) + 1}"  # the page has a heading of its own
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704
