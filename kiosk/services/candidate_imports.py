"""Candidates from a file: checked first, then written in one transaction, then chosen passwords are hashed.

Both steps are jobs. The rows, the list of generated passwords and the fact that they are in are committed together, so
a worker that dies at any moment neither halves nor doubles an import.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from kiosk import clock
from kiosk.errors import BadInput
from kiosk.extensions import db, retried, transaction
from kiosk.ids import uuid7
from kiosk.models import Candidate, Job
from kiosk.services import audit, candidate_plans, jobs
from kiosk.services.audit import Change
from kiosk.services.candidate_plans import Plan, Scope, Step
from kiosk.services.exchange import writers
from kiosk.services.exchange.candidates import CandidateFile
from kiosk.services.hashing import hash_generated, hash_password, new_password
from kiosk.services.jobs import Order, Outcome, Work
from kiosk.services.shifts import NOT_YET_HERE

BATCH = 1000
HASHES_AT_ONCE = 25  # about half a second of argon2 between two signs of life
MOST_SHOWN = 20
RESULT = ("line", "service_no", "name", "centre", "outcome", "changed", "password")
# no password matches it: who waits for the hash of theirs cannot sign in yet
NOT_HASHED_YET = "waits-to-be-hashed"
MOST_RACES = 3


def order_of_check(content: bytes, name: str, scope: Scope) -> Order:
    """Return the job that looks at a file."""
    return _order("check_candidates", content, name, scope)


def order_directly(content: bytes, name: str, scope: Scope) -> Order:
    """Return the job that imports a file nobody has looked at yet: it changes nothing if the file is wrong."""
    return _order("import_candidates", content, name, scope)


@retried
def order_of_import(check_id: UUID, scope: Scope) -> Order:
    """Return the job that imports the file of a check that found nothing wrong; the check gives its file away.

    Raises BadInput if the check found problems, or its file was imported or forgotten.
    """
    with transaction():
        check = db.session.execute(
            select(Job.input_name, Job.input_file, Job.params, Job.result)
            .where(
                Job.id == check_id,
                Job.kind == "check_candidates",
                Job.status == "done",
                Job.organisation_id == scope.organisation_id,
                Job.input_file.is_not(None),
            )
            .with_for_update()
        ).one_or_none()
        if check is None:
            raise BadInput(problem=_("This file was imported already, or is no longer here. Send it again."))
        # of two who confirm at the same moment one imports
        db.session.execute(update(Job).where(Job.id == check_id).values(input_file=None))
    return _order("import_candidates", bytes(check.input_file), check.input_name, scope, 2 * check.result["rows"])


def _order(kind: str, content: bytes, name: str, scope: Scope, steps: int = 0) -> Order:
    return Order(
        kind=kind,
        title=name,
        organisation_id=scope.organisation_id,
        centre_id=scope.centre_id,
        params={"sha256": hashlib.sha256(content).hexdigest()},
        input_name=name,
        input_file=content,
        steps_total=steps,
    )


@jobs.kind("check_candidates")
def check(work: Work) -> Outcome:
    """Say what a file would do; nothing is changed."""
    found = _plan(work, of=1)
    if found.problems.lines:
        return _refused(found)
    result = _counts(found) | _earlier(work) | {"shown": [_shown(step) for step in _first_changes(found)]}
    return Outcome(result)


@jobs.kind("import_candidates")
def import_candidates(work: Work) -> Outcome:
    """Write everything, or find it wrong and write nothing."""
    if work.result is None:  # else the rows are in already, and only passwords are left to hash
        for races in range(MOST_RACES):
            found = _plan(work, of=2)
            if found.problems.lines:
                return _refused(found)
            try:
                work.result = _write(work, found)
                break
            except IntegrityError:
                # somebody else added one of them since we looked: look again
                db.session.rollback()
                if races == MOST_RACES - 1:
                    raise
    _hash_chosen(work)
    return Outcome(work.result or {})


def _plan(work: Work, *, of: int) -> Plan:
    seen = 0

    def tick(count: int) -> None:
        nonlocal seen
        seen += count
        work.progress(seen, of * max(seen, len_hint))

    content = work.input()
    # lines are near enough to rows, for a bar
    len_hint = content.count(b"\n") or 1
    return candidate_plans.plan(content, Scope(work.organisation_id, work.centre_id), tick)


def _refused(found: Plan) -> Outcome:
    listed = sorted(found.problems.listed, key=lambda problem: problem.line)
    problems = [vars(problem) for problem in listed]
    return Outcome({"problems": problems, "bad_lines": len(found.problems.lines)}, is_refused=True)


def _counts(found: Plan) -> dict[str, Any]:
    chosen = sum(bool(step.entry.password) for step in found.steps)
    names = ("new", "changed", "unchanged")
    return {name: found.count(name) for name in names} | {"rows": len(found.steps), "chosen_passwords": chosen}


def _first_changes(found: Plan) -> Iterator[Step]:
    changed = (step for step in found.steps if step.outcome == "changed")
    return (step for step, _place in zip(changed, range(MOST_SHOWN), strict=False))


def _shown(step: Step) -> dict[str, Any]:
    entry = step.entry
    return {"line": entry.line, "service_no": entry.service_no, "name": entry.name, "changed": list(step.changed)}


def _earlier(work: Work) -> dict[str, str]:
    """The last import of exactly this file."""
    rows = db.session.execute(
        select(Job.made_by, Job.finished_at, Job.params)
        .where(
            Job.organisation_id == work.organisation_id,
            Job.kind == "import_candidates",
            Job.status == "done",
            Job.input_name.is_not(None),
        )
        .order_by(Job.made_at.desc())
        .limit(500)
    )
    found = next((row for row in rows if (row.params or {}).get("sha256") == work.params["sha256"]), None)
    return {"earlier_by": found.made_by, "earlier_at": found.finished_at.isoformat()} if found else {}


def _write(work: Work, found: Plan) -> dict[str, Any]:
    """Write the rows, the list of passwords and that it is done, in one transaction; return the result."""
    passwords = {
        step.entry.line: new_password() for step in found.steps if step.outcome == "new" and not step.entry.password
    }
    output = io.BytesIO()
    writers.write_csv(output, RESULT, (_listed(step, passwords) for step in found.steps))
    result = _counts(found) | {"generated_passwords": len(passwords)}
    _write_rows(work, found, passwords, {"result": result, "output_file": output.getvalue()})
    return result


@retried
def _write_rows(work: Work, found: Plan, passwords: dict[int, str], kept: dict[str, Any]) -> None:
    now, done = clock.now(), len(found.steps)
    with transaction():
        for start in range(0, done, BATCH):
            batch = found.steps[start : start + BATCH]
            _insert(work, [step for step in batch if step.outcome == "new"], passwords, now)
            _update(work, [step for step in batch if step.outcome == "changed"], now)
        # from here on the passwords are hashed one by one: the steps go on
        total = done + kept["result"]["chosen_passwords"]
        work.keep(**kept, output_name=f"{_stem(work)}-result.csv", steps_done=done, steps_total=total)
    work.steps_done = done


def _insert(work: Work, steps: list[Step], passwords: dict[int, str], now: datetime) -> None:
    rows = [_row(work, step, passwords.get(step.entry.line), now) for step in steps]
    if not rows:
        return
    db.session.execute(insert(Candidate.__table__), rows)  # type: ignore[arg-type]
    details = {"import": str(work.id)}
    audit.record(
        (Change("candidate", row["id"], "create_candidate", details=details) for row in rows), by=work.by, now=now
    )


def _update(work: Work, steps: list[Step], now: datetime) -> None:
    for step in steps:
        if step.values:
            db.session.execute(
                update(Candidate)
                .where(Candidate.id == step.candidate_id)
                # whoever comes into another shift begins at its door
                .values(**(step.values | (NOT_YET_HERE if "shift_id" in step.values else {})))
                .execution_options(synchronize_session=False)
            )
    changes = [
        Change("candidate", step.candidate_id, "edit_candidate", details=_audited(work, step))
        for step in steps
        if step.candidate_id
    ]
    audit.record(changes, by=work.by, now=now)


def _row(work: Work, step: Step, password: str | None, now: datetime) -> dict[str, Any]:
    """A new candidate. What the file leaves empty is as for every candidate."""
    values = step.values
    return values | {
        "id": uuid7(),
        "organisation_id": work.organisation_id,
        "login": step.entry.login,
        "language": values["language"] or "en",
        "extra_minutes_per_hour": values["extra_minutes_per_hour"] or 0,
        "password_hash": hash_generated(password) if password else NOT_HASHED_YET,
        "session_epoch": 0,
        "failed_sign_ins": 0,
        "created_at": now,
    }


def _audited(work: Work, step: Step) -> dict[str, Any]:
    values = {candidate_plans.NAMED.get(name, name): str(value) for name, value in step.values.items()}
    return {"import": str(work.id), "changed": list(step.changed), **values}


def _listed(step: Step, passwords: dict[int, str]) -> tuple[Any, ...]:
    entry = step.entry
    changed = " ".join(step.changed)
    password = passwords.get(entry.line, "")
    return entry.line, entry.service_no, entry.name, entry.centre, step.outcome, changed, password


def _hash_chosen(work: Work) -> None:
    """Hash the passwords that the file gives, where the last worker stopped: every batch notes how far it came."""
    result = work.result or {}
    rows, chosen = result.get("rows", 0), result.get("chosen_passwords", 0)
    if not chosen:
        return
    done = max(0, work.steps_done - rows)
    entries = [(entry.login, entry.password) for entry in CandidateFile(work.input()).entries() if entry.password]
    for start in range(done, len(entries), HASHES_AT_ONCE):
        batch = entries[start : start + HASHES_AT_ONCE]
        hashes = [(login, hash_password(password)) for login, password in batch]
        _set_hashes(work, hashes, rows + start + len(batch), rows + len(entries))


@retried
def _set_hashes(work: Work, hashes: list[tuple[str, str]], done: int, total: int) -> None:
    with transaction():
        ids: list[UUID] = []
        for login, hashed in hashes:
            ids += db.session.execute(
                update(Candidate)
                .where(Candidate.organisation_id == work.organisation_id, Candidate.login == login)
                .values(password_hash=hashed, session_epoch=Candidate.session_epoch + 1)
                .returning(Candidate.id)
                .execution_options(synchronize_session=False)
            ).scalars()
        changes = [Change("candidate", one, "set_password", details={"import": str(work.id)}) for one in ids]
        audit.record(changes, by=work.by, now=clock.now())
        work.keep(steps_done=done, steps_total=total)


def _stem(work: Work) -> str:
    return (work.input_name or "candidates").rpartition(".")[0][:150] or "candidates"
