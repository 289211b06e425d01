"""The way in for candidates of a file: rows are put down in short transactions, then one statement each moves them.

SQLite has one writer at a time. Fifty thousand rows one by one would keep everybody's saves waiting for ten seconds;
moved by the database they take less than one. Until then nobody sees them, and afterwards all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, case, delete, exists, func, insert, literal, null, or_, select
from sqlalchemy import update as update_of

from kiosk import clock
from kiosk.extensions import db, retried, transaction
from kiosk.ids import uuid7, uuid7_tail
from kiosk.models import Candidate, CandidatePhoto, Job, Shift, Slot, StagedCandidate, StagedPhoto
from kiosk.services import audit, photos
from kiosk.services.audit import Change
from kiosk.services.candidate_plans import NAMED, Step
from kiosk.services.jobs import Work
from kiosk.services.shifts import NOT_YET_HERE
from kiosk.shift_states import ShiftStatus
from kiosk.states import SlotStatus

BATCH, LINES_AT_ONCE = 1000, 10_000
PHOTOS_AT_ONCE = 50
# photos come in with their rows up to this; more of them follow right after, in short transactions of their own
MOST_PHOTOS_ALONG, MOST_BYTES_ALONG = 1000, 32 * 1024 * 1024
VALUES = ("service_no", "name", "rank", "trade_id", "centre_id", "language", "extra_minutes_per_hour", "photo")
_ROWS: Any = StagedCandidate.__table__
_PHOTOS: Any = StagedPhoto.__table__
_CANDIDATES: Any = Candidate.__table__


class Overtaken(Exception):
    """Something that the plan stands on has changed since: look at the file again."""


class Stage:
    """What one run of an import puts down."""

    def __init__(self, work: Work) -> None:
        """Begin an empty one, and clear what an earlier run of the job left."""
        clear(work.id)
        self.id, self._work = uuid7(), work
        self._photos: list[dict[str, Any]] = []
        self._places = 0

    def add_photo(self, line: int, image: bytes) -> None:
        """Put down the photo of a line."""
        row = self._row(line) | {"size": len(image), "image": image}
        row["details"] = {"import": str(self._work.id), "bytes": len(image)}
        self._photos.append(row)
        if len(self._photos) >= PHOTOS_AT_ONCE:
            self.flush_photos()

    def flush_photos(self) -> None:
        """Put down the photos that wait for company."""
        if self._photos:
            _insert(StagedPhoto, self._photos)
            self._photos = []

    def add(self, steps: Sequence[Step], hashes: dict[int, str]) -> None:
        """Put down a batch of what is new or changes; `hashes` has the passwords of new candidates by line."""
        rows = [self._staged(step, hashes) for step in steps if step.outcome != "unchanged"]
        if rows:
            _insert(StagedCandidate, rows)

    def _staged(self, step: Step, hashes: dict[int, str]) -> dict[str, Any]:
        values, is_new = step.values, step.candidate_id is None
        row = self._row(step.entry.line) | {name: values.get(name) for name in (*VALUES, "shift_id")}
        row |= {"is_new": is_new, "moves": not is_new and "shift_id" in values, "login": step.entry.login}
        row |= {"candidate_id": step.candidate_id or uuid7(), "password_hash": hashes.get(step.entry.line)}
        if is_new:
            # what the file leaves empty is as for every candidate
            row["language"] = row["language"] or "en"
            row["extra_minutes_per_hour"] = row["extra_minutes_per_hour"] or 0
            row["details"] = {"import": str(self._work.id)}
        else:
            named = {NAMED.get(name, name): str(value) for name, value in values.items()}
            row["details"] = {"import": str(self._work.id), "changed": list(step.changed), **named}
        return row

    def _row(self, line: int) -> dict[str, Any]:
        self._places += 1
        tail = uuid7_tail(self._places)
        return {"stage_id": self.id, "line": line, "job_id": self._work.id, "audit_tail": tail}


def photos_come_along(stage_id: UUID) -> bool:
    """Return whether the photos of a stage are few enough to come in with their rows."""
    sizes = select(func.count(), func.coalesce(func.sum(_PHOTOS.c.size), 0)).where(_PHOTOS.c.stage_id == stage_id)
    count, size = db.session.execute(sizes).one()
    db.session.rollback()
    return bool(count <= MOST_PHOTOS_ALONG and size <= MOST_BYTES_ALONG)


def move(stage_id: UUID, work: Work, now: datetime, *, with_photos: bool) -> None:
    """Move everything of a stage in, inside the caller's transaction; without photos `move_rest` has to follow.

    Raises Overtaken, IntegrityError.
    """
    mine = _ROWS.c.stage_id == stage_id
    shifts = select(_ROWS.c.shift_id).where(mine, _ROWS.c.shift_id.is_not(None))
    db.session.execute(select(Shift.id).where(Shift.id.in_(shifts)).order_by(Shift.id).with_for_update())
    portions = list(_portions(mine))
    for portion in portions:
        _lock_changed(portion)
        if db.session.execute(_overtaken(portion, work.centre_id)).first():
            raise Overtaken
        _insert_new(portion, work.organisation_id, now)
        _update_changed(portion)
    if db.session.execute(_without_room(shifts)).first():
        raise Overtaken
    for portion in portions:
        for is_new, action in ((True, "create_candidate"), (False, "edit_candidate")):
            rows = select(_ROWS.c.audit_tail, _ROWS.c.candidate_id.label("object_id"), _ROWS.c.details)
            change = Change("candidate", stage_id, action)
            audit.record_selected(rows.where(portion, _ROWS.c.is_new == is_new), change, by=work.by, now=now)
    if with_photos:
        _move_photos(_PHOTOS.c.stage_id == stage_id, work, now)


def move_rest(stage_id: UUID, work: Work) -> None:
    """Move the photos that were too many to come in with their rows; goes on where the last worker stopped."""
    while _move_some_photos(stage_id, work):
        pass


@retried
def _move_some_photos(stage_id: UUID, work: Work) -> int:
    mine = _PHOTOS.c.stage_id == stage_id
    with transaction():
        lines = select(_PHOTOS.c.line).where(mine).order_by(_PHOTOS.c.line).limit(PHOTOS_AT_ONCE * 4)
        found = list(db.session.execute(lines).scalars())
        if found:
            which = mine & (_PHOTOS.c.line <= found[-1])
            work.keep()
            _move_photos(which, work, clock.now())
            db.session.execute(delete(_PHOTOS).where(which))
    return len(found)


def clear(job_id: UUID) -> None:
    """Delete what the runs of a job put down, in short transactions."""
    for table in (_ROWS, _PHOTOS):
        stages = list(db.session.execute(select(table.c.stage_id).distinct().where(table.c.job_id == job_id)).scalars())
        db.session.rollback()
        for stage_id in stages:
            while _delete_some(table, stage_id):
                pass


def clear_left() -> int:
    """Delete what jobs left that are over or were never heard of again; return how many of them."""
    is_at_work = select(Job.id).where(Job.status.in_(("queued", "running")))
    left = {
        job_id
        for table in (_ROWS, _PHOTOS)
        for job_id in db.session.execute(
            select(table.c.job_id).distinct().where(table.c.job_id.not_in(is_at_work))
        ).scalars()
    }
    db.session.rollback()
    for job_id in left:
        clear(job_id)
    return len(left)


def _portions(mine: ColumnElement[bool]) -> Iterator[ColumnElement[bool]]:
    """The rows of a stage by their lines: no single statement shall last longer than the database gives it."""
    last = db.session.execute(select(func.max(_ROWS.c.line)).where(mine)).scalar_one() or 0
    for first in range(0, last + 1, LINES_AT_ONCE):
        yield mine & _ROWS.c.line.between(first, first + LINES_AT_ONCE - 1)


def _lock_changed(portion: ColumnElement[bool]) -> None:
    changed = select(_ROWS.c.candidate_id).where(portion, ~_ROWS.c.is_new)
    locked = select(Candidate.id).where(Candidate.id.in_(changed)).order_by(Candidate.id).with_for_update()
    db.session.execute(locked).all()


def _overtaken(mine: ColumnElement[bool], centre_id: UUID | None) -> Select[Any]:
    """Rows whose candidate went away, or may no longer be changed like this."""
    row, person = _ROWS.c, _CANDIDATES.c
    busy = (Slot.candidate_id == row.candidate_id) & Slot.closed_at.is_(None) & (Slot.status != SlotStatus.CONSUMED)
    is_busy, is_writing = exists().where(busy), exists().where(busy, Slot.status == SlotStatus.ATTEMPTING)
    wrong = [
        person.id.is_(None),
        person.archived_at.is_not(None),
        row.trade_id.is_not(None) & is_busy,
        (row.moves | row.centre_id.is_not(None)) & is_writing,
    ]
    wrong += [person.centre_id != centre_id] if centre_id else []
    joined = _ROWS.outerjoin(_CANDIDATES, person.id == row.candidate_id)
    return select(row.line).select_from(joined).where(mine, ~row.is_new, or_(*wrong)).limit(1)


def _without_room(shifts: Select[Any]) -> Select[Any]:
    """Shifts that were closed since, or have more people now than they take."""
    inside = select(func.count()).where(Candidate.shift_id == Shift.id, Candidate.archived_at.is_(None))
    is_full = (Shift.capacity > 0) & (inside.scalar_subquery() > Shift.capacity)
    return select(Shift.id).where(Shift.id.in_(shifts), or_(Shift.status == ShiftStatus.CLOSED, is_full)).limit(1)


def _insert_new(mine: ColumnElement[bool], organisation_id: UUID, now: datetime) -> None:
    same = {
        "organisation_id": literal(organisation_id, _CANDIDATES.c.organisation_id.type),
        "created_at": literal(now, _CANDIDATES.c.created_at.type),
        "session_epoch": literal(0, Integer),
        "failed_sign_ins": literal(0, Integer),
    }
    given = {name: _ROWS.c[name] for name in (*VALUES, "shift_id", "login", "password_hash")}
    columns = {"id": _ROWS.c.candidate_id} | given | same
    chosen = select(*columns.values()).where(mine, _ROWS.c.is_new).order_by(_ROWS.c.line)
    db.session.execute(insert(_CANDIDATES).from_select(list(columns), chosen, include_defaults=False))


def _update_changed(mine: ColumnElement[bool]) -> None:
    person, row = _CANDIDATES.c, _ROWS.c
    values: dict[str, Any] = {name: func.coalesce(row[name], person[name]) for name in VALUES}
    values["shift_id"] = case((row.moves, row.shift_id), else_=person.shift_id)
    # whoever comes into another shift begins at its door
    values |= {name: case((row.moves, null()), else_=person[name]) for name in NOT_YET_HERE}
    db.session.execute(
        update_of(_CANDIDATES).where(mine, ~row.is_new, person.id == row.candidate_id).values(**values),
        execution_options={"synchronize_session": False},
    )


def _move_photos(which: ColumnElement[bool], work: Work, now: datetime) -> None:
    """Photos of those who are still there; what they had before goes."""
    of_same_line = (_ROWS.c.stage_id == _PHOTOS.c.stage_id) & (_ROWS.c.line == _PHOTOS.c.line)
    joined = _PHOTOS.join(_ROWS, of_same_line).join(_CANDIDATES, _CANDIDATES.c.id == _ROWS.c.candidate_id)
    whose = select(_CANDIDATES.c.id).select_from(joined).where(which)
    db.session.execute(delete(CandidatePhoto).where(CandidatePhoto.candidate_id.in_(whose)))
    kept: Any = CandidatePhoto.__table__
    columns = {
        "candidate_id": _CANDIDATES.c.id,
        "mime": literal(photos.MIME, kept.c.mime.type),
        "image": _PHOTOS.c.image,
        "taken_at": literal(now, kept.c.taken_at.type),
    }
    chosen = select(*columns.values()).select_from(joined).where(which).order_by(_PHOTOS.c.line)
    db.session.execute(insert(kept).from_select(list(columns), chosen, include_defaults=False))
    rows = select(_PHOTOS.c.audit_tail, _CANDIDATES.c.id.label("object_id"), _PHOTOS.c.details).select_from(joined)
    audit.record_selected(rows.where(which), Change("candidate", work.id, "set_photo"), by=work.by, now=now)


@retried
def _insert(model: type[StagedCandidate] | type[StagedPhoto], rows: list[dict[str, Any]]) -> None:
    with transaction():
        db.session.execute(insert(model.__table__), rows)  # type: ignore[arg-type]


@retried
def _delete_some(table: Any, stage_id: UUID) -> bool:
    most = PHOTOS_AT_ONCE * 4 if table is _PHOTOS else BATCH * 2
    lines = select(table.c.line).where(table.c.stage_id == stage_id).order_by(table.c.line).limit(most)
    with transaction():
        found = list(db.session.execute(lines).scalars())
        if found:
            db.session.execute(delete(table).where(table.c.stage_id == stage_id, table.c.line <= found[-1]))
    return bool(found)


def batches(steps: Sequence[Step]) -> Iterator[Sequence[Step]]:
    """Yield what is put down together."""
    for start in range(0, len(steps), BATCH):
        yield steps[start : start + BATCH]
