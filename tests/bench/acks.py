"""The ack log against the database: what was acknowledged is stored, or something that was sent after it."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from sqlalchemy import select

from kiosk.extensions import db
from kiosk.models import Answer, Attempt, Candidate
from kiosk.services.accounts import fold_login

BATCH = 500
Acks = dict[tuple[str, str], tuple[int, str]]  # by login and question: number and value


def lost(app: Flask, acks: Acks) -> Iterator[str]:
    """Say of each acknowledged answer that is not there what stands in its place."""
    logins = sorted({fold_login(login) for login, _ in acks})
    for first in range(0, len(logins), BATCH):
        batch = set(logins[first : first + BATCH])
        stored = _stored(app, batch)
        for (login, question), (seq, value) in acks.items():
            if fold_login(login) not in batch:
                continue
            row = stored.get((fold_login(login), question))
            if row is None or row[0] < seq or (row[0] == seq and row[1] != value):
                yield f"{login}: acknowledged {seq} {value!r}, stored {row}"


def _stored(app: Flask, logins: set[str]) -> dict[tuple[str, str], tuple[int, str]]:
    columns = (Candidate.login, Answer.question_id, Answer.seq, Answer.response)
    query = (
        select(*columns)
        .join(Attempt, Attempt.id == Answer.attempt_id)
        .join(Candidate, Candidate.id == Attempt.candidate_id)
        .where(Candidate.login.in_(logins), Answer.seq > 0)
    )
    with app.app_context():
        found = {
            (row.login, str(row.question_id)): (row.seq, _as_sent(row.response)) for row in db.session.execute(query)
        }
        db.session.remove()
    return found


def _as_sent(response: object) -> str:
    return {True: "true", False: "false"}[response] if isinstance(response, bool) else str(response)
