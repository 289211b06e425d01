"""The ack log finds what is lost, and accuses nobody else."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from kiosk.extensions import db
from kiosk.models import Candidate
from tests.bench import acks
from tests.cast import Hall


def test_an_acknowledged_answer_is_lost_unless_it_or_a_newer_one_is_stored(app: Flask, hall: Hall) -> None:
    player = hall.player()
    player.start()
    question_id = next(row[1] for row in player.paper() if row[0] == 1)
    player.save(1, "A", seq=1)
    player.save(1, "B", seq=2)
    login = db.session.scalars(select(Candidate.login).where(Candidate.id == hall.candidate_ids[0])).one()

    def is_lost(seq: int, value: str) -> bool:
        return bool(list(acks.lost(app, {(login.upper(), str(question_id)): (seq, value)})))

    assert not is_lost(2, "B")
    assert not is_lost(1, "A")
    assert is_lost(2, "A")
    assert is_lost(3, "B")
    assert is_lost(3, "C")


def test_an_answer_of_which_the_database_knows_nothing_is_lost(app: Flask, hall: Hall) -> None:
    assert list(acks.lost(app, {("nobody", "question"): (1, "A")})) == ["nobody: acknowledged 1 'A', stored None"]
