"""Timer keys without an attempt that runs: what Redis still knows after the database went back to an older backup."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

from flask import current_app

from kiosk.timers.links import Link

KEYS = "exam:timer:*"
_ID = re.compile(r"[0-9a-f-]{36}")
BATCH = 1000


def delete_strays(running: Callable[[list[UUID]], set[UUID]]) -> int:
    """Delete each key that says time is left for an attempt that is not among the `running`; return how many.

    A key that says the clock stopped stays its minute. Nothing is lost with a key too many: the next poll writes it.
    """
    store = current_app.extensions["timers"]
    names = {_id_in(name): name for name in store.call(_names) or ()}
    ids, deleted = [attempt_id for attempt_id in names if attempt_id], 0
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        found = store.find(batch) or {}
        stopped = {i for i, one in found.items() if one.timer and one.timer.deadline_ms is None}
        strays = [names[i] for i in set(batch) - stopped - running(batch)]
        if strays:
            deleted += store.call(lambda link, strays=strays: sum(_delete(link, name) for name in strays)) or 0
    return deleted


def _names(link: Link) -> list[str]:
    return [name for client, _ in link.masters() for name in client.scan_iter(KEYS, count=BATCH)]


def _delete(link: Link, name: str) -> int:
    return link.client_for(name).delete(name)


def _id_in(name: str) -> UUID | None:
    found = _ID.search(name)
    return UUID(found[0]) if found else None
