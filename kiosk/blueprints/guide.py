"""The manual inside the product: the same pages as in docs/users, in the language of whoever is signed in."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import Blueprint, render_template
from flask_babel import get_locale
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
    folder = PAGES / "hi" if str(get_locale()) == "hi" else PAGES
    return render_template("guide.html", parts=[_html(folder / f"{name}.md") for name in names])


@cache
def _html(file: Path) -> Markup:
    """One manual page as HTML. It is our own text, and raw HTML in it would be shown, not obeyed."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(file.read_text("utf-8"))
    for token in tokens:
        if token.children:  # a link to another file of the documents leads nowhere here
            token.children = [part for part in token.children if not part.type.startswith("link_")]
        if token.type.startswith("heading"):
            token.tag = f"h{int(token.tag[1]) + 1}"  # the page has a heading of its own
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704
