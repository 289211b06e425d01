"""Reports on what was done to many records of the office: kept as jobs that are over, one line for each record."""

from __future__ import annotations

import io
from datetime import datetime
from uuid import UUID

from kiosk.services import jobs
from kiosk.services.audit import Actor
from kiosk.services.deeds import Done
from kiosk.services.exchange import writers
from kiosk.services.jobs import Order, Outcome

COLUMNS = ("name", "result", "note")
NAMED = 3


def keep(kind: str, done: Done, organisation_id: UUID, reason: str, *, by: Actor, now: datetime) -> UUID:
    """Keep the report on what was done; return the id of the job that holds it."""
    output = io.BytesIO()
    writers.write_csv(output, COLUMNS, [_line(name, done.why.get(one)) for one, name in done.names.items()])
    names = list(done.names.values())
    order = Order(
        kind=f"office_{kind}",
        title=", ".join(names[:NAMED])[:150] + (" …" if len(names) > NAMED else ""),
        organisation_id=organisation_id,
        params={"reason": reason.strip()},
        steps_total=len(names),
    )
    result = {"changed": done.changed, "skipped": dict(done.skipped)}
    outcome = Outcome(result, f"{kind}.csv".replace("_", "-"), output.getvalue())
    return jobs.record_finished(order, outcome, by=by, now=now)


def _line(name: str, why: str | None) -> list[str]:
    return [name, "unchanged" if why else "changed", (why or "").replace("_", " ")]
