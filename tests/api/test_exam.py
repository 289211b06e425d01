"""The exam timer over HTTP: start, time, saves, hand-in and questions, as other programs rely on them."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from kiosk import clock
from kiosk.extensions import db
from kiosk.models import Attempt, Candidate, Centre, Paper, Shift, Slot
from kiosk.services import slots
from tests.api.program import Program, refused, row_of

NOBODY = "00000000-0000-7000-8000-000000000000"
INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


@pytest.fixture
def program(app, hall):
    return Program(app, "N001")


@pytest.fixture
def attempt_id(program):
    return program.began()


# --- which paper ----------------------------------------------------------------------------------


def test_the_paper_of_the_slot_is_listed(hall, program):
    [item] = program.get("/api/exam/").json["items"]
    assert item == {
        "paper_id": str(hall.paper_id),
        "title": "TTC · Primary paper",
        "trade": "TTC",
        "paper_type": "primary",
        "duration_seconds": 3 * 3600,
        "total_questions": 10,
        "slot_status": "available",
        "attempt_id": None,
    }


def test_the_duration_includes_the_extra_time(hall, program):
    db.session.execute(update(Candidate).where(Candidate.id == hall.candidate_ids[0]).values(extra_minutes_per_hour=20))
    db.session.commit()
    assert program.get("/api/exam/").json["items"][0]["duration_seconds"] == 4 * 3600
    assert program.start().json["remaining_seconds"] == 4 * 3600


def test_without_a_slot_nothing_is_listed(hall, program):
    slots.reset([hall.candidate_ids[0]], reason="x", by=hall.admin, now=hall.MORNING)
    assert program.get("/api/exam/").json == {"items": []}


def test_the_list_names_the_open_attempt_until_its_time_is_over(hall, program, attempt_id):
    [item] = program.get("/api/exam/").json["items"]
    assert (item["slot_status"], item["attempt_id"]) == ("attempting", attempt_id)
    clock.freeze(hall.after(hours=3, seconds=3))
    [item] = program.get("/api/exam/").json["items"]
    assert (item["slot_status"], item["attempt_id"]) == ("consumed", None)


# --- start ----------------------------------------------------------------------------------------


def test_the_call_that_starts_the_clock_is_told_so(hall, program):
    first, again = program.start(), program.start()
    assert (first.status_code, again.status_code) == (201, 200)
    body = first.json
    assert body["status"] == "in_progress"
    assert (body["remaining_seconds"], body["total_questions"], body["resumed"]) == (3 * 3600, 10, False)
    assert body["deadline_at"] == "2026-11-21T07:30:00.000Z"
    assert again.json == body | {"resumed": True}


@pytest.mark.parametrize("paper", [NOBODY, "x", "1", "99999999999999999999", "-1", "%00", "..%2f", "null"])
def test_a_paper_that_is_none_is_not_found(program, paper):
    refused(program.start(paper), 404, "not_found")


def test_a_paper_without_a_slot_for_it_is_not_open(hall, program):
    refused(program.start(hall.secondary_id), 403, "no_slot")
    slots.reset([hall.candidate_ids[0]], reason="x", by=hall.admin, now=hall.MORNING)
    refused(program.start(), 403, "no_slot")


def test_another_organisations_paper_does_not_exist(hall, program):
    stranger = hall.stranger
    db.session.execute(
        update(Paper).where(Paper.id == hall.secondary_id).values(organisation_id=stranger["organisation"])
    )
    db.session.commit()
    refused(program.start(hall.secondary_id), 404, "not_found")


def test_a_handed_in_paper_is_consumed(program, attempt_id):
    program.submit(attempt_id)
    refused(program.start(), 409, "slot_consumed")


def test_a_start_after_the_time_ends_the_attempt_and_says_consumed(hall, program, attempt_id):
    clock.freeze(hall.after(hours=3, seconds=3))
    refused(program.start(), 409, "slot_consumed")
    assert row_of(attempt_id).ended_by == "expired"
    assert row_of(attempt_id).closed_at == hall.after(hours=3)


def test_a_start_needs_an_open_shift(hall, program):
    db.session.execute(update(Shift).values(status="gate"))
    db.session.commit()
    refused(program.start(), 403, "shift_not_open")


def test_a_start_asks_for_check_in_and_kiosk_only_where_the_centre_does(hall, program):
    db.session.execute(update(Centre).where(Centre.id == hall.centre_id).values(demands_check_in=True))
    db.session.commit()
    refused(program.start(), 403, "not_checked_in")
    db.session.execute(
        update(Centre).where(Centre.id == hall.centre_id).values(demands_check_in=False, kiosk_rule="enrolled")
    )
    db.session.commit()
    refused(program.start(), 403, "kiosk_required")


def test_a_start_needs_a_paper_in_use_and_an_active_set(hall, program):
    db.session.execute(update(Paper).where(Paper.id == hall.paper_id).values(status="draft"))
    db.session.commit()
    refused(program.start(), 400, "paper_not_published")
    from kiosk.models import Activation

    db.session.execute(update(Paper).where(Paper.id == hall.paper_id).values(status="in_use"))
    db.session.execute(update(Activation).values(ended_at=hall.MORNING))
    db.session.commit()
    refused(program.start(), 400, "no_active_set")


def test_without_redis_nothing_is_started_and_nothing_used_up(hall, program, redis_server):
    redis_server.stop()
    answer = program.start()
    refused(answer, 503, "timer_unavailable")
    assert answer.headers["Retry-After"]
    assert db.session.execute(select(func.count()).select_from(Attempt)).scalar_one() == 0
    assert db.session.execute(select(Slot.status).where(Slot.candidate_id == hall.candidate_ids[0])).scalar_one() == (
        "available"
    )


def test_without_redis_what_runs_goes_on(program, attempt_id, redis_server):
    question_id = program.of_type(attempt_id, "single")
    redis_server.stop()
    assert program.start().status_code == 200
    assert program.remaining(attempt_id).json["remaining_seconds"] == 3 * 3600
    assert program.save(attempt_id, question_id, "A").json["saved"]
    assert program.submit(attempt_id).status_code == 200


def test_of_twenty_starts_at_the_same_moment_one_starts_the_clock(app, hall, program):
    barrier, answers = threading.Barrier(20), []

    def start():
        barrier.wait()
        answers.append(program.start())

    threads = [threading.Thread(target=start) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json["attempt_id"] for answer in answers}) == 1
    assert db.session.execute(select(func.count()).select_from(Attempt)).scalar_one() == 1


# --- the time left --------------------------------------------------------------------------------


def test_the_time_left_is_whole_seconds_rounded_up(hall, program, attempt_id):
    for late_ms, left in ((0, 10_800), (1, 10_800), (999, 10_800), (1000, 10_799), (10_799_999, 1), (10_800_000, 0)):
        clock.freeze(hall.MORNING + timedelta(milliseconds=late_ms))
        body = program.remaining(attempt_id).json
        assert (body["status"], body["remaining_seconds"]) == ("in_progress", left)
        assert INSTANT.match(body["deadline_at"])
    clock.freeze(hall.after(hours=3, seconds=2))
    assert program.remaining(attempt_id).json["remaining_seconds"] == 0


def test_past_deadline_and_grace_it_is_over_whatever_the_row_says(hall, program, attempt_id):
    clock.freeze(hall.after(hours=3, seconds=3))
    body = program.remaining(attempt_id).json
    assert (body["status"], body["remaining_seconds"]) == ("expired", 0)
    assert row_of(attempt_id).status == "in_progress", "reading writes nothing"


def test_a_lost_key_changes_nothing(program, attempt_id, redis_server):
    before = program.remaining(attempt_id).json
    redis_server.client().flushall()
    assert program.remaining(attempt_id).json == before
    assert redis_server.client().exists(f"exam:timer:{attempt_id}")


@pytest.mark.parametrize("call", ["remaining", "questions", "submit"])
def test_an_attempt_is_its_candidates_alone(app, hall, attempt_id, call):
    refused(getattr(Program(app, "N002"), call)(attempt_id), 403, "not_allowed")
    db.session.execute(
        update(Candidate).where(Candidate.id == hall.candidate_ids[2]).values(centre_id=hall.other_centre_id)
    )
    db.session.commit()
    refused(getattr(Program(app, "N003"), call)(attempt_id), 404, "not_found")
    assert hall.stranger
    refused(getattr(Program(app, "X001"), call)(attempt_id), 404, "not_found")
    for nothing in (NOBODY, "x", "1", "99999999999999999999"):
        refused(getattr(Program(app, "N002"), call)(nothing), 404, "not_found")


# --- saves ----------------------------------------------------------------------------------------


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


# --- hand-in and questions ------------------------------------------------------------------------


def test_a_hand_in_gives_a_receipt_and_again_the_same(program, attempt_id):
    program.save(attempt_id, program.of_type(attempt_id, "single"), "A")
    first = program.submit(attempt_id)
    body = first.json
    assert (body["status"], body["answered"], body["total_questions"]) == ("submitted", 1, 10)
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", body["receipt"])
    assert INSTANT.match(body["submitted_at"])
    assert "score" not in body
    assert program.submit(attempt_id).json == body


def test_a_late_hand_in_is_ended_as_of_the_deadline(hall, program, attempt_id):
    clock.freeze(hall.after(hours=4))
    body = program.submit(attempt_id).json
    assert (body["status"], body["submitted_at"]) == ("expired", "2026-11-21T07:30:00.000Z")


def test_the_score_is_told_where_the_paper_releases_it(hall, program, attempt_id):
    db.session.execute(update(Paper).where(Paper.id == hall.paper_id).values(score_release="at_submit"))
    db.session.commit()
    body = program.submit(attempt_id).json
    assert body["score"] == 0
    assert set(body) >= {"score", "max_score", "percentage"}
    assert program.submit(attempt_id).json == body


def test_the_questions_are_those_of_the_attempt_and_hold_no_key(program, attempt_id):
    body = program.questions(attempt_id).json
    assert body["remaining_seconds"] == 10_800
    assert [question["number"] for question in body["questions"]] == list(range(1, 11))
    single = body["questions"][0]
    assert set(single) == {
        "question_id", "number", "part", "type", "text", "text_hi", "options", "marks", "negative_marks",
    }  # fmt: skip
    assert [option["key"] for option in single["options"]] == list("ABCD")
    assert "सेट A" in single["text_hi"]
    text = program.questions(attempt_id).get_data(as_text=True)
    assert "model answer" not in text
    assert "ohm" not in text
    assert program.questions(attempt_id).json == body, "again the same paper"


def test_between_deadline_and_grace_no_question_is_shown(hall, program, attempt_id):
    clock.freeze(hall.after(hours=3, seconds=1))
    refused(program.questions(attempt_id), 410, "time_over")
