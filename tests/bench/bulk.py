"""What is done to many candidates at once, in this process as the worker does it, beside a running server."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from kiosk import clock
from kiosk.extensions import db, transaction
from kiosk.jobs import sweeper
from kiosk.models import Attempt, Candidate, Paper, QuestionSet
from kiosk.services import papers, sets, slots
from kiosk.services.audit import Actor
from kiosk.services.exchange import questions
from tests.bench import crowd
from tests.bench.measures import Samples, Tally
from tests.bench.scenarios import YARDSTICK_SECONDS, Bench, say
from tests.counting import counting

PER_BATCH = 1000
PER_QUESTION = 10  # candidates, as 50,000 and 5,000 are
MOST_SWEPT = 10_000  # as many as end at one bell
PATIENCE_SECONDS = 120.0


def bulk(bench: Bench) -> None:
    """Import, assign, reassign, reset, switch the set, and sweep N candidates; CPU and time are those of one."""
    count = bench.candidates(500, 10_000)
    bench.stack.start()
    bench.measure_yardstick(YARDSTICK_SECONDS)
    place, now = bench.place, clock.now
    by = Actor("cli", "bench", organisation_id=place.organisation_id)
    with bench.app.app_context():
        _step(bench, "import", count, lambda: _import(count, by))
        asked = _question_file(max(1, count // PER_QUESTION))
        _step(bench, "import_questions", asked.count(b"\n") - 1, lambda: _import_questions(bench, asked, by))
        ids = list(db.session.scalars(select(Candidate.id).where(Candidate.service_no.like("IC-%"))))
        _step(bench, "assign", count, lambda: slots.assign(ids, by=by, now=now()).changed)
        _step(bench, "reassign", count, lambda: slots.reassign(ids, reason="bench", by=by, now=now()).changed)
        _step(bench, "reset", count, lambda: slots.reset(ids, reason="bench", by=by, now=now()).changed)
        _step(bench, "switch", count, lambda: _switch(bench, count, by), prepared=lambda: _waiting(bench, ids, by))
        bench.run.notes.append(f"the most memory that this process had: {_peak_mb()} MB")
        db.session.remove()
    bench.run.notes.append(
        "p50, p95 and p99 are the mean time for one candidate; `sql` is statements for each 1,000. Budget: at most 3 "
        "times the bare route for each candidate; import of 50,000 within 60 s and 300 MB."
    )
    _sweep(bench, min(count, MOST_SWEPT))


def _step(
    bench: Bench, name: str, count: int, work: Callable[[], int], *, prepared: Callable[[], object] | None = None
) -> None:
    """Do one thing to all of them and account for it; an error is a candidate to whom it was not done."""
    if prepared:
        prepared()
    say(f"{name}: {count} candidates")
    before, own, begun_at = bench.stack.cpu_ms(), time.process_time(), time.monotonic()
    with counting() as counted:
        done = work()
    tally = Tally(elapsed=time.monotonic() - begun_at)
    tally.server_ms = bench.stack.cpu_ms() - before + (time.process_time() - own) * 1000
    samples = Samples(seconds=[tally.elapsed / count] * done, asking_seconds=tally.elapsed, errors=count - done)
    samples.sql = [round(counted.statements / max(1, count / PER_BATCH))]
    samples.redis = [round(counted.round_trips / max(1, count / PER_BATCH))]
    tally.samples[name] = samples
    bench.run.take(tally, 1)


def _import(count: int, by: Actor) -> int:
    from kiosk.services import candidate_imports, jobs, working
    from kiosk.services.candidate_plans import Scope
    from tests.bench.candidates import table

    content, scope = table(count, 0, "csv"), Scope(by.organisation_id)  # type: ignore[arg-type]
    working.do(jobs.begin(candidate_imports.order_directly(content, "bench.csv", scope), by=by, now=clock.now()))
    query = select(func.count()).select_from(Candidate).where(Candidate.service_no.like("IC-%"))
    return db.session.scalars(query).one()


def _question_file(count: int) -> bytes:
    """A file with so many questions."""
    line = "A,Question {0} of many: which of these is right?,one of {0},two of {0},three of {0},four of {0},B,1,{0}"
    lines = [
        "part,text,option_a,option_b,option_c,option_d,answer,marks,number",
        *map(line.format, range(1, count + 1)),
    ]
    return "\n".join([*lines, ""]).encode()


def _import_questions(bench: Bench, content: bytes, by: Actor) -> int:
    found = questions.read(content).questions
    with transaction():
        paper_id = db.session.scalars(select(Paper.id).where(Paper.trade_id == bench.place.trade_id)).one()
        papers.add_set(paper_id, "Z", found, publish=False, by=by, now=clock.now())
    return len(found)


def _waiting(bench: Bench, ids: list[Any], by: Actor) -> None:
    """Give the candidates who were imported slots again: the switch asks for whom it counts."""
    slots.assign(ids, by=by, now=clock.now())


def _switch(bench: Bench, count: int, by: Actor) -> int:
    chosen = db.session.scalars(
        select(QuestionSet.id)
        .join(Paper, Paper.id == QuestionSet.paper_id)
        .where(Paper.trade_id == bench.place.trade_id, QuestionSet.label == "B")
    ).one()
    how = {"keep_running": False, "confirmed": True, "reason": "bench"}
    organisation_id = bench.place.organisation_id
    done = sets.activate(
        chosen,
        [bench.place.trade_id],
        organisation_id=organisation_id,
        by=by,
        now=clock.now(),
        **how,  # type: ignore[arg-type]
    )
    return count if done.activations else 0


def _sweep(bench: Bench, count: int) -> None:
    """End and mark so many, here and in the running stack, whichever comes first."""
    deadline_at = crowd.seat(bench.app, bench.place, count, within=timedelta(seconds=10 + count / 100))
    due_at = deadline_at + timedelta(seconds=2, milliseconds=10)
    time.sleep(max(0.0, (due_at - clock.now()).total_seconds()))

    def sweep() -> int:
        query = (
            select(func.count()).select_from(Attempt).where(Attempt.seed == crowd.SEED, Attempt.marked_at.is_not(None))
        )
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while (done := db.session.scalars(query).one()) < count and time.monotonic() < give_up_at:
            db.session.rollback()
            sweeper.sweep(now=clock.now(), reconcile=False)
        return done

    with bench.app.app_context():
        _step(bench, "sweep", count, sweep)
        db.session.remove()


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
