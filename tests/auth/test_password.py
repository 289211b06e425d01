"""Choosing one's own password: forced after one that staff have set, and what is asked of a new one."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from kiosk.extensions import db, transaction
from kiosk.models import User
from kiosk.services import accounts
from tests.cast import PASSWORD, Hall
from tests.desk import Desk

NEW = "nine brown horses"


def change(desk: Desk, current: str = PASSWORD, new: str = NEW, repeated: str | None = None) -> TestResponse:
    """Fill in the form and send it."""
    return desk.post("/password", current=current, new=new, repeated=new if repeated is None else repeated)


@pytest.fixture
def forced(hall: Hall) -> Hall:
    """Every member of staff has a password that somebody else has set."""
    with transaction():
        db.session.execute(update(User).values(must_change_password=True))
    return hall


def test_with_a_password_that_staff_have_set_only_its_change_is_open(forced: Hall, app: Flask) -> None:
    desk = Desk(app, "centre")
    answer = desk.get("/centre/")
    assert (answer.status_code, answer.location) == (303, "/password")
    assert desk.fragment("/centre/").headers["HX-Redirect"] == "/password"
    assert "set by somebody else" in desk.text("/password")
    assert change(desk).status_code == 303
    assert desk.get("/centre/").status_code == 200
    assert accounts.sign_in("centre", NEW, now=forced.MORNING)


def test_a_change_ends_every_other_sign_in(hall: Hall, app: Flask) -> None:
    here, elsewhere = Desk(app, "centre"), Desk(app, "centre")
    change(here)
    assert here.get("/centre/").status_code == 200
    assert elsewhere.get("/centre/").status_code == 401


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"current": "wrong"}, "not your password"),
        ({"current": ""}, "not your password"),
        ({"new": "short"}, "at least 8"),
        ({"new": ""}, "at least 8"),
        ({"new": "x" * 257}, "at most 256"),
        ({"new": "password123"}, "first that anybody tries"),
        ({"new": "JaiHind123"}, "first that anybody tries"),
        ({"repeated": "something else"}, "differ"),
        ({"new": PASSWORD}, "the old one"),
    ],
)
def test_a_bad_choice_is_refused_beside_its_field(hall: Hall, app: Flask, fields: dict[str, str], said: str) -> None:
    answer = change(Desk(app, "centre"), **fields)
    assert answer.status_code == 422
    assert said in answer.get_data(as_text=True)
    assert accounts.sign_in("centre", PASSWORD, now=hall.MORNING)


def test_a_candidate_has_no_password_page(app: Flask) -> None:
    assert Desk(app, "N001").get("/password").status_code == 403
