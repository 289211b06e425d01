"""Answers over HTTP: what is acknowledged is kept, and nothing else gets in."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from kiosk import clock
from tests.api.program import Program, refused, row_of

NOBODY = "00000000-0000-7000-8000-000000000000"
INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


@pytest.fixture
def program(app, hall):
    return Program(app, "N001")


@pytest.fixture
def attempt_id(program):
    return program.began()


@pytest.mark.parametrize(
    ("kind", "response"),
    [
        ("single", "B"), ("multiple", ["A", "C"]), ("true_false", True), ("numeric", 12.5), ("fill", "ohm"),
        ("short", "twenty words {{7*7}} <script>"), ("long", "अ" * 10_000), ("single", None),
    ],
)  # fmt: skip
def test_every_type_of_answer_is_saved_and_given_back(program, attempt_id, kind, response):
    question_id = program.of_type(attempt_id, kind)
    body = program.save(attempt_id, question_id, response).json
    assert (body["saved"], body["seq"], body["remaining_seconds"]) == (True, 1, 10_800)
    assert INSTANT.match(body["saved_at"])
    paper = program.questions(attempt_id).json
    assert paper["saved_answers"] == ({question_id: response} if response is not None else {})
    assert paper["saved_seqs"] == {question_id: 1}


def test_selected_option_is_another_word_for_a_single_choice(program, attempt_id):
    question_id = program.of_type(attempt_id, "single")
    body = {"attempt_id": attempt_id, "question_id": question_id, "selected_option": "C"}
    assert program.post("/api/exam/timer/submit-answer/", body).json["saved"]
    assert program.questions(attempt_id).json["saved_answers"] == {question_id: "C"}


def test_seq_counts_the_changes_of_one_question(program, attempt_id):
    question_id = program.of_type(attempt_id, "single")
    assert program.save(attempt_id, question_id, "A").json["seq"] == 1
    assert program.save(attempt_id, question_id, "B", seq=5).json["seq"] == 5
    assert program.save(attempt_id, question_id, "B", seq=5).json["saved"] is True
    old = program.save(attempt_id, question_id, "A", seq=4)
    assert (old.status_code, old.json["saved"], old.json["seq"], old.json["response"]) == (200, False, 5, "B")
    refused(program.save(attempt_id, question_id, "C", seq=5), 409, "seq_reused")
    assert program.save(attempt_id, question_id, "D").json["seq"] == 6
    assert program.save(attempt_id, question_id, "A", seq=2**53).json["seq"] == 2**53


@pytest.mark.parametrize("seq", [0, -1, 2**53 + 1, 2**63, True, 1.5, "1", None, [], {}])
def test_a_seq_that_is_none_is_malformed(program, attempt_id, seq):
    question_id = program.of_type(attempt_id, "single")
    refused(program.save(attempt_id, question_id, "A", seq=seq), 400, "bad_input")
    assert program.questions(attempt_id).json["saved_answers"] == {}


@pytest.mark.parametrize(
    ("kind", "response"),
    [
        ("single", "E"), ("single", "AB"), ("single", 0), ("single", -1), ("single", 2**63), ("single", True),
        ("single", ["A"]), ("single", {}), ("single", "٣"), ("single", " A "),
        ("multiple", "A"), ("multiple", []), ("multiple", ["A", "A"]), ("multiple", ["A"] * 500), ("multiple", ["E"]),
        ("true_false", "true"), ("true_false", 1), ("numeric", "12"), ("numeric", True), ("numeric", 1e300),
        ("fill", 5), ("fill", {"a": 1}), ("short", "x" * 10_001), ("short", "a\0b"), ("long", "\ud800"),
    ],
)  # fmt: skip
def test_what_is_no_answer_to_the_question_is_refused_and_not_stored(program, attempt_id, kind, response):
    question_id = program.of_type(attempt_id, kind)
    refused(program.save(attempt_id, question_id, response), 400, "bad_response")
    assert program.questions(attempt_id).json["saved_answers"] == {}


@pytest.mark.parametrize(
    "change",
    [{"attempt_id": 1}, {"attempt_id": None}, {"question_id": []}, {"attempt_id": ...}, {"question_id": ...},
     {"response": ...}],
)  # fmt: skip
def test_a_save_of_a_wrong_shape_is_malformed(program, attempt_id, change):
    body = {"attempt_id": attempt_id, "question_id": NOBODY, "response": "A"} | change
    body = {name: value for name, value in body.items() if value is not ...}
    refused(program.post("/api/exam/timer/submit-answer/", body), 400, "bad_input")


def test_a_save_to_nothing_is_not_found(hall, program, attempt_id):
    question_id = program.of_type(attempt_id, "single")
    refused(program.save(NOBODY, question_id, "A"), 404, "not_found")
    refused(program.save("x", question_id, "A"), 404, "not_found")
    refused(program.save(attempt_id, NOBODY, "A"), 404, "question_not_in_attempt")
    refused(program.save(attempt_id, "x", "A"), 404, "not_found")
    hall.activate("B", keep_running=True)
    other = Program(program.app, "N002")
    theirs = other.of_type(other.began(), "single")
    refused(program.save(attempt_id, theirs, "A"), 404, "question_not_in_attempt")


def test_another_ones_answers_are_closed(app, hall, program, attempt_id):
    question_id = program.of_type(attempt_id, "single")
    refused(Program(app, "N002").save(attempt_id, question_id, "A"), 403, "not_allowed")
    assert hall.stranger
    refused(Program(app, "X001").save(attempt_id, question_id, "A"), 404, "not_found")


def test_what_a_client_must_not_set_is_ignored(hall, program, attempt_id):
    question_id = program.of_type(attempt_id, "single")
    more = {"remaining": 9999, "deadline": "2030-01-01", "score": 100, "status": "completed", "timeup": 1}
    assert program.save(attempt_id, question_id, "A", candidate_id=str(hall.candidate_ids[1]), **more).json["saved"]
    row = row_of(attempt_id)
    assert (row.status, row.deadline_at, row.candidate_id) == (
        "in_progress",
        hall.after(hours=3),
        hall.candidate_ids[0],
    )


@pytest.mark.parametrize(("late_ms", "counts"), [(-50, True), (0, True), (2000, True), (2050, False)])
def test_a_save_counts_up_to_the_grace(hall, program, attempt_id, late_ms, counts):
    question_id = program.of_type(attempt_id, "single")
    clock.freeze(hall.MORNING + hall.DURATION + timedelta(milliseconds=late_ms))
    answer = program.save(attempt_id, question_id, "A")
    if counts:
        assert answer.json["saved"]
    else:
        refused(answer, 410, "time_over")


def test_the_newest_token_writes_and_the_old_one_is_told(app, program, attempt_id):
    question_id = program.of_type(attempt_id, "single")
    newer = Program(app, "N001")
    refused(newer.save(attempt_id, question_id, "B"), 403, "open_elsewhere")
    assert newer.start().status_code == 200
    refused(program.save(attempt_id, question_id, "A"), 403, "open_elsewhere")
    assert newer.save(attempt_id, question_id, "B").json["saved"]
    assert program.remaining(attempt_id).json["remaining_seconds"] == 10_800, "looking on stays allowed"
