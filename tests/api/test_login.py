"""Tokens: who gets one, how long it lasts, what ends it, and that nothing else opens a call."""

from __future__ import annotations

import jwt
import pytest
from sqlalchemy import update

from kiosk import clock
from kiosk.extensions import db, transaction
from kiosk.models import Candidate, SignInTries, User
from kiosk.services import accounts, admission, second_factor, tries
from tests.api.program import Program, refused
from tests.cast import PASSWORD
from tests.conftest import SECRET
from tests.desk import Desk

LOGIN = "/api/auth/login/"
ELSEWHERE = "00000000-0000-7000-8000-000000000000"


def claims_of(token, **changed):
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_exp": False}) | changed
    return {name: value for name, value in claims.items() if value is not None}


@pytest.mark.parametrize(("login", "seconds"), [("N001", 12 * 3600), ("admin", 3600)])
def test_a_token_lasts_as_long_as_its_kind_may_work(app, hall, login, seconds):
    answer = Program(app).post(LOGIN, {"username": login, "password": PASSWORD})
    assert answer.status_code == 200
    body = answer.json
    assert (body["token_type"], body["expires_in"]) == ("Bearer", seconds)
    claims = claims_of(body["access_token"])
    assert claims["exp"] == hall.MORNING.timestamp() + seconds
    assert set(claims) >= {"kind", "id", "organisation", "epoch", "login_no", "exp"}
    assert "Set-Cookie" not in answer.headers


def test_with_and_without_a_trailing_slash_is_the_same(app, hall):
    assert Program(app).post(LOGIN.rstrip("/"), {"username": "N001", "password": PASSWORD}).status_code == 200
    assert Program(app, "N001").get("/api/exam").status_code == 200


def test_the_organisation_may_be_named(app, hall):
    assert Program(app, "N001", organisation="ORG").token
    answer = Program(app).post(LOGIN, {"username": "N001", "password": PASSWORD, "organisation": "OTHER"})
    refused(answer, 401, "wrong_credentials")


@pytest.mark.parametrize(
    ("username", "password"),
    [("N001", "wrong"), ("nobody", PASSWORD), ("admin' OR '1'='1", PASSWORD), ("%", PASSWORD), ("x001", PASSWORD)],
)
def test_wrong_credentials_cannot_be_told_apart(app, hall, username, password):
    problem = refused(Program(app).post(LOGIN, {"username": username, "password": password}), 401, "wrong_credentials")
    other = refused(Program(app).post(LOGIN, {"username": "ghost", "password": "x"}), 401, "wrong_credentials")
    assert problem["detail"] == other["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "N001"},
        {"password": PASSWORD},
        {"username": 1, "password": PASSWORD},
        {"username": None, "password": PASSWORD},
        {"username": ["N001"], "password": PASSWORD},
        {"username": "N\x00001", "password": PASSWORD},
        {"username": "\ud800", "password": PASSWORD},
        {"username": "N001", "password": "x" * 257},
        {"username": "N001", "password": "\udfff"},
        {"username": "n" * 1000, "password": PASSWORD},
        {"username": "N001", "password": PASSWORD, "organisation": 5},
    ],
)
def test_a_login_of_a_wrong_shape_is_malformed(app, hall, body):
    refused(Program(app).post(LOGIN, body), 400, "bad_input")


@pytest.mark.parametrize(("username", "password"), [("", PASSWORD), ("   ", PASSWORD), ("N001", "")])
def test_an_empty_login_is_told_what_is_missing(app, hall, username, password):
    refused(Program(app).post(LOGIN, {"username": username, "password": password}), 400, "missing_credentials")


def test_too_many_wrong_tries_lock_the_account_for_a_while(app, hall):
    for _ in range(5):
        Program(app).post(LOGIN, {"username": "N001", "password": "wrong"})
    answer = Program(app).post(LOGIN, {"username": "N001", "password": PASSWORD})
    refused(answer, 429, "locked_out")
    assert answer.headers["Retry-After"] == "300"


def test_a_source_that_tried_too_often_waits_until_its_window_is_over(app, hall):
    with transaction():
        db.session.add(SignInTries(source="address:127.0.0.1", failures=tries.ADDRESS_LIMIT, since_at=hall.MORNING))
    clock.freeze(hall.after(minutes=9))
    answer = Program(app).post(LOGIN, {"username": "N001", "password": PASSWORD})
    refused(answer, 429, "too_many_tries")
    assert answer.headers["Retry-After"] == "60"


def test_while_many_sign_in_the_answer_is_busy_and_nothing_is_counted(app, hall, monkeypatch):
    monkeypatch.setitem(accounts.sign_in.__kwdefaults__, "wait_seconds", 0.05)
    for password in (PASSWORD, "wrong"):
        with admission.hashing.turn(wait_seconds=0):
            answer = Program(app).post(LOGIN, {"username": "N001", "password": password})
        refused(answer, 503, "busy")
        assert answer.headers["Retry-After"] == "2"
    assert Program(app, "N001").token


@pytest.fixture
def secret(hall):
    """The centre admin's second factor is on."""
    second_factor.begin(hall.centre_admin.id, by=hall.centre_admin, now=hall.MORNING)
    found = second_factor._open(db.session.get_one(User, hall.centre_admin.id))
    code = second_factor.code_at(found, second_factor.step_at(hall.MORNING) - 1)
    second_factor.confirm(hall.centre_admin.id, code, by=hall.centre_admin, now=hall.MORNING)
    return found


def test_with_a_second_factor_the_code_goes_along(app, hall, secret):
    body = {"username": "centre", "password": PASSWORD}
    refused(Program(app).post(LOGIN, body), 401, "totp_required")
    refused(Program(app).post(LOGIN, body | {"password": "wrong"}), 401, "wrong_credentials")
    refused(Program(app).post(LOGIN, body | {"totp": "000000"}), 401, "wrong_code")
    refused(Program(app).post(LOGIN, body | {"totp": 123456}), 400, "bad_input")
    code = second_factor.code_at(secret, second_factor.step_at(hall.MORNING))
    assert Program(app, "centre", totp=code).token
    refused(Program(app).post(LOGIN, body | {"totp": code}), 401, "wrong_code")


def test_five_wrong_codes_lock(app, hall, secret):
    body = {"username": "centre", "password": PASSWORD, "totp": "000000"}
    for _ in range(5):
        refused(Program(app).post(LOGIN, body), 401, "wrong_code")
    refused(Program(app).post(LOGIN, body), 429, "locked_out")


def test_who_has_to_set_up_a_second_factor_first_gets_no_token(app, hall):
    second_factor.demand_of(hall.organisation_id, ["auditor"], by=hall.admin, now=hall.MORNING)
    answer = Program(app).post(LOGIN, {"username": "auditor", "password": PASSWORD})
    refused(answer, 403, "totp_setup_required")
    assert "access_token" not in answer.json


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer x.y.z", "Basic TjAwMTp4", "Token abc", "Bearer " + "a" * 9000, "Bearer \xff"],
)
def test_without_a_good_token_every_call_is_closed(app, hall, header):
    answer = Program(app).get("/api/exam/", headers={"Authorization": header})
    refused(answer, 401, "signed_out")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "forge",
    [
        lambda token: token[:-4] + "AAAA",
        lambda token: jwt.encode(claims_of(token), "another secret, as long as the real one is", "HS256"),
        lambda token: jwt.encode(claims_of(token), "", "none"),
        lambda token: jwt.encode(claims_of(token), SECRET * 2, "HS512"),
        lambda token: jwt.encode(claims_of(token, kind="admin"), SECRET, "HS256"),
        lambda token: jwt.encode(claims_of(token, id="x"), SECRET, "HS256"),
        lambda token: jwt.encode(claims_of(token, id=5), SECRET, "HS256"),
        lambda token: jwt.encode(claims_of(token, exp=None), SECRET, "HS256"),
        lambda token: jwt.encode(claims_of(token, epoch=None), SECRET, "HS256"),
        lambda token: jwt.encode(claims_of(token, login_no="many"), SECRET, "HS256"),
        lambda token: jwt.encode({"id": 1}, SECRET, "HS256"),
    ],
)
def test_a_token_that_we_did_not_give_opens_nothing(app, hall, forge):
    program = Program(app, "N001")
    program.token = forge(program.token)
    refused(program.get("/api/exam/"), 401, "signed_out")


def test_a_token_ends_with_its_time(app, hall):
    candidate, staff = Program(app, "N001"), Program(app, "admin")
    clock.freeze(hall.after(minutes=59))
    refused(staff.get("/api/exam/"), 403, "not_allowed")
    clock.freeze(hall.after(hours=1))
    refused(staff.get("/api/exam/"), 401, "signed_out")
    assert candidate.get("/api/exam/").status_code == 200
    clock.freeze(hall.after(hours=12))
    refused(candidate.get("/api/exam/"), 401, "signed_out")


@pytest.mark.parametrize("change", [{"session_epoch": 1}, {"archived_at": "now"}])
def test_a_candidate_whose_sign_ins_were_ended_is_out_at_the_next_call(app, hall, change):
    program = Program(app, "N001")
    attempt_id = program.began()
    question_id = program.of_type(attempt_id, "single")
    values = {name: hall.MORNING if value == "now" else value for name, value in change.items()}
    db.session.execute(update(Candidate).where(Candidate.id == hall.candidate_ids[0]).values(**values))
    db.session.commit()
    for answer in (
        program.get("/api/exam/"),
        program.start(),
        program.questions(attempt_id),
        program.save(attempt_id, question_id, "A"),
        program.submit(attempt_id),
    ):
        refused(answer, 401, "signed_out")


def test_a_session_cookie_opens_no_call(app, hall):
    desk = Desk(app, "N001")
    answer = desk.get("/api/exam/")
    refused(answer, 401, "signed_out")
    # and what changes something needs no CSRF token, because there is no cookie that could be abused
    answer = desk.run(lambda: desk.client.post(f"/api/exam/timer/start/{hall.paper_id}/"))
    refused(answer, 401, "signed_out")


def test_a_token_opens_no_page(app, hall):
    assert Program(app, "N001").get("/candidate/").headers["Location"] == "/login"


@pytest.mark.parametrize("login", ["admin", "centre", "invigilator", "marks", "auditor"])
def test_staff_sit_no_exams(app, hall, login):
    attempt_id = Program(app, "N001").began()
    staff = Program(app, login)
    for answer in (
        staff.get("/api/exam/"),
        staff.start(),
        staff.remaining(attempt_id),
        staff.questions(attempt_id),
        staff.save(attempt_id, ELSEWHERE, "A"),
        staff.submit(attempt_id),
    ):
        refused(answer, 403, "not_allowed")
