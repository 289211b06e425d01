"""What every template may use, as globals: nothing is gathered anew for each fragment, and macros see it all."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import flask
from flask import Flask, current_app, has_request_context, request
from flask_babel import get_translations, lazy_gettext
from flask_login import current_user
from markupsafe import Markup
from werkzeug.local import LocalProxy

from kiosk.web import htmx, local_time, once, preferences, signin

PHRASES_KEPT = 10_000


def init_app(app: Flask) -> None:
    """Give the templates their globals and filters."""
    templates = app.jinja_env
    templates.globals.update(
        _=translated,
        gettext=translated,
        url_for=_address_maker(),
        ui=LocalProxy(preferences.ui),
        product_name=lazy_gettext("Trade Test"),
        visitor=current_user,
        may=signin.user_may,
        exam_page=signin.exam_page,
        knows=knows,
        poll_ms=htmx.poll_ms,
        form_number=once.number,
        cell_button=cell_button,
        marks_words=marks_words,
        type_word=type_word,
    )
    templates.filters.update(
        clock_time=preferences.clock_time,
        clock_seconds=preferences.clock_seconds,
        long_date=preferences.long_date,
        hours_minutes=preferences.hours_minutes,
        hms=preferences.hms,
    )
    local_time.init_app(templates)


def knows(endpoint: str) -> bool:
    """Whether the product has this page."""
    return endpoint in current_app.view_functions


def translated(text: str, **values: Any) -> Markup:
    """Return the text in the language of this request; `values` are escaped where they are put in."""
    return _phrase(preferences.language(), text) % values if values else _words(preferences.language(), text)


@lru_cache(PHRASES_KEPT)
def _phrase(_language: str, text: str) -> Markup:
    """Looked up once: what Flask-Babel does for each word costs more than all the rest of a small fragment."""
    return Markup(get_translations().ugettext(text))  # noqa: S704  our own texts


@lru_cache(PHRASES_KEPT)
def _words(language: str, text: str) -> Markup:
    """A text without values; it is a format string as well, so that a "%" is written in the same way in all of them."""
    return _phrase(language, text) % {}


def _kept(file: str, macro: str) -> Any:
    """A macro that says the same for the same arguments and language: it is drawn once for each."""

    @lru_cache(PHRASES_KEPT)
    def drawn(_language: str, *given: Any) -> Markup:
        return getattr(current_app.jinja_env.get_template(file).module, macro)(*given)

    return lambda *given: drawn(preferences.language(), *given)


cell_button = _kept("macros/exam.html", "cell_button")
option_label = _kept("macros/exam.html", "option_label")
marks_words = _kept("candidate/words.html", "marks_words")
type_word = _kept("candidate/words.html", "type_word")


def _address_maker() -> Any:
    """Flask's url_for, which remembers the addresses that never change: of files, and of views that take nothing."""

    @cache
    def kept(_root: str, endpoint: str, filename: str | None) -> str:
        return flask.url_for(endpoint, filename=filename) if filename else flask.url_for(endpoint)

    def url_for(endpoint: str, **values: Any) -> str:
        is_file = endpoint == "static" and values.keys() == {"filename"}
        # below a relative name or with values of the address itself, url_for looks at the request
        if (values and not is_file) or endpoint.startswith(".") or not has_request_context():
            return flask.url_for(endpoint, **values)
        return kept(request.script_root, endpoint, values.get("filename"))

    return url_for
