"""Commands for slots, sessions and active sets."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import click
from flask.cli import AppGroup
from sqlalchemy import select

from kiosk import clock
from kiosk.cli.manners import USAGE_ERROR, ask_to_stop, asked, fail, only_organisation, plainly
from kiosk.extensions import db
from kiosk.models import Attempt, Candidate, Centre, Shift, Trade
from kiosk.services import set_reports, sets, slots
from kiosk.services.accounts import fold_login
from kiosk.services.audit import Actor
from kiosk.services.slots import BulkReport
from kiosk.states import OPEN_ATTEMPT

slots_group = AppGroup("slots", help="Assign, reset and reassign exam slots.")
sets_group = AppGroup("sets", help="Show and switch active question sets.")


def _selection(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose candidates."""
    for option in (
        click.option("--all", "everybody", is_flag=True, help="All candidates."),
        click.option("--trade", help="Code of a trade."),
        click.option("--shift", help="Id of a shift."),
        click.option("--centre", help="Code of a centre."),
        click.option(
            "--service-no", "--army-no", "service_nos", multiple=True, help="Service number; may be repeated."
        ),
        click.option("--reason", default="", help="Goes into the audit log."),
        click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing."),
        click.option("--yes", is_flag=True, help="Answer yes to questions."),
    ):
        command = option(command)
    return command


@click.command("clear-incomplete-sessions")
@_selection
@plainly
def clear_incomplete_sessions(reason: str, dry_run: bool, yes: bool, **chosen: Any) -> None:
    """Cancel open attempts and release their slots; the answers stay."""
    ids = _candidates(**chosen)
    rows = db.session.execute(
        select(Attempt.id, Attempt.status, Candidate.service_no)
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .where(Attempt.candidate_id.in_(ids), Attempt.status.in_(OPEN_ATTEMPT))
        .order_by(Candidate.service_no)
    ).all()
    for row in rows:
        click.echo(f"{row.service_no}  {row.status}  {row.id}")
    if not rows or dry_run:
        click.echo(f"Total: {len(rows)} would be cleared." if dry_run else "Total: 0 cleared.")
        return
    asked(f"Cancel {len(rows)} sessions?", yes=yes)
    report = slots.clear_incomplete(ids, reason=reason, by=_actor(), now=clock.now())
    click.echo(f"Total: {report.changed} cleared.")


@slots_group.command("assign")
@_selection
@plainly
def assign(reason: str, dry_run: bool, yes: bool, **chosen: Any) -> None:  # noqa: ARG001  taken, as by all bulk commands
    """Give each chosen candidate a slot for the next paper."""
    _operate(slots.assign, _candidates(**chosen), dry_run=dry_run, yes=yes)


@slots_group.command("reset")
@_selection
@plainly
def reset(reason: str, dry_run: bool, yes: bool, **chosen: Any) -> None:
    """Take the slots of the chosen candidates away."""
    _operate(partial(slots.reset, reason=reason), _candidates(**chosen), dry_run=dry_run, yes=yes, needs_reason=reason)


@slots_group.command("reassign")
@_selection
@plainly
def reassign(reason: str, dry_run: bool, yes: bool, **chosen: Any) -> None:
    """Give the chosen candidates the same paper again."""
    _operate(
        partial(slots.reassign, reason=reason), _candidates(**chosen), dry_run=dry_run, yes=yes, needs_reason=reason
    )


@sets_group.command("status")
@click.option("--json", "as_json", is_flag=True)
@plainly
def sets_status(as_json: bool) -> None:
    """Show the active set of each trade and paper."""
    rows = set_reports.active_sets(only_organisation().id)
    if as_json:
        keys = ("trade_code", "paper_type", "label", "version", "is_complete", "waiting", "writing")
        click.echo(json.dumps([{key: getattr(row, key) for key in keys} for row in rows], ensure_ascii=False))
        return
    for row in rows:
        active = f"set {row.label} v{row.version}" if row.label else "no active set"
        state = "complete" if row.is_complete else "; ".join(row.problems) or "incomplete"
        click.echo(
            f"{row.trade_code:14}{row.paper_type:11}{active:16}{state:24}waiting {row.waiting}, writing {row.writing}"
        )


@sets_group.command("activate")
@click.option("--trade", required=True, help="Code of a trade, or all.")
@click.option("--paper", required=True, type=click.Choice(["primary", "secondary"]))
@click.option("--set", "label", required=True, help="Label of the set.")
@click.option("--keep-running", is_flag=True, help="Who writes finishes on the old set.")
@click.option("--reason", default="switched at the command line")
@click.option("--dry-run", is_flag=True)
@click.option("--yes", is_flag=True)
@plainly
def sets_activate(
    trade: str, paper: str, label: str, keep_running: bool, reason: str, dry_run: bool, yes: bool
) -> None:
    """Make a set the active one."""
    organisation = only_organisation()
    plan = set_reports.sets_to_activate(organisation.id, None if trade == "all" else trade, paper, label)
    if not plan:
        fail(f"There is no published set {label} for {trade} {paper}.", USAGE_ERROR)
    plan = [(set_id, trades) for set_id, trades in plan if trades]
    if not plan:
        click.echo(f"Set {label} is active already; nothing to do.")
        return
    previews = [sets.preview(set_id, trades, organisation_id=organisation.id) for set_id, trades in plan]
    problems = [problem for preview in previews for problem in preview.problems]
    if problems:
        fail("; ".join(problems))
    waiting, writing = sum(p.waiting for p in previews), sum(p.writing for p in previews)
    click.echo(f"Set {label}: {waiting} waiting, {writing} writing.")
    if dry_run:
        return
    if not keep_running:
        ask_to_stop(lambda: sum(sets.preview(*one, organisation_id=organisation.id).writing for one in plan), yes=yes)
    for set_id, trades in plan:
        done = sets.activate(
            set_id,
            trades,
            organisation_id=organisation.id,
            keep_running=keep_running,
            reason=reason,
            confirmed=True,
            by=_actor(),
            now=clock.now(),
        )
        click.echo(f"Activated for {done.activations} trades; {done.cancelled} attempts cancelled.")


def _operate(operation: Any, ids: list[UUID], *, dry_run: bool, yes: bool, needs_reason: str | None = None) -> None:
    if needs_reason is not None and not needs_reason.strip():
        fail("--reason is needed.", USAGE_ERROR)
    ahead = partial(operation, ids, by=_actor(), now=clock.now(), dry_run=True)
    if dry_run:
        _say(ahead(), "would be changed")
        return
    ask_to_stop(lambda: ahead().writing, yes=yes)
    _say(operation(ids, by=_actor(), now=clock.now()), "changed")


def _say(report: BulkReport, verb: str) -> None:
    click.echo(f"{report.changed} {verb}, {report.sessions_cancelled} sessions cancelled")
    for reason, count in sorted(report.skipped.items()):
        click.echo(f"skipped {count}: {reason.replace('_', ' ')}")


def _candidates(
    everybody: bool, trade: str | None, shift: str | None, centre: str | None, service_nos: tuple[str, ...]
) -> list[UUID]:
    """The chosen candidates; a trade, shift, centre or number that is not there ends with exit code 2."""
    if not (everybody or trade or shift or centre or service_nos):
        fail("Choose candidates: --all, --trade, --shift, --centre or --service-no.", USAGE_ERROR)
    organisation = only_organisation()
    query = select(Candidate.id).where(Candidate.organisation_id == organisation.id, Candidate.archived_at.is_(None))
    if trade:
        query = query.where(Candidate.trade_id == _one(Trade, Trade.code == trade, f"trade {trade}"))
    if centre:
        query = query.where(Candidate.centre_id == _one(Centre, Centre.code == centre, f"centre {centre}"))
    if shift:
        query = query.where(Candidate.shift_id == _one(Shift, Shift.id == _uuid(shift), f"shift {shift}"))
    if service_nos:
        logins = {fold_login(number): number for number in service_nos}
        known = set(db.session.execute(select(Candidate.login).where(Candidate.login.in_(logins))).scalars())
        for login, number in logins.items():
            if login not in known:
                fail(f"There is no candidate {number}.", USAGE_ERROR)
        query = query.where(Candidate.login.in_(logins))
    return list(db.session.execute(query).scalars())


def _one(model: Any, condition: Any, name: str) -> Any:
    found = db.session.execute(select(model.id).where(condition)).scalar_one_or_none()
    if found is None:
        fail(f"There is no {name}.", USAGE_ERROR)
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _actor() -> Actor:
    return Actor("cli", "command line", organisation_id=only_organisation().id)
