"""Timer keys without an attempt that runs: what Redis still knows after the database went back to an older backup."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

from flask import current_app

from kiosk.timers.links import Link

KEYS = "exam:timer:*"
BATCH = 1000
_ID = re.compile(r"[0-9a-f]{32}")


def delete_strays(running: Callable[[list[str]], set[str]]) -> int:
    """Delete each key that says time is left for an attempt that is not among the `running`; return how many.

    `running` is given ids as 32 hex digits and tells which run; others besides do no harm. A key that says the
    clock stopped stays its minute. Nothing is lost with a key too many: the next poll writes it.
    """
    store = current_app.extensions["timers"]
    names = {_hex_in(name): name for name in store.call(_names) or ()}
    unknown = [UUID(one) for one in names.keys() - running(list(names)) if _ID.fullmatch(one)] if names else []
    if not unknown:
        return 0
    found = store.find(unknown) or {}
    stopped = {i for i, one in found.items() if one.timer and one.timer.deadline_ms is None}
    suspects = [i.hex for i in unknown if i not in stopped]
    # asked again: an attempt that was resumed meanwhile has its key since
    strays = [names[one] for one in set(suspects) - running(suspects)] if suspects else []
    return store.call(lambda link: sum(link.client_for(name).delete(name) for name in strays)) or 0


def _names(link: Link) -> list[str]:
    return [name for client, _ in link.masters() for name in client.scan_iter(KEYS, count=BATCH)]


def _hex_in(name: str) -> str:
    return name.rpartition(":")[2].strip("{}").replace("-", "")
