"""`flask doctor`: configuration, schema, Redis, clock, and the invariants. Read-only."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from kiosk import clock, timers
from kiosk.services import invariants, schema, seals, system

BROKEN, COULD_NOT_CHECK = 1, 2
CLOCK_SECONDS = 2


@click.command("doctor")
@with_appcontext
def doctor() -> None:
    """Look for what is broken: 0 nothing (warnings allowed), 1 broken, 2 could not check."""
    try:
        pending = schema.pending_migrations()
        if pending:
            _line("schema", "broken", f"pending: {', '.join(pending)}")
            raise SystemExit(BROKEN)
        _line("schema", "ok", "up to date")
        _redis()
        _clock()
        broken = _invariants() + _seals()
    except SQLAlchemyError as error:
        click.echo(f"the database cannot be asked: {str(error.__cause__ or error).splitlines()[0]}", err=True)
        raise SystemExit(COULD_NOT_CHECK) from None
    raise SystemExit(BROKEN if broken else 0)


def _redis() -> None:
    if not timers.ping():
        _line("redis", "warning", "not there: exams go on, but none can start")
        return
    policy = timers.maxmemory_policy()
    if policy in (None, "noeviction"):
        _line("redis", "ok", "answers, evicts nothing")
    else:
        _line("redis", "warning", f"maxmemory-policy is {policy}; it should be noeviction")


def _clock() -> None:
    system.measure_clock()
    off = abs((system.database_time() - clock.now()).total_seconds())
    _line("clock", "ok" if off < CLOCK_SECONDS else "warning", f"{off:.1f} s from the database's")


def _invariants() -> int:
    broken = 0
    for finding in invariants.check(now=clock.now()):
        broken += not finding.holds
        text = (
            finding.sentence
            if finding.holds
            else f"{finding.sentence}: {finding.broken} ({', '.join(finding.examples)})"
        )
        _line(finding.name, "ok" if finding.holds else "broken", text)
    return broken


def _seals() -> int:
    verdict = seals.verify(now=clock.now())
    for one in verdict.broken:
        _line("seals", "broken", f"seal {one.seal_id}, events {one.first_id} to {one.last_id}: {one.why}")
    if verdict.unsealed:
        _line("seals", "warning", f"{verdict.unsealed} events are older than ten minutes and not sealed")
    if not verdict.broken:
        _line("seals", "ok", f"{verdict.seals} seals hold over {verdict.rows} events; the newest is {verdict.newest}")
    return len(verdict.broken)


def _line(what: str, state: str, text: str) -> None:
    click.echo(f"{what:8}{state:9}{text}")
