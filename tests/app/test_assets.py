"""Static files: one address for each release, kept for good; few of them on a page."""

from __future__ import annotations

import re

from flask import Flask, url_for
from flask.testing import FlaskClient

from kiosk.web import assets


def address(app: Flask, name: str) -> str:
    """The address that pages give a static file."""
    with app.test_request_context():
        return url_for("static", filename=name)


def test_what_a_page_names_is_kept_for_good(app: Flask, client: FlaskClient) -> None:
    page = client.get("/login").get_data(as_text=True)
    named = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page))
    assert named
    for one in named:
        answer = client.get(one)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, assets.FOR_GOOD), one


def test_an_address_of_another_release_is_not_kept(app: Flask, client: FlaskClient) -> None:
    assert client.get("/static/css/tokens.css").headers["Cache-Control"] == assets.ASK_AGAIN
    assert client.get("/static/0123456789ab/css/tokens.css").status_code == 404
    assert client.get(address(app, "css/../../wsgi.py")).status_code == 404


def test_the_pages_of_an_audience_share_one_stylesheet(app: Flask, client: FlaskClient) -> None:
    for bundle, parts in assets.BUNDLES.items():
        answer = client.get(address(app, bundle))
        assert answer.mimetype == "text/css"
        for part in parts:
            assert client.get(address(app, part)).get_data() in answer.get_data()
        again = client.get(address(app, bundle), headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.get_data()) == (304, b"")


def test_any_changed_byte_makes_new_addresses(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.css").write_text("a")
    first = assets._digest(tmp_path)
    assert assets._digest(tmp_path) == first
    (tmp_path / "a.css").write_text("b")
    assert assets._digest(tmp_path) != first
