"""Marking by the machine, and the receipt."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from kiosk.extensions import db, transaction
from kiosk.models import Answer, Attempt, Paper, Result
from kiosk.services import catalogue, expiring, finishing, marking, reports
from kiosk.services.catalogue import LETTERS, FrozenQuestion
from kiosk.services.receipts import receipt_code
from kiosk.states import AttemptStatus
from tests.cast import Hall
from tests.player import Player


def question(kind: str, answer: Any, options: str = "ABCD") -> FrozenQuestion:
    """A question worth 2 marks, 1 off when wrong."""
    return FrozenQuestion(
        id=UUID(int=1), set_id=UUID(int=2), part="A", number=1, question_type=kind, text="?", text_hi=None,
        options=tuple({"key": key, "text": key} for key in options), answer=answer, marks=Decimal(2),
        negative_marks=Decimal(1), min_words=None, max_words=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "answer", "response", "order", "marks"),
    [
        ("single", "B", "B", "ABCD", 2),
        ("single", "B", "A", "BACD", 2),
        ("single", "B", "B", "BACD", -1),
        ("single", "B", None, "ABCD", 0),
        ("multiple", ["A", "C"], ["A", "C"], "ABCD", 2),
        ("multiple", ["A", "C"], ["D", "B"], "BADC", 2),
        ("multiple", ["A", "C"], ["A"], "ABCD", -1),
        ("multiple", ["A", "C"], ["A", "B", "C"], "ABCD", -1),
        ("true_false", False, False, "", 2),
        ("true_false", False, True, "", -1),
        ("numeric", {"value": "12.5", "tolerance": "0.1"}, 12.6, "", 2),
        ("numeric", {"value": "12.5", "tolerance": "0.1"}, 12.61, "", -1),
        ("numeric", {"value": "0.3"}, 0.3, "", 2),
        ("fill", ["Ohm's law", "ओम का नियम"], "  OHMS  law. ", "", 2),
        ("fill", ["Ohm's law", "ओम का नियम"], "ओम का नियम", "", 2),
        ("fill", ["12.5"], "125", "", None),
        ("fill", ["-3"], "3", "", None),
        ("fill", ["ohm"], "volt", "", None),
        ("fill", ["ohm"], None, "", 0),
        ("short", "A model answer", "A model answer", "", None),
        ("long", "A model answer", None, "", 0),
    ],
)
def test_each_type_is_marked_as_the_domain_says(kind: str, answer: Any, response: Any, order: str, marks: Any) -> None:
    given = marking.machine_marks(question(kind, answer), response, order)
    assert given == (None if marks is None else Decimal(marks))


def answer_all_right(player: Player) -> None:
    """Answer every question that the machine marks with its key."""
    db.session.expire_all()
    rows = db.session.execute(select(Answer).where(Answer.attempt_id == player.attempt.id)).scalars().all()
    for number, question_id, order in [(row.number, row.question_id, row.option_order) for row in rows]:
        one = catalogue.question(question_id)
        key = one.answer
        right = {
            "single": lambda k=key, o=order: LETTERS[o.index(k)],
            "multiple": lambda k=key, o=order: sorted(LETTERS[o.index(x)] for x in k),
            "true_false": lambda k=key: k,
            "numeric": lambda k=key: float(k["value"]),
            "fill": lambda k=key: k[0].upper(),
        }.get(one.question_type)
        if right:
            assert player.save(number, right()).saved


def test_an_attempt_without_written_answers_is_completed_at_once(hall: Hall) -> None:
    player = hall.player()
    player.start()
    answer_all_right(player)
    player.submit()
    assert player.attempt.status == "completed"
    result = db.session.execute(select(Result)).scalar_one()
    assert (result.score, result.max_score) == (Decimal(9), Decimal(16))


def test_a_written_answer_waits_for_a_person(hall: Hall) -> None:
    player = hall.player()
    player.start()
    player.save(5, "Twenty words about cables.")
    player.submit()
    attempt = player.attempt
    assert (attempt.status, attempt.marked_at is not None) == ("submitted", True)
    assert db.session.execute(select(Result)).first() is None


def test_the_score_is_shown_only_where_the_paper_releases_it(hall: Hall) -> None:
    player = hall.player()
    attempt_id = player.start().attempt_id
    answer_all_right(player)
    player.submit()
    for release, score in (("never", None), ("when_published", None), ("at_submit", 9)):
        with transaction():
            db.session.execute(update(Paper).values(score_release=release))
        assert reports.receipt(attempt_id, candidate_id=player.id).score == score


def test_marking_that_fails_loses_no_hand_in_and_is_tried_again(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("the machine stumbles")

    player = hall.player()
    player.start()
    monkeypatch.setattr(marking, "machine_marks", fail)
    player.submit()
    assert (player.attempt.status, player.attempt.marked_at) == ("submitted", None)
    assert player.slot.status == "consumed"
    monkeypatch.undo()
    assert marking.waiting(now=hall.MORNING) == []
    later = hall.after(minutes=2)
    assert marking.waiting(now=later) == [player.attempt.id]
    marking.mark_now(player.attempt.id, now=later)
    assert player.attempt.status == "completed"


def test_marking_twice_changes_nothing(hall: Hall) -> None:
    player = hall.player()
    attempt_id = player.start().attempt_id
    player.submit()
    before = hall.audit(attempt_id)
    marking.mark_now(attempt_id, now=hall.MORNING)
    assert hall.audit(attempt_id) == before
    expiring.expire_overdue(now=hall.after(hours=9))
    assert hall.audit(attempt_id) == before


def test_a_receipt_is_four_groups_of_crockford_base32_and_changes_with_every_answer() -> None:
    end = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
    responses = [(UUID(int=1), "A"), (UUID(int=2), None)]
    code = receipt_code(UUID(int=9), end, responses)
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code)
    assert code == receipt_code(UUID(int=9), end, responses)
    others = {
        receipt_code(UUID(int=8), end, responses),
        receipt_code(UUID(int=9), end.replace(second=1), responses),
        receipt_code(UUID(int=9), end, [(UUID(int=1), "B"), (UUID(int=2), None)]),
        receipt_code(UUID(int=9), end, responses[::-1]),
    }
    assert len(others | {code}) == 5


def test_who_comes_second_to_mark_an_attempt_changes_nothing(hall: Hall) -> None:
    player = hall.player()
    player.start()
    player.save(1, "A")
    player.submit()
    attempt = player.attempt
    assert attempt.status == "completed"
    # what another sweeper read before the first one was done
    with transaction():
        stale = finishing.Ended(AttemptStatus.SUBMITTED, attempt.version - 1, finishing.answers_of(attempt.id))
    audited = hall.audit(attempt.id)
    marking.mark_now(attempt.id, now=hall.after(minutes=1), ended=stale)
    assert (player.attempt.marking_tries, hall.audit(attempt.id)) == (0, audited)
    assert db.session.scalars(select(Result.version)).all() == [1]


WAYS: dict[str, list[Any]] = {
    "single": ["A", "B", None],
    "multiple": [["A", "C"], ["B", "D"], ["A"]],
    "true_false": [True, False, None],
    "numeric": [12.5, -3, 0],
    "fill": ["  OHMS law. ", "ओम का नियम", "volt"],
    "short": ['चालक, "copper"\n{1}: 2', None, "x"],
    "long": [None, "x", "y" * 3000],
}


def answer_in_a_way(player: Player, way: int) -> None:
    """Answer each question as its type allows, in one of three ways."""
    for number, question_id in [row[:2] for row in player.paper()]:
        response = WAYS[catalogue.question(question_id).question_type][way]
        if response is not None:
            assert player.save(number, response).saved


def marks_of(player: Player) -> list[tuple[int, Decimal | None]]:
    """The stored marks by the numbers of the questions."""
    db.session.rollback()
    rows = db.session.execute(
        select(Answer.number, Answer.marks).where(Answer.attempt_id == player.attempt.id).order_by(Answer.number)
    )
    return [(row[0], row[1]) for row in rows]


def test_many_that_end_at_once_are_marked_and_sealed_as_each_would_be_alone(hall: Hall) -> None:
    players = [hall.player(place) for place in range(3)]
    for way, player in enumerate(players):
        player.start()
        answer_in_a_way(player, way)
    late = hall.after(hours=3, seconds=3)
    assert expiring.expire_overdue(now=late) == 3
    for player in players:
        attempt = player.attempt
        with transaction():
            rows = finishing.answers_of(attempt.id)
        alone = [
            (row.number, marking.machine_marks(catalogue.question(row.question_id), row.response, row.option_order))
            for row in rows
        ]
        assert marks_of(player) == alone
        assert attempt.marked_at is not None
        said = [(row.question_id, row.response) for row in rows]
        assert attempt.receipt == receipt_code(attempt.id, attempt.closed_at, said)
    assert len({str(marks_of(player)) for player in players}) == 3, "they answered in different ways"


@pytest.mark.harms_the_database
def test_a_missing_answer_moves_no_mark_to_another_question(hall: Hall) -> None:
    player, other = hall.player(), hall.player(1)
    for one in (player, other):
        one.start()
        answer_all_right(one)
    with transaction():
        db.session.execute(delete(Answer).where(Answer.attempt_id == player.attempt.id, Answer.number == 1))
    assert expiring.expire_overdue(now=hall.after(hours=3, seconds=3)) == 2
    marking.mark_waiting(now=hall.after(hours=3, seconds=4))
    assert marks_of(player) == [(number, mark) for number, mark in marks_of(other) if number != 1]
    assert marks_of(other)[0][1]


def test_what_people_marked_before_is_not_written_over_with_nothing(hall: Hall) -> None:
    player = hall.player()
    player.start()
    player.save(5, "Twenty words about cables.")
    player.submit()
    with transaction():
        marked = update(Answer).where(Answer.attempt_id == player.attempt.id, Answer.number == 5).values(marks=3)
        db.session.execute(marked)
        db.session.execute(update(Attempt).where(Attempt.id == player.attempt.id).values(marked_at=None))
    marking.mark_waiting(now=hall.after(hours=1))
    assert player.attempt.marked_at == hall.after(hours=1)
    assert dict(marks_of(player))[5] == 3
