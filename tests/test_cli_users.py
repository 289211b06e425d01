"""Accounts at the command line: unlocking, ending sign-ins, and the second factor."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from kiosk.errors import WrongCredentials
from kiosk.extensions import db
from kiosk.models import AuditEvent, User
from kiosk.services import accounts, second_factor
from kiosk.sign_in_errors import CodeNeeded, LockedOut
from tests.api.program import Program, refused
from tests.candidate.seat import Seat
from tests.cast import PASSWORD, Hall
from tests.desk import Desk
from tests.test_cli import flask  # noqa: F401  a fixture


def lock(hall: Hall, login: str) -> None:
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            accounts.sign_in(login, "wrong", now=hall.MORNING)
    with pytest.raises(LockedOut):
        accounts.sign_in(login, PASSWORD, now=hall.MORNING)


def audited() -> int:
    db.session.rollback()
    return db.session.execute(select(func.count()).select_from(AuditEvent)).scalar_one()


@pytest.mark.parametrize("login", ["N001", "ORG/n001", "centre"])
def test_anybody_is_unlocked_and_it_is_recorded(flask: Any, hall: Hall, login: str) -> None:  # noqa: F811
    lock(hall, login)
    assert flask("user", "unlock", login)[:2] == (0, f"{login} is unlocked.\n")
    assert accounts.sign_in(login, PASSWORD, now=hall.MORNING)
    before = audited()
    assert flask("user", "unlock", login)[:2] == (0, f"{login} is not locked.\n")
    assert audited() == before


def test_every_sign_in_of_somebody_is_ended(flask: Any, app: Flask, hall: Hall) -> None:  # noqa: F811
    desk, colleague = Desk(app, "centre"), Desk(app, "admin")
    seat, program = Seat(hall, 0), Program(app, "N001")
    assert flask("user", "sign-out", "centre")[:2] == (0, "Every sign-in of centre has ended.\n")
    assert desk.get("/centre/").status_code == 401
    assert colleague.get("/admin/").status_code == 200
    assert flask("user", "sign-out", "n001")[0] == 0
    refused(program.get("/api/exam/"), 401, "signed_out")
    answer = seat.get("/candidate/")
    assert answer.status_code == 401 or answer.location == "/login"
    assert Seat(hall, 0).get("/candidate/").status_code != 401


def test_a_second_factor_is_demanded_of_roles_and_of_nobody(flask: Any, hall: Hall) -> None:  # noqa: F811
    code, out, _ = flask("user", "totp-roles", "centre_admin, admin")
    assert (code, out) == (0, "A second factor is demanded of: admin, centre_admin.\n")
    assert accounts.sign_in("admin", PASSWORD, now=hall.MORNING).must_set_up_totp
    assert "nobody" in flask("user", "totp-roles", "none")[1]
    assert not accounts.sign_in("admin", PASSWORD, now=hall.MORNING).must_set_up_totp


def test_who_lost_the_phone_gets_in_with_the_password_again(flask: Any, hall: Hall) -> None:  # noqa: F811
    second_factor.begin(hall.admin.id, by=hall.admin, now=hall.MORNING)
    secret = second_factor._open(db.session.get_one(User, hall.admin.id))
    code = second_factor.code_at(secret, second_factor.step_at(hall.MORNING))
    second_factor.confirm(hall.admin.id, code, by=hall.admin, now=hall.MORNING)
    with pytest.raises(CodeNeeded):
        accounts.sign_in("admin", PASSWORD, now=hall.MORNING)
    assert flask("user", "totp-off", "admin")[:2] == (0, "The second factor of admin is off.\n")
    assert accounts.sign_in("admin", PASSWORD, now=hall.MORNING)
    assert "has no second factor" in flask("user", "totp-off", "admin")[1]


@pytest.mark.parametrize(
    "words",
    [
        ("unlock", "nobody"),
        ("unlock", "%"),
        ("unlock",),
        ("sign-out", "NOWHERE/N001"),
        ("totp-off", "nobody"),
        ("totp-off", "N001"),
        ("totp-roles", "boss"),
        ("totp-roles", "admin,boss"),
        ("totp-roles", ""),
    ],
    ids=" ".join,
)
def test_a_wrong_selection_ends_with_2_and_changes_nothing(
    flask: Any,  # noqa: F811
    hall: Hall,
    words: tuple[str, ...],
) -> None:
    before = audited()
    code, out, err = flask("user", *words)
    assert (code, out, bool(err)) == (2, "", True)
    assert "Traceback" not in err
    assert audited() == before
