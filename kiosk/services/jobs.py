"""Jobs: work that outlasts a request. Any worker may take one; who was taken for dead can no longer write to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import and_, or_, select, update

from kiosk import clock
from kiosk.errors import BadInput
from kiosk.extensions import db, retried, transaction
from kiosk.ids import uuid7
from kiosk.models import Job
from kiosk.services import audit, stored_files
from kiosk.services.audit import Actor, Change

SILENT = timedelta(seconds=60)  # whose worker is silent for so long is taken up by another one
BEAT_SECONDS = 1.0
MOST_TRIES = 5
KEEP_SECRETS = timedelta(hours=24)
KEEP_FILES = timedelta(days=30)
# their outputs hold passwords: they are handed over once
SECRET_KINDS = ("import_candidates",)
IMPORT_KINDS = ("check_candidates", "import_candidates")


class LostJob(Exception):
    """Another worker has taken the job over; nothing of this transaction may count."""


@dataclass(frozen=True)
class Order:
    """What somebody wants done, and whose it is."""

    kind: str
    title: str
    organisation_id: UUID
    centre_id: UUID | None = None
    params: dict[str, Any] | None = None
    input_name: str | None = None
    input_file: bytes | None = None
    photos_id: UUID | None = None
    steps_total: int = 0


@dataclass(frozen=True)
class Outcome:
    """How a job ended: `is_refused` found its input wrong and changed nothing."""

    result: dict[str, Any]
    output_name: str | None = None
    output_file: bytes | None = None
    is_refused: bool = False


Kind = Callable[["Work"], Outcome]
_KINDS: dict[str, Kind] = {}


def kind(name: str) -> Callable[[Kind], Kind]:
    """Decorate the function that does the jobs of a kind. It must be safe to repeat from the start."""

    def register(work: Kind) -> Kind:
        _KINDS[name] = work
        return work

    return register


def function_of(name: str) -> Kind:
    """Return the function that does jobs of this kind."""
    return _KINDS[name]


class Work:
    """A job in the hands of the worker that does it."""

    def __init__(self, job: Job) -> None:
        """Take over what the job says."""
        self.id, self.kind, self.title = job.id, job.kind, job.title
        self.organisation_id, self.centre_id = job.organisation_id, job.centre_id
        self.params: dict[str, Any] = dict(job.params or {})
        self.result: dict[str, Any] | None = job.result
        self.input_name, self.steps_done = job.input_name, job.steps_done
        self.photos_id = job.photos_id
        self.by = _actor(self.params.get("by") or {}, job)
        self.watch: Callable[[int, int], None] | None = None  # somebody who looks on, at a terminal
        self._token = job.started_at
        self._said_at = 0.0

    @property
    def locale(self) -> str:
        """The language of the person who asked."""
        return str(self.params.get("locale") or "en")

    def input(self) -> bytes:
        """Return the file that came with the job."""
        content = db.session.execute(select(Job.input_file).where(Job.id == self.id)).scalar_one()
        db.session.rollback()
        if content is None:
            raise BadInput(problem=_("The file is no longer here. Send it again."))
        return bytes(content)

    def progress(self, done: int, total: int) -> None:
        """Tell how far it is, at most once a second. Outside of transactions. Raises LostJob."""
        if time.monotonic() - self._said_at < BEAT_SECONDS:
            return
        if self.watch is not None:
            self.watch(done, total)
        with transaction():
            self.keep(steps_done=done, steps_total=total)
        self._said_at = time.monotonic()

    def keep(self, **values: Any) -> None:
        """Write to the job inside the caller's transaction. Raises LostJob, which undoes the transaction."""
        kept = db.session.execute(
            update(Job)
            .where(Job.id == self.id, Job.status == "running", Job.started_at == self._token)
            .values(beat_at=clock.now(), **values)
            .execution_options(synchronize_session=False)
        )
        if kept.rowcount != 1:  # type: ignore[attr-defined]
            raise LostJob

    @retried
    def end(self, outcome: Outcome) -> None:
        """Write down how it ended. Raises LostJob."""
        status = "refused" if outcome.is_refused else "done"
        with transaction():
            self._end(status, outcome)
        if self.photos_id is not None and not self._waits_for_yes(status):
            stored_files.forget(self.photos_id)

    @retried
    def fail(self, problem: str) -> None:
        """Give it up. Raises LostJob."""
        with transaction():
            self._end("failed", Outcome({**(self.result or {}), "problem": problem}))

    def _waits_for_yes(self, status: str) -> bool:
        return self.kind == "check_candidates" and status == "done"

    def _end(self, status: str, outcome: Outcome) -> None:
        values: dict[str, Any] = {"status": status, "result": outcome.result, "finished_at": clock.now()}
        if outcome.output_name:
            values |= {"output_name": outcome.output_name, "output_file": outcome.output_file}
        if not self._waits_for_yes(status):
            # the file may hold passwords; only one that waits to be confirmed is still needed
            values["input_file"] = None
        self.keep(**values)
        audit.record(
            [Change("job", self.id, "end_job", "running", status, details={"kind": self.kind})],
            by=self.by,
            now=clock.now(),
        )


@retried
def order(order: Order, *, by: Actor, now: datetime) -> UUID:
    """Put a job into the queue; return its id."""
    with transaction():
        job = _add(order, by, now)
        job_id = job.id
    return job_id


@retried
def begin(order: Order, *, by: Actor, now: datetime) -> Work:
    """Add a job that the caller does at once: no worker will take it, unless the caller falls silent."""
    with transaction():
        job = _add(order, by, now)
        job.status, job.started_at, job.beat_at = "running", clock.now(), clock.now()
        db.session.flush()
        work = Work(job)
    return work


@retried
def claim(*, but: tuple[str, ...] = ()) -> Work | None:
    """Take the oldest job that waits or whose worker has fallen silent, of any kind but these; None if none waits."""
    now = clock.now()
    is_silent = and_(Job.status == "running", Job.beat_at < now - SILENT)
    is_open = and_(or_(Job.status == "queued", is_silent), Job.kind.not_in(but))
    if not db.session.execute(select(Job.id).where(is_open).limit(1)).first():
        db.session.rollback()
        return None  # no write lock is asked for in vain once a second
    with transaction():
        job = db.session.execute(
            select(Job).where(is_open).order_by(Job.made_at, Job.id).limit(1).with_for_update(skip_locked=True)
        ).scalar_one_or_none()
        if job is None:
            return None
        job.params = (job.params or {}) | {"tries": (job.params or {}).get("tries", 0) + 1}
        job.status, job.started_at, job.beat_at = "running", now, now
        db.session.flush()
        work = Work(job)
    return work


def record_finished(order: Order, outcome: Outcome, *, by: Actor, now: datetime) -> UUID:
    """Keep the report of something that was done on the spot, as a job that is over; return its id."""
    work = begin(order, by=by, now=now)
    work.end(outcome)
    return work.id


@retried
def take_output(job_id: UUID, *, by: Actor, now: datetime) -> bytes | None:
    """Hand a secret output over and delete it; None if somebody has it already. The caller has checked whose it is."""
    with transaction():
        content = db.session.execute(
            select(Job.output_file).where(Job.id == job_id, Job.output_name.is_not(None)).with_for_update()
        ).scalar_one_or_none()
        if content is None:
            return None
        db.session.execute(update(Job).where(Job.id == job_id).values(output_file=None, output_name=None))
        audit.record([Change("job", job_id, "take_passwords")], by=by, now=now)
    return bytes(content)


@retried
def forget_files(*, now: datetime) -> int:
    """Delete what no job may keep for ever: secrets and inputs after a day, the rest after 30; return how many."""
    is_over = Job.finished_at.is_not(None)
    secret = and_(is_over, Job.finished_at < now - KEEP_SECRETS, Job.kind.in_(SECRET_KINDS))
    old = and_(is_over, Job.finished_at < now - KEEP_FILES)
    forgotten = 0
    with transaction():
        for condition, values in (
            (and_(or_(secret, old), Job.output_file.is_not(None)), {"output_file": None, "output_name": None}),
            (and_(is_over, Job.finished_at < now - KEEP_SECRETS, Job.input_file.is_not(None)), {"input_file": None}),
        ):
            found = db.session.execute(
                update(Job).where(condition).values(**values).execution_options(synchronize_session=False)
            )
            forgotten += found.rowcount  # type: ignore[attr-defined]
    return forgotten


def _add(order: Order, by: Actor, now: datetime) -> Job:
    kept_by = {name: str(value) for name, value in asdict(by).items() if value is not None}
    params = {**(order.params or {}), "by": kept_by, "locale": str(get_locale() or "en")}
    values = {name: value for name, value in vars(order).items() if name != "params"}
    job = Job(id=uuid7(), params=params, made_by=by.name, made_by_id=by.id, made_at=now, **values)
    job.title = job.title[:200]
    job.input_name = job.input_name[:200] if job.input_name else None
    db.session.add(job)
    db.session.flush()
    audit.record([Change("job", job.id, "order_job", None, "queued", details={"kind": job.kind})], by=by, now=now)
    return job


def _actor(kept: dict[str, str], job: Job) -> Actor:
    return Actor(
        kind=kept.get("kind", "user"),
        name=job.made_by,
        id=job.made_by_id,
        organisation_id=job.organisation_id,
        request_id=kept.get("request_id"),
        address=kept.get("address"),
    )
