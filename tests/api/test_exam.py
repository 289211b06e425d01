"""The exam timer over HTTP: start, time, hand-in and questions, as other programs rely on them."""

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


def test_I11_the_questions_are_those_of_the_attempt_and_hold_no_key(program, attempt_id):
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
