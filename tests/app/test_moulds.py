"""A mould is drawn once for what many share; what differs is filled in, and nothing filled in is taken for markup."""

from __future__ import annotations

import pytest
from flask import Flask
from jinja2 import DictLoader
from markupsafe import Markup

from kiosk.web.moulds import Mould

TEMPLATES = {
    "piece.html": "{{ _('Saved %(time)s', time=time) }}|{{ text }}|{{ text }}|{{ note }}{% if loud %}!{% endif %}"
}


@pytest.fixture
def mould(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Mould:
    overlay = app.jinja_env.overlay(loader=DictLoader(TEMPLATES))
    monkeypatch.setattr(app, "jinja_env", overlay)
    return Mould("piece.html", "time", "text")


def cast(app: Flask, mould: Mould, language: str = "en", **values: object) -> str:
    slots = {"time": "10:42", "text": "x"} | {name: values.pop(name) for name in ("time", "text") if name in values}
    shared = {"note": "", "loud": False} | values
    with app.test_request_context("/", headers={"Cookie": f"ui_language={language}"}):
        return str(mould.cast(slots, **shared))  # type: ignore[arg-type]


def test_each_slot_is_filled_in_wherever_it_is_printed(app: Flask, mould: Mould) -> None:
    assert cast(app, mould, text=7) == "Saved 10:42|7|7|"
    assert cast(app, mould, text="b", time="11:00") == "Saved 11:00|b|b|"


def test_what_is_filled_in_is_escaped_unless_it_is_markup(app: Flask, mould: Mould) -> None:
    assert cast(app, mould, text='<i>"') == "Saved 10:42|&lt;i&gt;&#34;|&lt;i&gt;&#34;|"
    assert cast(app, mould, text=Markup("<i>")) == "Saved 10:42|<i>|<i>|"


def test_percent_signs_are_only_percent_signs(app: Flask, mould: Mould) -> None:
    assert cast(app, mould, text="100 %(text)s", note="5 % of %(time)s") == (
        "Saved 10:42|100 %(text)s|100 %(text)s|5 % of %(time)s"
    )


def test_what_is_shared_chooses_the_mould(app: Flask, mould: Mould) -> None:
    assert cast(app, mould, loud=True) == "Saved 10:42|x|x|!"
    assert cast(app, mould, loud=False, note="<") == "Saved 10:42|x|x|&lt;"


def test_each_language_has_its_own(app: Flask, mould: Mould) -> None:
    assert cast(app, mould) != cast(app, mould, "hi")
    assert cast(app, mould) == "Saved 10:42|x|x|"


def test_a_slot_without_a_value_is_an_error(app: Flask, mould: Mould) -> None:
    with app.test_request_context("/"), pytest.raises(KeyError, match="text"):
        mould.cast({"time": "10:42"}, note="", loud=False)
