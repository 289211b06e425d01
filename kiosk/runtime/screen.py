"""What the person at the terminal reads while the server starts and when it is ready."""

from __future__ import annotations

import sys

from kiosk.config import Settings
from kiosk.runtime import net

DEMO_LOGINS = (
    ("candidates", "TEST000001 … TEST000060, start code 123456"),
    ("staff", "admin · centre · centre2 · invigilator · marks · auditor"),
    ("password", "demo-kiosk-2026"),
)
SET_UP = ("set up", ".venv/bin/flask --app wsgi setup --organisation NAME --centre CODE:NAME --admin LOGIN")


def say(line: str) -> None:
    """One calm line of progress."""
    print(f"  {line}", flush=True)


def fail(reason: object) -> int:
    """Say in one line why the server does not start; return the exit code."""
    print(" ".join(str(reason).split()), file=sys.stderr, flush=True)
    return 1


def show_ready(settings: Settings, *, seconds: float, is_empty: bool) -> None:
    """Print the address and what to do with it: how to sign in on demo data, how to set up an empty database."""
    rows: list[tuple[str, str]] = []
    address = net.address_to_show(settings)
    if settings.tls == "auto":
        rows.append(("first visit", f"{address}/kiosk/trust lets a kiosk trust this server"))
    if is_empty:
        rows.append(SET_UP)
    if not settings.is_production:
        rows += DEMO_LOGINS
    width = max((len(label) for label, _ in rows), default=0)
    table = [f"    {label:<{width}}  {text}" for label, text in rows]
    paragraphs = [f"  Exam Kiosk is ready after {seconds:.1f} s:", f"    {address}", "\n".join(table)]
    paragraphs.append(f"  Ctrl-C ends it. Its data: {settings.instance_dir}")
    print("\n" + "\n\n".join(filter(None, paragraphs)) + "\n", flush=True)
