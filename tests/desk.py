"""A staff member at a desk: a browser with a sign-in, and what every page must be like."""

from __future__ import annotations

import contextvars
import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from kiosk.extensions import db
from tests.cast import Hall, csrf_of


class Desk:
    """A browser in which somebody is signed in. Each request has a context of its own, as on a real server."""

    def __init__(self, app: Flask, login: str | None = None) -> None:
        """Open the browser; with a login, sign in through the page."""
        self.client: FlaskClient = app.test_client()
        self.token = ""
        if login:
            self.run(lambda: app.extensions["hall"].sign_in(self.client, login))

    def run(self, work: Callable[[], Any]) -> Any:
        """Do something outside of the test's own application context, whose `g` would outlive the request."""
        return contextvars.Context().run(work)

    def get(self, address: str, **more: Any) -> TestResponse:
        """Ask for a page; what is sent piece by piece is gathered while its request is still known."""
        return self.run(lambda: self.client.get(address, **{"buffered": True} | more))

    def fragment(self, address: str) -> TestResponse:
        """Ask for a fragment, as HTMX does."""
        return self.get(address, headers={"HX-Request": "true"})

    def post(self, address: str, *, follow: bool = False, htmx: bool = False, **form: Any) -> TestResponse:
        """Send a form with the token that every page of this sign-in carries."""
        if not self.token:
            self.token = csrf_of(self.get("/", follow_redirects=True).get_data(as_text=True))
        headers = {"HX-Request": "true"} if htmx else {}
        data = {"csrf_token": self.token} | form
        return self.run(lambda: self.client.post(address, data=data, headers=headers, follow_redirects=follow))

    def text(self, address: str, *, status: int = 200) -> str:
        """The page at an address, in which each run of white space is one space."""
        answer = self.get(address)
        assert answer.status_code == status, answer.get_data(as_text=True)[:2000]
        return plain(answer)


def plain(answer: TestResponse) -> str:
    """What can be read on a page."""
    page = re.sub(r"(?s)<(script|style|svg).*?</\1>", "", answer.get_data(as_text=True))
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found[1]


def row_counts() -> dict[str, int]:
    """How many rows each table has."""
    db.session.rollback()
    return {
        table.name: db.session.execute(select(func.count()).select_from(table)).scalar_one()
        for table in db.metadata.sorted_tables
    }


class PageCheck(HTMLParser):
    """What is wrong with a page: title, headings, labels, ids, tokens, and what the CSP forbids."""

    def __init__(self, page: str) -> None:
        """Read the page."""
        super().__init__()
        self.problems: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.labelled: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.forms: list[tuple[dict[str, str | None], list[str]]] = []
        self.depth_of_label = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a tag."""
        given = dict(attrs)
        self.tags[tag] += 1
        if given.get("id"):
            self.ids[str(given["id"])] += 1
        if tag == "label":
            self.depth_of_label += 1
            self.labelled.add(given.get("for") or "")
        if tag == "form":
            self.forms.append((given, []))
        if tag in ("input", "select", "textarea") and given.get("type") != "hidden":
            self.fields.append(given | {"inside": "yes" if self.depth_of_label else None})
        if tag == "input" and self.forms:
            self.forms[-1][1].append(str(given.get("name")))
        if "style" in given or tag == "style":
            self.problems.append(f"inline style in <{tag}>")
        if tag == "script" and "src" not in given:
            self.problems.append("inline script")
        self.problems += [f"{name} on <{tag}>" for name in given if name.startswith(("on", "hx-on"))]

    def handle_endtag(self, tag: str) -> None:
        """Leave a tag."""
        if tag == "label":
            self.depth_of_label -= 1

    def found(self) -> list[str]:
        """Return everything that is wrong."""
        wrong = list(self.problems)
        if self.tags["title"] != 1 or self.tags["h1"] != 1:
            wrong.append(f"{self.tags['title']} titles, {self.tags['h1']} h1")
        wrong += [f"id {name} stands twice" for name, count in self.ids.items() if count > 1]
        wrong += [
            f"field {field.get('name')} has no label"
            for field in self.fields
            if not field["inside"] and field.get("id") not in self.labelled and not field.get("aria-label")
        ]
        wrong += [
            f"form {form.get('action')} has no CSRF token"
            for form, names in self.forms
            if (form.get("method") or "").lower() == "post" and "csrf_token" not in names
        ]
        return wrong


__all__ = ["Desk", "Hall", "PageCheck", "hidden", "plain", "row_counts"]
