"""Asks the server whether it is ready. A fresh server process begins its sweeping with the first question."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any
from urllib.parse import urlsplit

from kiosk.config import Settings
from kiosk.runtime import net

ASK_SECONDS = 3.0


def not_ready_because(settings: Settings, *, with_tls: bool) -> str | None:
    """None when the server is ready for requests, else what is missing, in a few words."""
    try:
        status, body = _ask(settings, with_tls=with_tls)
    except (OSError, http.client.HTTPException):
        return "the server does not answer yet"
    if status != http.client.SERVICE_UNAVAILABLE:
        return None
    return ", ".join(f"{name} is down" for name, state in body.items() if state == "down") or "not ready"


def _ask(settings: Settings, *, with_tls: bool) -> tuple[int, dict[str, Any]]:
    connection = _connect(settings, with_tls=with_tls)
    try:
        connection.request("GET", "/readyz", headers={"Host": _host(settings)})
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    try:
        body = json.loads(content)
    except ValueError:
        body = {}
    return response.status, body if isinstance(body, dict) else {}


def _host(settings: Settings) -> str:
    """A name that the server accepts: it may trust only some."""
    if settings.trusted_hosts:
        return settings.trusted_hosts[0].lstrip(".")
    return urlsplit(settings.public_url).netloc


def _connect(settings: Settings, *, with_tls: bool) -> http.client.HTTPConnection:
    host = net.local_host(settings)
    if not with_tls:
        return http.client.HTTPConnection(host, settings.port, timeout=ASK_SECONDS)
    # our own server on this machine; a bought certificate would not name the loopback address
    context = ssl._create_unverified_context()  # noqa: S323
    return http.client.HTTPSConnection(host, settings.port, timeout=ASK_SECONDS, context=context)
