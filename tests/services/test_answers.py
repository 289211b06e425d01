"""Saving answers: what is acknowledged stays, an older save never overwrites a newer one, and nothing else gets in."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise, permutations
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from kiosk.errors import (
    AttemptNotRunning,
    BadInput,
    BadResponse,
    NotAllowed,
    NotFound,
    QuestionNotInAttempt,
    SeqReused,
    TimeOver,
)
from kiosk.extensions import db
from kiosk.models import Answer, AnswerSave
from kiosk.services import answers, catalogue, expiring, reports, slots
from tests.cast import Hall
from tests.player import Player


@pytest.fixture
def player(hall: Hall) -> Player:
    """A candidate who writes."""
    player = hall.player()
    player.start()
    return player


def number_of(player: Player, kind: str) -> int:
    """The number under which this candidate sees the first question of a type."""
    rows = db.session.execute(
        select(Answer.number, Answer.question_id).where(Answer.attempt_id == player.attempt.id).order_by(Answer.number)
    ).all()
    return next(row.number for row in rows if catalogue.question(row.question_id).question_type == kind)


def stored(player: Player, number: int) -> Any:
    """The stored response."""
    return next(row[3] for row in player.paper() if row[0] == number)


@pytest.mark.parametrize(
    ("kind", "response"),
    [
        ("single", "C"),
        ("multiple", ["A", "D"]),
        ("true_false", False),
        ("numeric", 12.5),
        ("fill", "ohm"),
        ("short", "Twenty words, more or less."),
        ("long", "अ" * 10_000),
        ("short", '</textarea><script>alert(1)</script> {{7*7}} =HYPERLINK("x") \u202e'),
    ],
)
def test_every_type_of_answer_is_kept_as_it_was_given(player: Player, kind: str, response: Any) -> None:
    number = number_of(player, kind)
    saved = player.save(number, response)
    assert (saved.saved, saved.seq, saved.state) == (True, 1, "done")
    assert stored(player, number) == response


@pytest.mark.parametrize(
    ("kind", "response"),
    [
        ("single", "E"), ("single", "a"), ("single", ""), ("single", "AB"), ("single", 1), ("single", True),
        ("single", ["A"]), ("single", {}), ("single", "Ａ"),
        ("multiple", "A"), ("multiple", []), ("multiple", ["A", "A"]), ("multiple", ["A", "Z"]),
        ("multiple", ["A"] * 500),
        ("multiple", [None]),
        ("true_false", "true"), ("true_false", 1), ("true_false", "B"),
        ("numeric", "12"), ("numeric", True), ("numeric", float("inf")),
        ("numeric", 10**400), ("numeric", float("nan")), ("numeric", 1e300),
        ("fill", 5), ("fill", ["x"]), ("short", "x" * 10_001), ("short", "a\0b"), ("long", "\ud800"),
    ],
)  # fmt: skip
def test_what_is_no_answer_to_the_question_is_refused_and_not_stored(player: Player, kind: str, response: Any) -> None:
    number = number_of(player, kind)
    with pytest.raises(BadResponse) as refused:
        player.save(number, response)
    assert refused.value.sentence
    assert stored(player, number) is None


@pytest.mark.parametrize("seq", [0, -1, 2**53 + 1, True, "1", 1.0])
def test_a_seq_that_is_none_is_refused(player: Player, seq: Any) -> None:
    with pytest.raises(BadInput):
        player.save(1, "A", seq=seq)
    assert stored(player, 1) is None


def test_an_answer_can_be_cleared(player: Player) -> None:
    player.save(1, "A")
    saved = player.save(1, None)
    assert (saved.saved, saved.state, stored(player, 1)) == (True, "blank", None)


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
def test_in_whatever_order_saves_arrive_the_newest_wins(player: Player, order: tuple[int, ...]) -> None:
    for seq in order:
        player.save(1, "ABC"[seq - 1], seq=seq)
        player.save(1, "ABC"[seq - 1], seq=seq)
    assert stored(player, 1) == "C"


def test_an_old_save_is_told_what_is_stored(player: Player) -> None:
    player.save(1, "B", seq=7)
    old = player.save(1, "A", seq=6)
    assert (old.saved, old.seq, old.response) == (False, 7, "B")


def test_the_same_save_again_is_saved_and_another_one_with_its_seq_is_not(player: Player) -> None:
    player.save(1, "B", seq=3)
    assert player.save(1, "B", seq=3).saved
    with pytest.raises(SeqReused):
        player.save(1, "A", seq=3)
    assert stored(player, 1) == "B"


def test_a_save_without_a_seq_counts_on(player: Player) -> None:
    assert [player.save(1, letter).seq for letter in "ABC"] == [1, 2, 3]


def test_every_counted_save_is_in_the_history(player: Player) -> None:
    for letter in "ABCD":
        player.save(1, letter)
    history = db.session.execute(select(AnswerSave.response).order_by(AnswerSave.id)).scalars().all()
    assert history == ["A", "B", "C", "D"]


def test_of_a_text_being_written_one_row_in_15_seconds_is_kept(hall: Hall, player: Player) -> None:
    number = number_of(player, "long")
    for second in range(0, 60, 2):
        player.save(number, f"text {second}", at=hall.after(seconds=second))
    kept = db.session.execute(select(AnswerSave.arrived_at).order_by(AnswerSave.id)).scalars().all()
    gaps = [later - earlier for earlier, later in pairwise(kept)]
    assert len(kept) == 4
    assert all(gap >= timedelta(seconds=15) for gap in gaps)
    assert stored(player, number) == "text 58"


@pytest.mark.parametrize(("late_ms", "counts"), [(-50, True), (0, True), (1950, True), (2000, True), (2050, False)])
def test_T1_a_save_counts_up_to_the_grace(hall: Hall, player: Player, late_ms: int, counts: bool) -> None:
    at = hall.MORNING + hall.DURATION + timedelta(milliseconds=late_ms)
    if counts:
        assert player.save(1, "A", at=at).saved
        return
    with pytest.raises(TimeOver):
        player.save(1, "A", at=at)
    assert stored(player, 1) is None
    evidence = db.session.execute(select(AnswerSave)).scalar_one()
    assert (evidence.is_counted, evidence.refusal, evidence.response) == (False, "time_over", "A")


def test_a_key_that_says_time_left_lets_no_answer_into_an_ended_attempt(hall: Hall, player: Player) -> None:
    from kiosk import timers

    attempt_id = player.attempt.id
    player.submit()
    timers.create_timer(attempt_id, hall.after(hours=9), version=99, lease=player.lease, now=hall.MORNING)
    with pytest.raises(AttemptNotRunning) as refused:
        answers.save(
            attempt_id, player.paper()[0][1], "A", seq=None, lease=player.lease, by=player.actor, now=hall.MORNING
        )
    assert refused.value.details["attempt_status"] in ("submitted", "completed")


def test_S1_a_save_after_a_reset_is_refused_with_the_reason_and_kept_as_evidence(hall: Hall, player: Player) -> None:
    question_id = player.paper()[0][1]
    player.save(1, "A")
    slots.reset([player.id], reason="wrong person", by=hall.centre_admin, now=hall.MORNING)
    with pytest.raises(AttemptNotRunning) as refused:
        answers.save(
            player.attempt.id, question_id, "B", seq=None, lease=player.lease, by=player.actor, now=hall.MORNING
        )
    assert refused.value.details == {"attempt_status": "cancelled", "reason": "slot_reset"}
    assert stored(player, 1) == "A", "the answers of a cancelled attempt stay"


def test_no_question_of_another_set_or_nowhere_is_answered(hall: Hall, player: Player) -> None:
    strange = next(iter(catalogue.questions_of(hall.sets["B"])))
    for question_id in (strange, uuid4()):
        with pytest.raises(QuestionNotInAttempt):
            answers.save(
                player.attempt.id, question_id, "A", seq=None, lease=player.lease, by=player.actor, now=hall.MORNING
            )


def test_nobody_writes_into_another_ones_attempt(hall: Hall, player: Player) -> None:
    thief = hall.player(1)
    question_id = player.paper()[0][1]
    with pytest.raises(NotAllowed):
        answers.save(
            player.attempt.id, question_id, "A", seq=None, lease=player.lease, by=thief.actor, now=hall.MORNING
        )
    with pytest.raises(NotFound):
        answers.save(uuid4(), question_id, "A", seq=None, lease=player.lease, by=thief.actor, now=hall.MORNING)
    assert stored(player, 1) is None


def go(player: Player, to_number: int, **how: Any) -> answers.Swap:
    """Move to a question."""
    how.setdefault("now", player.hall.MORNING)
    return answers.go(player.attempt.id, lease=player.lease, by=player.actor, to_number=to_number, **how)


def test_moving_on_shows_the_question_and_records_the_visit(hall: Hall, player: Player) -> None:
    swap = go(player, 2, left_number=1, now=hall.after(seconds=1))
    assert (swap.question.number, swap.here.state, swap.left.state) == (2, "blank", "blank")
    sheet = reports.exam_sheet(player.attempt.id, candidate_id=player.id, now=hall.MORNING, language="en")
    assert sheet.question.number == 2, "a refresh shows where the candidate was"
    assert sheet.counts == {"none": 8, "blank": 2, "done": 0, "mark": 0, "both": 0}


def test_a_mark_is_set_kept_and_cleared(player: Player) -> None:
    assert go(player, 2, left_number=1, marked=True).left.state == "mark"
    player.save(1, "A")
    assert go(player, 1, left_number=2).here.state == "both"
    assert go(player, 2, left_number=1, marked=False).left.state == "done"


@pytest.mark.parametrize("number", [0, -1, 11, 2**31 - 1])
def test_there_is_no_other_question_to_go_to(player: Player, number: int) -> None:
    with pytest.raises(QuestionNotInAttempt):
        go(player, number)


def test_between_deadline_and_grace_no_further_question_is_shown(hall: Hall, player: Player) -> None:
    with pytest.raises(TimeOver):
        go(player, 2, now=hall.after(hours=3, seconds=1))


def test_hindi_is_shown_where_the_set_has_it(hall: Hall, player: Player) -> None:
    assert "प्रश्न" in go(player, 2, language="hi").question.face.text
    other = hall.player(1)
    hall.activate("B")
    other.start()
    shown = go(other, 2, language="hi").question
    assert (shown.face.lang, "Question" in shown.face.text) == ("en", True)


def test_the_page_of_a_candidate_never_holds_a_key(player: Player) -> None:
    sheet = reports.exam_sheet(player.attempt.id, candidate_id=player.id, now=Hall.MORNING, language="en")
    assert "model answer" not in repr(sheet)
    assert not hasattr(sheet.question, "answer")


def test_an_unknown_attempt_has_no_clock(player: Player) -> None:
    with pytest.raises(NotFound):
        reports.clock(uuid4(), lease=player.lease, now=Hall.MORNING)
    expiring.expire_overdue(now=Hall.MORNING)


def test_when_the_numbers_are_used_up_a_save_without_one_is_refused(player: Player) -> None:
    player.save(1, "A", seq=2**53)
    with pytest.raises(SeqReused):
        player.save(1, "B")
    assert stored(player, 1) == "A"
