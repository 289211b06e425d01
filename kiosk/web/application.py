"""Flask, without what it asks for others at each request: our views are synchronous, our templates share one table."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from functools import lru_cache
from typing import Any

import flask
from flask import Flask
from flask.templating import Environment
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.http import parse_cookie
from werkzeug.routing import MapAdapter
from werkzeug.utils import cached_property

COOKIES_KEPT, LONGEST_KEPT = 10_000, 2000  # no stranger fills the memory with theirs
NAMES_KEPT = 100
BODILESS = (204, 304)


class Templates(Environment):
    """Jinja as Flask has it, with one table of globals: no template has any of its own."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals themselves: an import of macros compares the tables of both sides at each rendering."""
        return super().make_globals(d) if d else self.globals


class Request(flask.Request):
    """Flask's request; a browser's line of cookies is taken apart once, not at each poll."""

    @cached_property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """The cookies by name."""
        line = self.environ.get("HTTP_COOKIE", "")
        return (_cookies if len(line) <= LONGEST_KEPT else _cookies.__wrapped__)(line)


class Response(flask.Response):
    """Flask's response; a body that is there already is handed to the server in one piece."""

    def get_app_iter(self, environ: dict[str, Any]) -> Iterable[bytes]:
        """Return the body, as a list where all of it is known: granian asks an iterator piece by piece (ADR 9)."""
        if self.direct_passthrough or not self.is_sequence:
            return super().get_app_iter(environ)
        has_body = environ["REQUEST_METHOD"] != "HEAD" and self.status_code >= 200 and self.status_code not in BODILESS
        pieces = list(self.iter_encoded()) if has_body else []
        self.close()
        return pieces


class Application(Flask):
    """The product's application."""

    jinja_environment = Templates
    request_class = Request
    response_class = Response

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As Flask's."""
        super().__init__(*args, **kwargs)
        self._names: dict[tuple[str, ...], str] = {}

    def ensure_sync(self, func: Any) -> Any:
        """Return the function as it is: none is a coroutine, so none has to be asked."""
        return func

    def create_url_adapter(self, request: flask.Request | None) -> MapAdapter | None:
        """As Flask's, which looks anew at each request whether the name that was asked for is ours."""
        if request is None:
            return super().create_url_adapter(None)
        environ = request.environ
        asked = environ["wsgi.url_scheme"], environ.get("HTTP_HOST", ""), environ["SERVER_NAME"], environ["SERVER_PORT"]
        name = self._names.get(asked)
        if name is None:
            adapter = super().create_url_adapter(request)  # SecurityError for a name that isn't ours
            if adapter and len(self._names) < NAMES_KEPT:
                self._names[asked] = adapter.server_name
            return adapter
        return MapAdapter(
            self.url_map,
            name,
            environ.get("SCRIPT_NAME", ""),
            "",
            environ["wsgi.url_scheme"],
            environ["PATH_INFO"].encode("latin1").decode(errors="replace"),
            request.method,
            request.query_string.decode("latin1"),
        )


@lru_cache(COOKIES_KEPT)
def _cookies(line: str) -> ImmutableMultiDict[str, str]:
    return ImmutableMultiDict(parse_cookie(line))
