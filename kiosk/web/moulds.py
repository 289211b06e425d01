"""Fragments that are cast: a template is drawn once for what many share, and only what differs is filled in each time.

A published question looks the same for everybody but for its number, the order of its options and what was answered;
drawing all of it anew took longer than the database did (ADR 5).
"""

from __future__ import annotations

import secrets
from collections.abc import Hashable, Mapping
from functools import lru_cache

from flask import current_app, request
from markupsafe import Markup, escape

from kiosk.web import preferences

MOULDS_KEPT = 2_000
# nobody can guess it, so no text of a question is taken for one
_STAND_IN = secrets.token_hex(8)


class Mould:
    """One template, of whose variables some are only printed: those are its slots."""

    def __init__(self, file: str, *slots: str) -> None:
        """Name the template and its slots. A template must not look at a slot, only print it."""
        self._file = file
        self._stand_ins = {name: Markup(f"{_STAND_IN}{name}.") for name in slots}  # noqa: S704  no text of anybody
        self._drawn = lru_cache(MOULDS_KEPT)(self._draw)

    def cast(self, slots: Mapping[str, object], **shared: Hashable) -> Markup:
        """Return the fragment with `slots` filled in, each escaped; what it shares with others chooses the mould.

        Raises KeyError for a slot without a value.
        """
        drawn = self._drawn(preferences.language(), request.script_root, **shared)
        return Markup(drawn % {name: escape(value) for name, value in slots.items()})  # noqa: S704  escaped one by one

    def _draw(self, _language: str, _root: str, **shared: Hashable) -> str:
        drawn = current_app.jinja_env.get_template(self._file).render(self._stand_ins, **shared).replace("%", "%%")
        for name, stand_in in self._stand_ins.items():
            drawn = drawn.replace(stand_in, f"%({name})s")
        return drawn
