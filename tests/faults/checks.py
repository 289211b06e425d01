"""What must be true after every fault: the invariants of the database, and the ack log against it."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import func, select

from kiosk import create_app, timers
from kiosk.config import load_settings
from kiosk.extensions import db
from kiosk.models import Answer, AnswerSave, Attempt, Question, Result
from kiosk.services import invariants, system
from kiosk.states import AttemptStatus
from tests.faults.bots import AckLog, Seen, acknowledged, saves
from tests.runtime.conftest import SECRET

DOCUMENTED = {400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 503}
LONGEST_SECONDS = 10.0

Key = tuple[str, str]  # attempt and question


def check_invariants(database_url: str, log: AckLog) -> None:
    """Check the database alone and against the ack log; counts the lost answers in the log. Raises AssertionError."""
    with app_on(database_url).app_context():
        broken = [
            f"{finding.name}: {finding.sentence}: {finding.examples}"
            for finding in invariants.check(now=system.database_time())
            if not finding.holds
        ]
        stored = _stored(log)
        lost = list(_lost(log, stored))
        log.lost = len(lost)
        broken += [*lost, *_invented(log, stored), *_repeated(log), *_dishonest(log), *_taken_back(log), *_told(log)]
        db.session.remove()
        db.engine.dispose()
    assert not broken, "\n".join(broken[:20])


@lru_cache
def app_on(database_url: str) -> Flask:
    """An application of the test's own on a database, to look at it."""
    folder = tempfile.TemporaryDirectory(prefix="kiosk-look-")
    environ = {
        "KIOSK_INSTANCE_DIR": folder.name,
        "KIOSK_DATABASE_URL": database_url,
        "KIOSK_SECRET_KEY": SECRET,
        "KIOSK_LOG_LEVEL": "error",
    }
    app = create_app(load_settings(environ), background=False)
    app.extensions["folder"] = folder  # goes with the application
    return app


def _stored(log: AckLog) -> dict[Key, Any]:
    attempts = {UUID(seen.attempt_id) for seen in saves(log.seen)}
    rows = db.session.execute(
        select(Answer.attempt_id, Answer.question_id, Answer.seq, Answer.response).where(
            Answer.attempt_id.in_(attempts)
        )
    )
    return {(str(row.attempt_id), str(row.question_id)): row for row in rows}


def _lost(log: AckLog, stored: dict[Key, Any]) -> Iterator[str]:
    """I1: what was acknowledged last is stored, or something that was sent after it."""
    for key, sent in _by_question(acknowledged(log.seen)).items():
        last = max(sent, key=lambda seen: seen.seq)
        row = stored.get(key)
        if row is None or row.seq < last.seq or (row.seq == last.seq and row.response != last.response):
            yield f"I1: acknowledged {last.seq} {last.response!r}, stored {row}"


def _invented(log: AckLog, stored: dict[Key, Any]) -> Iterator[str]:
    """I2: every stored value was sent by this candidate, for this question, with this seq."""
    sent = {(*key, seen.seq, seen.response) for key, tries in _by_question(saves(log.seen)).items() for seen in tries}
    for key, row in stored.items():
        if row.response is not None and (*key, row.seq, row.response) not in sent:
            yield f"I2: stored but never sent: {row}"


def _repeated(log: AckLog) -> Iterator[str]:
    """I7: a repeated save stands once in the history, a repeated hand-in has one receipt and one result."""
    attempts = {UUID(seen.attempt_id) for seen in log.seen if seen.attempt_id}
    key = (AnswerSave.attempt_id, AnswerSave.question_id, AnswerSave.seq)
    doubled = select(*key).where(AnswerSave.attempt_id.in_(attempts), AnswerSave.is_counted)
    for row in db.session.execute(doubled.group_by(*key).having(func.count() > 1)):
        yield f"I7: stands twice in the history: {row}"
    results = select(Result.attempt_id).where(Result.attempt_id.in_(attempts), Result.superseded_at.is_(None))
    for attempt_id in db.session.scalars(results.group_by(Result.attempt_id).having(func.count() > 1)):
        yield f"I7: two results: {attempt_id}"
    receipts: dict[str, set[str]] = defaultdict(set)
    for seen in log.seen:
        if seen.call == "submit" and seen.is_acknowledged:
            receipts[seen.attempt_id].add(seen.body["receipt"])
    yield from (f"I7: two receipts: {given}" for given in receipts.values() if len(given) > 1)


def wrong_keys(database_url: str, redis: Any) -> list[str]:
    """I13: what the keys say that the database does not; a key may be missing, the next poll writes it."""
    found = []
    with app_on(database_url).app_context():
        rows = db.session.execute(
            select(Attempt.id, Attempt.deadline_at, Attempt.version, Attempt.lease).where(
                Attempt.status == AttemptStatus.IN_PROGRESS
            )
        )
        truth = {str(row.id): f"{timers.to_ms(row.deadline_at)}:{row.version}:{row.lease}" for row in rows}
        db.session.remove()
        db.engine.dispose()
    for key in redis.keys("exam:timer:*"):
        attempt_id = key.rpartition(":")[2].strip("{}")  # on a cluster the id is the key's hash tag
        value = redis.get(key) if redis.type(key) == "string" else "of a wrong type"
        if value is None:
            continue  # gone meanwhile
        if value != truth.get(attempt_id) and not (value.startswith("-:") and attempt_id not in truth):
            found.append(f"I13: {key} says {value}, the database {truth.get(attempt_id)}")
        elif redis.pttl(key) == -1:
            found.append(f"I13: {key} never expires")
    return found


def _taken_back(log: AckLog) -> Iterator[str]:
    """I19: what was acknowledged before a page was asked for is on that page."""
    newest: dict[Key, int] = {}
    for seen in log.seen:
        if seen.call == "save" and seen.is_acknowledged and seen.body["saved"]:
            key = (seen.attempt_id, seen.question_id)
            newest[key] = max(seen.seq, newest.get(key, 0))
        elif seen.call == "questions" and seen.is_acknowledged:
            shown = seen.body["saved_seqs"]
            for (attempt_id, question_id), seq in newest.items():
                if attempt_id == seen.attempt_id and shown.get(question_id, 0) < seq:
                    yield f"I19: {question_id} was acknowledged as {seq} and is shown as {shown.get(question_id)}"


def _told(log: AckLog) -> Iterator[str]:
    """I11: no key and no model answer in anything that a candidate was sent."""
    answers = (one for one in db.session.scalars(select(Question.answer)) if isinstance(one, str) and len(one) > 20)
    said = "\n".join(json.dumps(seen.body, ensure_ascii=False) for seen in log.lately() if seen.call == "questions")
    yield from (f"I11: told a model answer: {one[:40]}" for one in answers if said and json.dumps(one)[1:-1] in said)
    fields = ('"answer":', '"is_right":', '"correct":')
    yield from (f"I11: told {field}" for field in fields if field in said)


def _dishonest(log: AckLog) -> Iterator[str]:
    """I12, I14: only documented answers, each a problem with its reason, a 503 with Retry-After, none after 10 s."""
    for seen in log.lately():
        if seen.status is None or seen.is_acknowledged:
            continue
        is_problem = bool(seen.body.get("code")) and bool(seen.body.get("detail"))
        if seen.status not in DOCUMENTED or not is_problem:
            yield f"I12: {seen.call} {seen.status}: {seen.body}"
        if seen.status == 503 and not seen.retry_after:
            yield f"I12: {seen.call} 503 without Retry-After"
    for seen in log.lately():
        if seen.seconds > LONGEST_SECONDS:
            yield f"I14: {seen.call} took {seen.seconds:.1f} s"


def _by_question(sent: list[Seen]) -> dict[Key, list[Seen]]:
    found: dict[Key, list[Seen]] = defaultdict(list)
    for seen in sent:
        found[seen.attempt_id, seen.question_id].append(seen)
    return found
