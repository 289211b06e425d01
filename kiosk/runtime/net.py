"""What the supervisor needs to know of this machine's network and limits."""

from __future__ import annotations

import contextlib
import resource
import socket
from urllib.parse import urlsplit

from kiosk.config import Settings

ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared with, never bound
WANTED_OPEN_FILES = 65_536


def addresses() -> list[str]:
    """This machine's addresses, the one used to reach others first."""
    found: list[str] = []
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        # connecting a datagram socket sends nothing, but tells which address would be used
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            found.append(probe.getsockname()[0])
    # a machine whose own name doesn't resolve is common in a hall
    with contextlib.suppress(OSError):
        found += [str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(socket.gethostname(), None)]
    return list(dict.fromkeys(found))


def names_of_this_machine(settings: Settings) -> list[str]:
    """Every name and address under which a kiosk may reach us, sorted."""
    host = socket.gethostname()
    names = {"localhost", "127.0.0.1", "::1", host, host.split(".")[0] + ".local", *addresses()}
    names |= {settings.host, urlsplit(settings.public_url).hostname or "", *settings.trusted_hosts}
    return sorted(name.lower() for name in names - set(ANY_ADDRESS) if name)


def address_to_show(settings: Settings) -> str:
    """The address to type into a browser: the public URL, with a real host where it says "any"."""
    url = urlsplit(settings.public_url)
    if url.hostname not in ANY_ADDRESS:
        return settings.public_url.rstrip("/")
    host = next(iter(addresses()), "127.0.0.1")
    return f"{url.scheme}://{f'[{host}]' if ':' in host else host}:{url.port or settings.port}"


def local_host(settings: Settings) -> str:
    """Where the supervisor itself reaches the server."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - as above


def why_not_free(host: str, port: int) -> str | None:
    """Why the server could not listen there, or None when it can.

    Asked without SO_REUSEPORT: with it, as the server sets it, two servers would share one port unnoticed.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return error.strerror or str(error)
    return None


def raise_open_files() -> None:
    """Allow as many open files as a full hall's connections need, as far as we may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= WANTED_OPEN_FILES:
        return
    enough = hard == resource.RLIM_INFINITY or hard >= WANTED_OPEN_FILES
    for limits in [(WANTED_OPEN_FILES, hard)] if enough else [(WANTED_OPEN_FILES, WANTED_OPEN_FILES), (hard, hard)]:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            return
