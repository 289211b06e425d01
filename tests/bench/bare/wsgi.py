"""The yardstick: a Flask route that does nothing, under the same server."""

from __future__ import annotations

from flask import Flask

app = Flask("bare")


@app.get("/")
def bare() -> str:
    """Say a word."""
    return "ok"
