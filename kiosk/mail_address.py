"""What KIOSK_MAIL_URL says: where mail goes and who sends it. Text only, nothing connects here.

    smtp://[user:password@]host[:port][?from=kiosk@example.org]     STARTTLS wherever the server offers it
    smtps://…                                                       TLS from the first byte

The texts of refusals never repeat the URL: it may hold a password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

PORTS = {"smtp": 587, "smtps": 465}
ADDRESS = re.compile(r"[^\s@<>\",;:]+@[^\s@<>\",;:]+")


@dataclass(frozen=True)
class MailAddress:
    """A mail server and how to speak to it; `str` and `repr` hold no secret."""

    host: str
    port: int
    is_tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    sender: str = ""

    @property
    def is_here(self) -> bool:
        """Whether the server is this machine, so that nothing travels."""
        return self.host in ("localhost", "127.0.0.1", "::1")


def parse(url: str) -> MailAddress:
    """Return what `url` says. Raises ValueError; its text says what is wrong and repeats no secret."""
    scheme, colon, _ = url.partition("://")
    if not colon or scheme not in PORTS:
        raise ValueError("must begin with smtp:// or smtps://")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("host or port cannot be read (in a password write / : @ ? # as %2F %3A …)") from None
    if not host or parts.path not in ("", "/"):
        raise ValueError("needs a host, and nothing behind it: smtp://user:password@mail.example.org:587")
    options = parse_qs(parts.query, keep_blank_values=True)
    if set(options) - {"from"}:
        raise ValueError("the only option after the ? is from")
    user = unquote(parts.username) if parts.username else None
    sender = options.get("from", [""])[0] or (user if user and "@" in user else f"exam-kiosk@{host}")
    if not ADDRESS.fullmatch(sender):
        raise ValueError("from is no e-mail address")
    password = unquote(parts.password) if parts.password else None
    return MailAddress(host, port or PORTS[scheme], scheme == "smtps", user, password, sender)


def problem(url: str) -> str | None:
    """Return what is wrong with a value of KIOSK_MAIL_URL; None if nothing."""
    try:
        if url:
            parse(url)
    except ValueError as error:
        return str(error)
    return None
