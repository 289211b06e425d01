"""What staff see of jobs: a list, one of them, and what it left to be downloaded."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from kiosk.errors import NotFound
from kiosk.extensions import db
from kiosk.models import Centre, Job
from kiosk.models.work import JOB_STATUSES
from kiosk.services.jobs import SECRET_KINDS

PAGE_ROWS = 50
STATES = JOB_STATUSES


@dataclass(frozen=True)
class JobFilters:
    """Which jobs are asked for; the latest stand first."""

    q: str = ""
    state: str = ""
    kinds: tuple[str, ...] = ()
    page: int = 1


@dataclass(frozen=True)
class JobView:
    """A job as its pages show it."""

    job_id: UUID
    kind: str
    title: str
    status: str
    done: int
    total: int
    result: dict[str, Any]
    output_name: str | None
    has_input: bool
    made_by: str
    made_at: datetime
    finished_at: datetime | None
    time_zone: str | None

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.finished_at is not None

    @property
    def percent(self) -> int:
        """How far it is."""
        return 100 * self.done // self.total if self.total else 0

    @property
    def earlier_at(self) -> datetime | None:
        """When exactly the same file was imported before; known once it was checked."""
        at = self.result.get("earlier_at")
        return datetime.fromisoformat(at) if at else None

    @property
    def is_secret(self) -> bool:
        """Whether its output is handed over once."""
        return self.kind in SECRET_KINDS

    @property
    def is_waiting_for_yes(self) -> bool:
        """Whether a file was checked, found right, and not imported yet."""
        return self.kind == "check_candidates" and self.status == "done" and self.has_input


@dataclass(frozen=True)
class JobPage:
    """One page of jobs."""

    rows: tuple[JobView, ...]
    matching: int
    page: int
    pages: int


def jobs(organisation_id: UUID, centre_id: UUID | None, filters: JobFilters) -> JobPage:
    """Return the organisation's jobs, or with `centre_id` those of this centre."""
    matching = db.session.execute(_query(organisation_id, centre_id, filters, func.count())).scalar_one()
    pages = max(1, math.ceil(matching / PAGE_ROWS))
    page = min(max(1, filters.page), pages)
    rows = db.session.execute(
        _query(organisation_id, centre_id, filters, *_columns())
        .order_by(Job.made_at.desc(), Job.id.desc())
        .limit(PAGE_ROWS)
        .offset((page - 1) * PAGE_ROWS)
    ).all()
    return JobPage(tuple(_view(row) for row in rows), matching, page, pages)


def job(job_id: UUID, *, organisation_id: UUID, centre_id: UUID | None) -> JobView:
    """Return one job. Raises NotFound for another organisation's, or with `centre_id` another centre's."""
    row = db.session.execute(
        _query(organisation_id, centre_id, JobFilters(), *_columns()).where(Job.id == job_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    return _view(row)


def output(view: JobView) -> bytes:
    """Return what the job left. Raises NotFound if it left nothing, or its output is handed over once."""
    content = db.session.execute(select(Job.output_file).where(Job.id == view.job_id)).scalar_one_or_none()
    if content is None or view.is_secret:
        raise NotFound
    return bytes(content)


def _query(organisation_id: UUID, centre_id: UUID | None, filters: JobFilters, *columns: Any) -> Select[Any]:
    query = (
        select(*columns)
        .select_from(Job)
        .outerjoin(Centre, Centre.id == Job.centre_id)
        .where(Job.organisation_id == organisation_id)
    )
    if centre_id is not None:
        query = query.where(Job.centre_id == centre_id)
    if filters.q:
        query = query.where(
            Job.title.icontains(filters.q, autoescape=True) | Job.made_by.icontains(filters.q, autoescape=True)
        )
    if filters.state:
        query = query.where(Job.status == filters.state)
    if filters.kinds:
        query = query.where(Job.kind.in_(filters.kinds))
    return query


def _columns() -> Collection[Any]:
    return (
        Job.id,
        Job.kind,
        Job.title,
        Job.status,
        Job.steps_done,
        Job.steps_total,
        Job.result,
        Job.output_name,
        Job.input_file.is_not(None).label("has_input"),
        Job.made_by,
        Job.made_at,
        Job.finished_at,
        Centre.time_zone,
    )


def _view(row: Any) -> JobView:
    return JobView(
        job_id=row.id,
        kind=row.kind,
        title=row.title,
        status=row.status,
        done=row.steps_done,
        total=max(row.steps_total, row.steps_done),
        result=row.result or {},
        output_name=row.output_name,
        has_input=row.has_input,
        made_by=row.made_by,
        made_at=row.made_at,
        finished_at=row.finished_at,
        time_zone=row.time_zone,
    )
