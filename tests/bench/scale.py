"""`python -m tests.bench.scale`: what docs/scale.md reckons with: bytes of rows, log and keys for each attempt.

Everything is written by the product's own services on a PostgreSQL that keeps what it commits.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import select, text

from kiosk import clock, timers
from kiosk.extensions import db
from kiosk.jobs import sweeper
from kiosk.models import Answer, Attempt, Question
from kiosk.services import answers, attempts, presence
from kiosk.services.audit import Actor
from tests.bench import crowd, data, partitions, usage
from tests.bench.scenarios import say
from tests.bench.stack import CannotStart, Stack
from tests.faults.processes import PrivateRedis

TABLES = ("attempts", "answers", "answer_saves", "visits", "slots", "audit_events", "results")
RESPONSES = {
    "single": ("A", "B"),
    "multiple": (["A", "B"], ["B", "C"]),
    "true_false": (True, False),
    "numeric": (12, 13),
    "fill": ("lead acid", "nickel iron"),
    "short": ("words " * 20, "other words " * 20),
    "long": ("words " * 120, "other words " * 120),
}
PARTS = 8
PACE = timedelta(seconds=30)


def main(arguments: list[str]) -> int:
    """Print one JSON document; return 0, or 1 where there is no PostgreSQL."""
    asked = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    asked.add_argument("--running", type=int, default=2000, metavar="N", help="attempts that run")
    asked.add_argument("--writing", type=int, default=100, metavar="N", help="how many of them write, and hand in")
    asked.add_argument("--saves", type=int, default=90, metavar="N", help="saves and moves of each of these")
    asked.add_argument("--fillfactor", type=int, metavar="PERCENT", help="how full the pages of attempts are made")
    wishes = asked.parse_args(arguments)
    try:
        stack = Stack("postgresql")
    except CannotStart as refusal:
        print(refusal, file=sys.stderr)
        return 1
    assert stack.postgres is not None
    redis = PrivateRedis(stack.folder)
    try:
        stack.environ["KIOSK_REDIS_URL"] = f"redis://127.0.0.1:{redis.port}"
        app = stack.make_app()
        place = data.prepare(app)
        with app.app_context():
            found = _measure(Meter(stack.postgres.pid), app, place, redis.client, wishes)
    finally:
        redis.kill()
        stack.stop()
    print(json.dumps(found, indent=1))
    return 0


def _measure(meter: Meter, app: Flask, place: data.Place, redis: Any, wishes: Any) -> dict[str, Any]:
    before = _rows()
    if wishes.fillfactor:
        with db.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE attempts SET (fillfactor = {wishes.fillfactor})"))
    say(f"seating {wishes.running}")
    crowd.seat(app, place, wishes.running, within=timedelta(hours=3))
    writers = _writers(place, wishes.writing)
    found: dict[str, Any] = {"running": wishes.running, "writing": wishes.writing, "saves_each": wishes.saves}
    say("keys")
    found["keys"] = _keys(meter, redis, wishes.running)
    say("writing")
    found["save"] = _saves(meter, writers, wishes.saves)
    say("moving")
    found["presence"] = _presence(meter, writers, wishes.saves)
    say("handing in")
    found["submit"] = meter.per(len(writers), lambda: [_hand_in(writer) for writer in writers])
    found["tables"] = _tables(before)
    say("cutting by attempt")
    found["partitions"] = _cut(meter, writers[0])
    return found


class Meter:
    """Bytes of write-ahead log, and CPU here and in the database, for each of so many."""

    def __init__(self, postgres: int) -> None:
        self._postgres = postgres

    def per(self, count: int, work: Callable[[], object]) -> dict[str, float]:
        """Do the work; return what it cost. The operating system counts the database's CPU in steps of 10 ms."""
        begun, own, theirs = _lsn(), time.process_time(), self._database_ms()
        work()
        own, theirs = time.process_time() - own, self._database_ms() - theirs
        return {
            "count": count,
            "wal_bytes": round((_lsn() - begun) / count),
            "own_cpu_ms": round(own * 1000 / count, 3),
            "database_cpu_ms": round(theirs / count, 3),
        }

    def _database_ms(self) -> float:
        return usage.cpu_ms(usage.family(self._postgres))


class Writer:
    """One candidate with the questions of the attempt."""

    def __init__(self, place: data.Place, attempt_id: UUID, candidate_id: UUID) -> None:
        self.attempt_id, self._begun_at = attempt_id, clock.now()
        self.actor = Actor("candidate", "Candidate", candidate_id, place.organisation_id)
        query = select(Question.id, Question.question_type).join(Answer, Answer.question_id == Question.id)
        self.questions = db.session.execute(query.where(Answer.attempt_id == attempt_id).order_by(Answer.number)).all()

    def save(self, count: int) -> None:
        """Answer the next question, another way than the last time."""
        question = self.questions[count % len(self.questions)]
        response = RESPONSES[question.question_type][count // len(self.questions) % 2]
        answers.save(self.attempt_id, question.id, response, seq=None, lease=1, by=self.actor, now=self._at(count))

    def move(self, count: int) -> None:
        """Go to the next question; the look at it is noted, and written when presence is flushed."""
        to, left = (count + 1) % len(self.questions) + 1, count % len(self.questions) + 1
        answers.go(self.attempt_id, lease=1, by=self.actor, now=self._at(count), to_number=to, left_number=left)

    def _at(self, count: int) -> datetime:
        """As people write: of a text being written only one version in 15 s is kept."""
        return self._begun_at + count * PACE


def _writers(place: data.Place, count: int) -> list[Writer]:
    rows = db.session.execute(select(Attempt.id, Attempt.candidate_id).where(Attempt.seed == crowd.SEED).limit(count))
    return [Writer(place, *row) for row in rows.all()]


def _saves(meter: Meter, writers: list[Writer], each: int) -> dict[str, Any]:
    """The first round goes to pages that were not written to since the checkpoint; the others do not."""

    def write(first: int, last: int) -> None:
        for count in range(first, last):
            for writer in writers:
                writer.save(count)

    db.session.rollback()
    db.session.execute(text("CHECKPOINT"))
    db.session.rollback()
    first = len(writers[0].questions)
    after = meter.per(len(writers) * first, lambda: write(0, first))
    later = meter.per(len(writers) * (each - first), lambda: write(first, each))
    return {"after_a_checkpoint": after, "later": later}


def _presence(meter: Meter, writers: list[Writer], each: int) -> dict[str, Any]:
    """A sign of life of everybody, three times over; then moves of those who write, and the visits noted with them."""
    ids = list(db.session.scalars(select(Attempt.id).where(Attempt.status == "in_progress")))
    presence.flush()

    def live() -> None:
        for _ in range(3):
            for attempt_id in ids:
                presence.seen(attempt_id, now=clock.now())
            presence.flush()

    def move() -> None:
        for count in range(each):
            for writer in writers:
                writer.move(count)

    return {
        "sign_of_life": meter.per(3 * len(ids), live),
        "move": meter.per(len(writers) * each, move),
        "visit": meter.per(len(writers) * each, presence.flush),
    }


def _hand_in(writer: Writer) -> None:
    attempts.submit(writer.attempt_id, by=writer.actor, now=clock.now())


def _lsn() -> int:
    query = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
    found = db.session.execute(text(query)).scalar_one()
    db.session.rollback()
    return int(found)


def _keys(meter: Meter, redis: Any, running: int) -> dict[str, Any]:
    """What the keys cost in Redis, and what a round of the sweeper costs that compares them all with the database."""
    empty = redis.info("memory")["used_memory"]
    now = clock.now()

    def compare() -> None:
        timers.reconcile(partial(sweeper.truth, now, False), now=now)

    compare()
    rounds = [meter.per(running, compare) for _ in range(3)]
    key = next(iter(redis.scan_iter("exam:timer:*")))
    used = redis.info("memory")["used_memory"] - empty
    return {
        "count": redis.dbsize(),
        "memory_usage_of_one": redis.memory_usage(key),
        "bytes_each_in_all": round(used / redis.dbsize()),
        "compare": min(rounds, key=lambda one: one["own_cpu_ms"]),
    }


def _rows() -> dict[str, int]:
    counts = {table: db.session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in TABLES}
    db.session.rollback()
    return counts


def _tables(before: dict[str, int]) -> dict[str, dict[str, float]]:
    """Bytes of a row in each table and in its indexes, as they lie there after the writing."""
    found = {}
    db.session.execute(text("SELECT pg_stat_clear_snapshot()"))
    time.sleep(1.5)  # statistics come a moment late
    for table, rows in _rows().items():
        query = (
            f"SELECT pg_table_size('{table}'), pg_indexes_size('{table}'), n_tup_upd, n_tup_hot_upd "
            f"FROM pg_stat_user_tables WHERE relname = '{table}'"
        )
        heap, indexes, updated, in_place = db.session.execute(text(query)).one()
        found[table] = {
            "rows": rows,
            "new_rows": rows - before[table],
            "heap_bytes": round(heap / max(1, rows)),
            "index_bytes": round(indexes / max(1, rows)),
            "updates": updated,
            "without_touching_an_index": in_place,  # HOT: half the log, and no index grows
        }
    db.session.rollback()
    return found


def _cut(meter: Meter, writer: Writer) -> dict[str, Any]:
    db.session.remove()
    with db.engine.begin() as connection:
        found: dict[str, Any] = {table: partitions.as_it_is(connection, table) for table in partitions.KEYS}
        partitions.cut(connection, PARTS)
    query = "SELECT * FROM answers WHERE attempt_id = :attempt"
    with db.engine.connect() as connection:
        found["parts_of_one_attempt"] = len(partitions.parts_touched(connection, query, attempt=writer.attempt_id))
    other = _writers_left(writer)
    found["save_then"] = meter.per(
        len(other.questions), lambda: [other.save(count) for count in range(len(other.questions))]
    )
    return found


def _writers_left(writer: Writer) -> Writer:
    """Somebody whose attempt still runs."""
    row = db.session.execute(
        select(Attempt.id, Attempt.candidate_id).where(Attempt.seed == crowd.SEED, Attempt.status == "in_progress")
    ).first()
    assert row is not None
    place = data.Place(writer.actor.organisation_id, *[writer.attempt_id] * 3)  # type: ignore[arg-type]
    return Writer(place, *row)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
