"""Candidates from a file: checked first, then put down beside, then moved in together, then chosen passwords hashed.

Check and import are jobs. The rows, the list of generated passwords and the fact that they are in are committed
together, so a worker that dies at any moment neither halves nor doubles an import.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from kiosk import clock
from kiosk.errors import BadInput
from kiosk.extensions import db, retried, transaction
from kiosk.models import Candidate, Job
from kiosk.services import audit, candidate_plans, candidate_staging, jobs, stored_files
from kiosk.services.audit import Change
from kiosk.services.candidate_photos import Photos
from kiosk.services.candidate_plans import Plan, Scope, Step
from kiosk.services.candidate_staging import Overtaken, Stage
from kiosk.services.exchange import writers
from kiosk.services.exchange.candidates import CandidateFile
from kiosk.services.hashing import hash_generated, hash_password, new_password
from kiosk.services.jobs import Order, Outcome, Work

HASHES_AT_ONCE = 25  # about half a second of argon2 between two signs of life
MOST_SHOWN = 20
RESULT = ("line", "service_no", "name", "centre", "outcome", "changed", "password")
# no password matches it: who waits for the hash of theirs cannot sign in yet
NOT_HASHED_YET = "waits-to-be-hashed"
MOST_RACES = 3


def order_of_check(content: bytes, name: str, scope: Scope, photos_id: UUID | None = None) -> Order:
    """Return the job that looks at a file; `photos_id` is the stored ZIP beside it."""
    return _order("check_candidates", content, name, scope, photos_id)


def order_directly(content: bytes, name: str, scope: Scope, photos_id: UUID | None = None) -> Order:
    """Return the job that imports a file nobody has looked at yet: it changes nothing if the file is wrong."""
    return _order("import_candidates", content, name, scope, photos_id)


@retried
def order_of_import(check_id: UUID, scope: Scope) -> Order:
    """Return the job that imports the file of a check that found nothing wrong; the check gives its file away.

    Raises BadInput if the check found problems, or its file was imported or forgotten.
    """
    with transaction():
        check = db.session.execute(
            select(Job.input_name, Job.input_file, Job.photos_id, Job.result)
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
    steps = 2 * check.result["rows"]
    return _order("import_candidates", bytes(check.input_file), check.input_name, scope, check.photos_id, steps)


def _order(kind: str, content: bytes, name: str, scope: Scope, photos_id: UUID | None, steps: int = 0) -> Order:
    return Order(
        kind=kind,
        title=name,
        organisation_id=scope.organisation_id,
        centre_id=scope.centre_id,
        params={"sha256": hashlib.sha256(content).hexdigest()},
        input_name=name,
        input_file=content,
        photos_id=photos_id,
        steps_total=steps,
    )


@jobs.kind("check_candidates")
def check(work: Work) -> Outcome:
    """Say what a file would do; nothing is changed."""
    found = _plan(work, lambda _line, _image: None, of=1)
    if found.problems.lines:
        return _refused(found)
    result = _counts(found) | _earlier(work) | {"shown": [_shown(step) for step in _first_changes(found)]}
    return Outcome(result)


@jobs.kind("import_candidates")
def import_candidates(work: Work) -> Outcome:
    """Write everything, or find it wrong and write nothing."""
    if work.result is None:  # else the rows are in already, and only the rest of the work is left
        for races in range(MOST_RACES):
            stage = Stage(work)
            found = _plan(work, stage.add_photo, of=2)
            if found.problems.lines:
                candidate_staging.clear(work.id)
                return _refused(found)
            try:
                work.result = _write(work, stage, found)
                break
            except (IntegrityError, Overtaken):
                # somebody else added or changed one of them since we looked: look again
                db.session.rollback()
                if races == MOST_RACES - 1:
                    candidate_staging.clear(work.id)
                    raise
    result = dict(work.result or {})
    stage_id = result.pop("stage", None)
    if stage_id:
        candidate_staging.move_rest(UUID(stage_id), work)
    candidate_staging.clear(work.id)
    _hash_chosen(work)
    return Outcome(result)


def _plan(work: Work, keep_photo: Callable[[int, bytes], None], *, of: int) -> Plan:
    seen = 0

    def tick(count: int) -> None:
        nonlocal seen
        seen += count
        work.progress(seen, of * max(seen, len_hint))

    content = work.input()
    # lines are near enough to rows, for a bar
    len_hint = content.count(b"\n") or 1
    return candidate_plans.plan(
        content, Scope(work.organisation_id, work.centre_id), tick, _photos_of(work, keep_photo)
    )


def _photos_of(work: Work, keep: Callable[[int, bytes], None]) -> Callable[[], Photos] | None:
    if work.photos_id is None:
        return None
    try:
        file = stored_files.opened(work.photos_id)
    except stored_files.FileGone:
        raise BadInput(problem=_("The photos are no longer here. Send file and photos again.")) from None
    return lambda: Photos(file, keep)


def _refused(found: Plan) -> Outcome:
    listed = sorted(found.problems.listed, key=lambda problem: problem.line)
    problems = [vars(problem) for problem in listed]
    return Outcome({"problems": problems, "bad_lines": len(found.problems.lines - {0})}, is_refused=True)


def _counts(found: Plan) -> dict[str, Any]:
    chosen = sum(bool(step.entry.password) for step in found.steps)
    names = ("new", "changed", "unchanged")
    counts = {name: found.count(name) for name in names} | {"rows": len(found.steps), "chosen_passwords": chosen}
    return counts | (found.photos.report() if found.photos else {})


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


def _write(work: Work, stage: Stage, found: Plan) -> dict[str, Any]:
    """Put the rows down, then write them, the list of passwords and that it is done together; return the result."""
    passwords = {
        step.entry.line: new_password() for step in found.steps if step.outcome == "new" and not step.entry.password
    }
    stage.flush_photos()
    done, total = len(found.steps), 2 * len(found.steps)
    for batch in candidate_staging.batches(found.steps):
        stage.add(batch, {step.entry.line: _hash(passwords.get(step.entry.line)) for step in batch})
        done += len(batch)
        work.progress(done, total)
    output = io.BytesIO()
    writers.write_csv(output, RESULT, (_listed(step, passwords) for step in found.steps))
    result = _counts(found) | {"generated_passwords": len(passwords)}
    if not candidate_staging.photos_come_along(stage.id):
        result["stage"] = str(stage.id)  # whoever goes on with this job has photos to move
    _write_rows(work, stage.id, {"result": result, "output_file": output.getvalue()})
    return result


def _hash(password: str | None) -> str:
    return hash_generated(password) if password else NOT_HASHED_YET


@retried
def _write_rows(work: Work, stage_id: UUID, kept: dict[str, Any]) -> None:
    done = kept["result"]["rows"]
    with transaction():
        # from here on the passwords are hashed one by one: the steps go on
        total = done + kept["result"]["chosen_passwords"]
        work.keep(**kept, output_name=f"{_stem(work)}-result.csv", steps_done=done, steps_total=total)
        candidate_staging.move(stage_id, work, clock.now(), with_photos="stage" not in kept["result"])
    work.steps_done = done


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
