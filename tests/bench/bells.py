"""The two bells: everybody signs in and starts at once; thousands end in the same second. Others write meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, select

from kiosk import clock
from kiosk.extensions import db
from kiosk.models import Attempt
from kiosk.states import AttemptStatus
from tests.bench import crowd
from tests.bench.driver import Fleet
from tests.bench.measures import Samples, Tally, figures
from tests.bench.scenarios import USUAL_PACE_SECONDS, YARDSTICK_SECONDS, Bench, say

WRITERS, WRITERS_PACE_SECONDS = 16, 1.5  # they write quicker than people, for samples enough
BELL_SECONDS = 1.0  # people who hear a bell press a key in the same second, not in the same thousandth of it
WARM_SECONDS, CALM_SECONDS = 2.0, 5.0
GRACE = timedelta(seconds=2)
PATIENCE_SECONDS = 120.0
BETWEEN_LOOKS_SECONDS = 0.05


def start_bell(bench: Bench) -> None:
    """A hall signs in in the same second and starts in the same second, while others write already."""
    count, seconds = bench.candidates(20, 250), bench.seconds(5, 60)
    writers, people = bench.add(WRITERS, "W"), bench.add(count, "H", chosen=True)
    bench.stack.start()
    bench.measure_yardstick(YARDSTICK_SECONDS)
    writing, hall = bench.fleet(writers, processes=1), bench.fleet(people)
    _calm(bench, writing, seconds=min(CALM_SECONDS, seconds))
    bench.prepare(hall, "open_sign_in")
    say("the bell: everybody signs in")
    _at_the_bell(bench, writing, hall, "sign_in", count)
    bench.prepare(hall, "enter")
    say("the start code is read out: everybody starts")
    _at_the_bell(bench, writing, hall, "start", count)
    bench.prepare(hall, "open_exam")
    pace = min(USUAL_PACE_SECONDS, seconds / 2)
    say(f"everybody writes for {seconds:.0f} s")
    bench.run.take(bench.measure(hall, "write", seconds=seconds, pace_seconds=pace), count)
    bench.run.notes.append(
        f"{count} sign in within a second, then start within a second. `save@…`: {WRITERS} others who wrote before "
        "(calm) and during; `save`: the hall afterwards. Budgets: all signed in within 20 s, started within 5 s, p95 "
        "of a start < 300 ms, p99 of a save < 25 ms, at the bell < 50 ms and at most three times the calm one; 200 MB."
    )


def end_bell(bench: Bench) -> None:
    """Many attempts end at the same second; the sweeper closes, audits and marks them while others write."""
    count = bench.candidates(200, 10_000)
    writers = bench.add(WRITERS, "W")
    bench.stack.start()
    bench.measure_yardstick(YARDSTICK_SECONDS)
    writing = bench.fleet(writers, processes=1)
    calm = _calm(bench, writing, seconds=CALM_SECONDS)
    say(f"seating {count} candidates who have written all along")
    # late enough that they are all seated by then, at a tenth of the speed that was seen
    deadline_at = crowd.seat(bench.app, bench.place, count, within=timedelta(seconds=10 + count / 100))
    _sleep_until(deadline_at - timedelta(seconds=1))
    say("the end bell")
    before = bench.stack.cpu_ms()
    writing.begin("write", seconds=_seconds_until(deadline_at) + 10, pace_seconds=WRITERS_PACE_SECONDS)
    due_at = deadline_at + GRACE
    closed = _watch(bench, count, due_at, _closed)
    marked = _watch(bench, count, due_at, _marked)
    tally = writing.result()
    used = bench.stack.cpu_ms() - before
    # the writers wrote at the same pace before: what is more than that is the bell's
    tally.server_ms = calm.server_ms / calm.elapsed * tally.elapsed
    bench.run.take(tally, WRITERS, suffix="@bell", only=["save"])
    rest = max(0.0, used - tally.server_ms)
    for name, samples in (("close", closed), ("mark", marked)):
        elapsed = max(samples.seconds, default=0.0)
        cpu_ms = rest if name == "mark" else 0.0
        bench.run.operations.append(figures(name, 0, samples, elapsed=elapsed, cpu_ms=cpu_ms))
    bench.run.notes.append(
        "close, mark: milliseconds from the end of the grace until so many percent were closed, and marked; the CPU of "
        "both stands with `mark`. Budgets: closed within 5 s, marked within 60 s, p99 of a save meanwhile < 500 ms."
    )


def _calm(bench: Bench, writing: Fleet, *, seconds: float) -> Tally:
    """Let the others come in and write for a while."""
    bench.prepare(writing, "open_sign_in", "sign_in", "enter", "start", "open_exam")
    writing.run("write", seconds=WARM_SECONDS, pace_seconds=WRITERS_PACE_SECONDS)
    tally = bench.measure(writing, "write", seconds=seconds, pace_seconds=WRITERS_PACE_SECONDS)
    bench.run.take(tally, WRITERS, suffix="@calm", only=["save"])
    return tally


def _at_the_bell(bench: Bench, writing: Fleet, hall: Fleet, step: str, count: int) -> None:
    """Everybody does this in the same second. The others' CPU goes along, shared by the time each was being served."""
    before = bench.stack.cpu_ms()
    hall.begin("each", steps=[step], clients=count, within_seconds=BELL_SECONDS)
    writing.begin("write", seconds=CALM_SECONDS, pace_seconds=WRITERS_PACE_SECONDS)
    together, beside = hall.result(), writing.result()
    elapsed = together.elapsed
    together.add(beside)
    together.server_ms, together.elapsed = bench.stack.cpu_ms() - before, elapsed
    bench.run.take(together, count, only=[step])
    shared = next((row["cpu_ms"] for row in together.operations(count) if row["name"] == "save"), 0.0)
    row = figures(f"save@{step}", WRITERS, beside.samples["save"], elapsed=beside.elapsed, cpu_ms=0.0)
    bench.run.operations.append(row | {"cpu_ms": shared})


def _watch(bench: Bench, count: int, due_at: datetime, ready: Callable[[], int]) -> Samples:
    """Look often how many are ready; a sample is the delay of one of them, as far as the looks can tell."""
    samples, begun_at = Samples(), time.monotonic()
    with bench.app.app_context():
        while len(samples.seconds) < count and time.monotonic() - begun_at < PATIENCE_SECONDS:
            found = ready()
            db.session.rollback()
            late = max(0.0, (clock.now() - due_at).total_seconds())
            samples.seconds += [late] * (found - len(samples.seconds))
            time.sleep(BETWEEN_LOOKS_SECONDS)
    samples.errors = count - len(samples.seconds)
    return samples


def _closed() -> int:
    ended = (AttemptStatus.EXPIRED, AttemptStatus.COMPLETED)
    query = select(func.count()).select_from(Attempt).where(Attempt.seed == crowd.SEED, Attempt.status.in_(ended))
    return db.session.scalars(query).one()


def _marked() -> int:
    query = select(func.count()).select_from(Attempt)
    return db.session.scalars(query.where(Attempt.seed == crowd.SEED, Attempt.marked_at.is_not(None))).one()


def _seconds_until(instant: datetime) -> float:
    return max(0.0, (instant - clock.now()).total_seconds())


def _sleep_until(instant: datetime) -> None:
    time.sleep(_seconds_until(instant))
