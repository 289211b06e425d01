"""What KIOSK_REDIS_URL says: one Redis, a master that sentinels name, or a cluster. Text only, nothing connects here.

    redis://[user:password@]host[:port][/db]        rediss:// with TLS        unix:///path[?db=1]
    redis+sentinel://[user:password@]host[:port],host…/service[/db]
    redis+cluster://[user:password@]host[:port],host…

The texts of refusals never repeat the URL: it may hold a password.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote

Shape = Literal["single", "sentinel", "cluster"]
SCHEMES: dict[str, Shape] = {
    "redis": "single",
    "rediss": "single",
    "unix": "single",
    "redis+sentinel": "sentinel",
    "redis+cluster": "cluster",
}
DEFAULT_PORTS: dict[Shape, int] = {"single": 6379, "sentinel": 26379, "cluster": 6379}
FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
TLS_OPTIONS = (*FILES, "ssl_check_hostname")
OPTIONS: dict[Shape, tuple[str, ...]] = {
    "single": ("db", "username", "password", *TLS_OPTIONS),
    "sentinel": ("tls", *TLS_OPTIONS, "sentinel_username", "sentinel_password", "sentinel_tls"),
    "cluster": ("tls", *TLS_OPTIONS),
}
YES_OR_NO = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True)
class RedisAddress:
    """Where Redis is and how to speak to it; `str` and `repr` hold no secret."""

    shape: Shape
    hosts: tuple[tuple[str, int], ...] = ()
    path: str | None = None
    service: str | None = None
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: dict[str, str | bool] | None = None
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)
    sentinel_tls: bool = False


def parse(url: str) -> RedisAddress:
    """Return what `url` says.

    Raises ValueError; its text says what is wrong and repeats no secret.
    """
    scheme, colon, rest = url.partition("://")
    if not colon or scheme not in SCHEMES:
        raise ValueError(f"must be embedded or begin with one of {', '.join(f'{name}://' for name in SCHEMES)}")
    shape = SCHEMES[scheme]
    rest, _, query = rest.partition("?")
    place, slash, path = rest.partition("/")
    sign_in, _, hosts = place.rpartition("@")
    username, _, password = sign_in.partition(":")
    options = _options(query, shape)
    is_unix = scheme == "unix"
    if is_unix and not (slash and path):
        raise ValueError("unix:// needs the path of a socket, unix:///run/redis.sock")
    service, db = ("", options.get("db", "")) if is_unix else _service_and_db(path, shape, options)
    return RedisAddress(
        shape=shape,
        hosts=() if is_unix else _hosts(hosts, shape),
        path=unquote(f"{hosts}/{path}") if is_unix else None,
        service=service or None,
        db=_number(db, "the database", high=65535) if db else 0,
        username=unquote(username) or options.get("username"),
        password=unquote(password) or options.get("password"),
        tls=_tls(options, is_on=scheme == "rediss" or _flag(options, "tls"), also=_flag(options, "sentinel_tls")),
        sentinel_username=options.get("sentinel_username"),
        sentinel_password=options.get("sentinel_password"),
        sentinel_tls=_flag(options, "sentinel_tls"),
    )


def problem(url: str) -> str | None:
    """Return what is wrong with a value of KIOSK_REDIS_URL; None if nothing."""
    if url == "embedded":
        return None
    try:
        parse(url)
    except ValueError as error:
        return str(error)
    return None


def _options(query: str, shape: Shape) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        # a name that nobody knows is not repeated either: "?secret" may be half of a password with a ? in it
        if name not in OPTIONS[shape] or name in options:
            raise ValueError(f"an option after the ? is unknown or there twice; there are {', '.join(OPTIONS[shape])}")
        if not value:
            raise ValueError(f"the option {name} is empty")
        options[name] = value
    return options


def _service_and_db(path: str, shape: Shape, options: dict[str, str]) -> tuple[str, str]:
    parts = [unquote(part) for part in path.split("/")] if path else []
    if shape == "cluster" and parts not in ([], ["0"]):
        raise ValueError("a cluster has no database number and no path")
    if shape == "sentinel":
        if not parts or not parts[0]:
            raise ValueError(
                "redis+sentinel:// needs the name of the master: redis+sentinel://host:port,host:port/name"
            )
        service, *parts = parts
    else:
        service = ""
    if len(parts) > 1 or (parts and parts[0] and "db" in options):
        raise ValueError("the path has too many parts")
    return service, (parts[0] if parts else "") or options.get("db", "")


def _hosts(text: str, shape: Shape) -> tuple[tuple[str, int], ...]:
    names = text.split(",")
    if shape == "single" and len(names) > 1:
        raise ValueError("several hosts need redis+sentinel:// or redis+cluster://")
    return tuple(_host(name.strip(), shape) for name in names)


def _host(text: str, shape: Shape) -> tuple[str, int]:
    host, _, port = text.partition("]")[2].rpartition(":") if text.startswith("[") else text.partition(":")
    if text.startswith("["):
        host = text[1:].partition("]")[0]
    if not host and shape == "single":
        host = "localhost"
    if not host or any(char.isspace() for char in host):
        raise ValueError("a host has no name; several are written host:port,host:port")
    return unquote(host), _number(port, "a port", low=1, high=65535) if port else DEFAULT_PORTS[shape]


def _number(text: str, what: str, *, low: int = 0, high: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6) or not low <= int(text) <= high:
        # a password with an unescaped / or : ends up here, so the text is not repeated
        raise ValueError(f"{what} must be a number from {low} to {high} (in a password write / : @ ? # as %2F %3A …)")
    return int(text)


def _flag(options: dict[str, str], name: str) -> bool:
    value = options.get(name, "0").lower()
    if value not in YES_OR_NO:
        raise ValueError(f"{name} must be 1 or 0")
    return YES_OR_NO[value]


def _tls(options: dict[str, str], *, is_on: bool, also: bool) -> dict[str, str | bool] | None:
    """Return the options of TLS as redis-py names them; None without TLS anywhere."""
    given = [name for name in TLS_OPTIONS if name in options]
    if not (is_on or also):
        if given:
            raise ValueError(f"{given[0]} is for TLS: rediss://, or ?tls=1 with sentinels and clusters")
        return None
    for name in FILES:
        if name in options and not Path(options[name]).is_file():
            raise ValueError(f"{name}: there is no such file")
    tls: dict[str, str | bool] = {name: options[name] for name in FILES if name in options}
    if "ssl_check_hostname" in options:
        tls["ssl_check_hostname"] = _flag(options, "ssl_check_hostname")
    return {"ssl": is_on} | tls
