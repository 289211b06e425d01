"""Flask, without what it asks for others at each request: our views are synchronous, our templates share one table."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from flask import Flask
from flask.templating import Environment


class Templates(Environment):
    """Jinja as Flask has it, with one table of globals: no template has any of its own."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals themselves: an import of macros compares the tables of both sides at each rendering."""
        return super().make_globals(d) if d else self.globals


class Application(Flask):
    """The product's application."""

    jinja_environment = Templates

    def ensure_sync(self, func: Any) -> Any:
        """Return the function as it is: none is a coroutine, so none has to be asked."""
        return func
