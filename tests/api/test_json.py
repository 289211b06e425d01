"""Bodies and addresses that are wrong on purpose: a problem with a word, nothing stored, never a 500."""

from __future__ import annotations

import json

import pytest

from tests.api.program import Program, refused
from tests.cast import PASSWORD
from tests.desk import row_counts

LOGIN = "/api/auth/login/"
SAVE = "/api/exam/timer/submit-answer/"
GOOD = json.dumps({"username": "N001", "password": PASSWORD}).encode()

NOT_JSON = [
    b"", b" ", b"{", b"\xff\xfe", b"\xef\xbb\xbf{}", b"[" * 100_000, b'{"a":' * 100_000, b"nope", b"{'a': 1}",
    b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}', b'{"a": 1e400}', b'{"a": 1, "a": 2}',
    b'{"a": ' + b"9" * 5000 + b"}", b'{"a": 1} x', b'{"a": "\xc3\x28"}', "{}".encode("utf-16"), b'{"a": 01}',
]  # fmt: skip
NO_OBJECT = [b"null", b"[1]", b'"x"', b"5", b"true"]


@pytest.fixture
def program(app, hall):
    return Program(app, "N001")


def send(program, path, data, content_type="application/json", method="POST"):
    headers = {"Content-Type": content_type} if content_type else {}
    return program.call(method, path, headers=headers, data=data)


@pytest.mark.parametrize("data", NOT_JSON + NO_OBJECT)
def test_what_is_no_json_object_is_malformed(program, data):
    before = row_counts()
    for path in (LOGIN, SAVE, "/api/test-attempts"):
        refused(send(program, path, data), 400, "bad_input")
    assert row_counts() == before


@pytest.mark.parametrize("data", NOT_JSON[2:] + NO_OBJECT)
def test_a_call_that_needs_no_body_takes_no_rubbish_either(hall, program, data):
    refused(send(program, f"/api/exam/timer/start/{hall.paper_id}/", data), 400, "bad_input")


@pytest.mark.parametrize("data", [b"", b"{}", b" {} ", b'{"unknown": [1, {"deep": null}]}'])
@pytest.mark.parametrize("content_type", [None, "application/json", "application/x-www-form-urlencoded", "text/plain"])
def test_a_call_that_needs_no_body_takes_an_empty_one_whatever_it_is_called(hall, program, data, content_type):
    answer = send(program, f"/api/exam/timer/start/{hall.paper_id}/", data, content_type)
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None]
)
def test_a_body_of_another_type_is_refused(program, content_type):
    refused(send(program, LOGIN, GOOD, content_type), 415, "not_json")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/vnd.api+json", "APPLICATION/JSON"]
)
def test_json_may_have_other_names(program, content_type):
    assert send(program, LOGIN, GOOD, content_type).status_code == 200


@pytest.mark.parametrize("digits", [301, 4000, 5000])
def test_a_number_that_fits_nowhere_is_malformed(program, digits):
    attempt_id = program.began()
    question_id = program.of_type(attempt_id, "numeric")
    body = json.dumps({"attempt_id": attempt_id, "question_id": question_id})[:-1] + ', "response": ' + "9" * digits
    refused(send(program, SAVE, body.encode() + b"}"), 400, "bad_input")


def test_a_body_that_is_too_long_is_refused_before_it_is_read(program):
    refused(send(program, LOGIN, b'{"a": "' + b"x" * 3_000_000 + b'"}'), 413, "too_large")


@pytest.mark.parametrize(
    "path",
    [
        "/api", "/api/", "/api/nowhere", "/api/exam/timer/", "/api/exam/timer/remaining/",
        "/api/exam/timer/remaining/%00/", "/api/exam/timer/remaining/..%2f..%2fetc/", "/api/test-attempts/x/status",
        "/api/test-attempts/;/status", "/api/exam/timer/remaining/99999999999999999999/",
        "/api/exam/timer/remaining/%c0%af/",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_a_problem_and_not_a_page(program, path):
    refused(program.get(path), 404, "not_found")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "TRACE"])
def test_what_changes_something_is_changed_by_post_alone(hall, program, method):
    for path in (f"/api/exam/timer/start/{hall.paper_id}/", SAVE, LOGIN):
        answer = program.call(method, path, headers={"X-HTTP-Method-Override": "POST"})
        refused(answer, 405, "method_not_allowed")
        assert "POST" in answer.headers["Allow"]


def test_nothing_of_an_answer_may_be_kept_and_no_cookie_is_set(hall, program):
    for answer in (
        program.start(),
        program.get("/api/exam/"),
        program.get("/api/nowhere"),
        Program(program.app).get("/api/exam/"),
    ):
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers


def test_a_write_from_another_site_is_refused(hall, program):
    answer = program.post(f"/api/exam/timer/start/{hall.paper_id}/", headers={"Sec-Fetch-Site": "cross-site"})
    refused(answer, 403, "forbidden")
