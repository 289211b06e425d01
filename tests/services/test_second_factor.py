"""The second factor: RFC 6238's own figures, each code once, and who must have it."""

from __future__ import annotations

import base64
import threading

import pytest
from flask import Flask
from sqlalchemy import update

from kiosk.errors import BadInput, SignedOut, TransitionRefused, WrongCredentials
from kiosk.extensions import db
from kiosk.models import User
from kiosk.services import accounts, second_factor
from kiosk.services.accounts import SignedIn
from kiosk.sign_in_errors import CodeNeeded, LockedOut, SecondFactorDemanded, WrongCode
from tests.cast import PASSWORD, Hall


def user_of(hall: Hall) -> User:
    db.session.expire_all()
    return db.session.get_one(User, hall.centre_admin.id)


def code(hall: Hall, secret: bytes, steps: int = 0) -> str:
    return second_factor.code_at(secret, second_factor.step_at(hall.MORNING) + steps)


@pytest.fixture
def begun(hall: Hall) -> bytes:
    """The centre admin has a secret that waits for its first code."""
    second_factor.begin(hall.centre_admin.id, by=hall.centre_admin, now=hall.MORNING)
    return base64.b32decode(second_factor.secret_to_show(user_of(hall)) or "")


@pytest.fixture
def secret(hall: Hall, begun: bytes) -> bytes:
    """The centre admin's second factor is on; its first code is long used."""
    second_factor.confirm(
        hall.centre_admin.id, code(hall, begun, -20), by=hall.centre_admin, now=hall.after(seconds=-600)
    )
    return begun


def sign_in(hall: Hall, given: str | None = None, *, password: str = PASSWORD, **after: float) -> SignedIn:
    return accounts.sign_in("centre", password, now=hall.after(**after), code=given)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(59, "94287082"), (1111111109, "07081804"), (1234567890, "89005924"), (20000000000, "65353130")],
)
def test_the_codes_are_those_of_rfc_6238(seconds: int, expected: str) -> None:
    assert second_factor.code_at(b"12345678901234567890", seconds // 30) == expected[-6:]


def test_the_secret_is_stored_encrypted_and_bound_to_its_owner(hall: Hall, begun: bytes) -> None:
    stored = user_of(hall).totp_secret or ""
    assert base64.b32encode(begun).decode() not in stored
    assert begun not in base64.b64decode(stored)
    db.session.execute(update(User).values(totp_secret=stored))
    db.session.commit()
    with pytest.raises(WrongCode):
        second_factor.confirm(hall.admin.id, code(hall, begun), by=hall.admin, now=hall.MORNING)


def test_the_app_reads_issuer_login_and_secret(hall: Hall, begun: bytes) -> None:
    user = user_of(hall)
    text = second_factor.secret_to_show(user) or ""
    assert second_factor.address_for_app(user, text) == (
        f"otpauth://totp/Exam%20Kiosk%3Acentre?secret={text}&issuer=Exam%20Kiosk"
    )


def test_a_secret_without_its_first_code_demands_nothing(hall: Hall, begun: bytes) -> None:
    assert sign_in(hall)
    with pytest.raises(WrongCode):
        second_factor.confirm(hall.centre_admin.id, "000000", by=hall.centre_admin, now=hall.MORNING)
    assert sign_in(hall)


def test_once_it_is_on_the_secret_is_never_shown_or_made_anew(hall: Hall, secret: bytes) -> None:
    assert second_factor.secret_to_show(user_of(hall)) is None
    for again in (
        lambda: second_factor.begin(hall.centre_admin.id, by=hall.centre_admin, now=hall.MORNING),
        lambda: second_factor.confirm(hall.centre_admin.id, code(hall, secret), by=hall.centre_admin, now=hall.MORNING),
    ):
        with pytest.raises(TransitionRefused):
            again()
    assert ("switch_totp_on", "off", "on") in hall.audit(hall.centre_admin.id)


def test_switching_it_on_ends_every_other_sign_in(hall: Hall, begun: bytes) -> None:
    before = sign_in(hall)
    epoch = second_factor.confirm(hall.centre_admin.id, code(hall, begun), by=hall.centre_admin, now=hall.MORNING)
    assert accounts.current_user(before.id, before.epoch) is None
    assert accounts.current_user(before.id, epoch) is not None


def test_a_password_alone_opens_nothing_and_a_wrong_one_tells_nothing(hall: Hall, secret: bytes) -> None:
    with pytest.raises(CodeNeeded):
        sign_in(hall)
    with pytest.raises(WrongCredentials):
        sign_in(hall, code(hall, secret), password="wrong")
    assert sign_in(hall, code(hall, secret))


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_code_may_be_one_step_off_and_have_spaces(hall: Hall, secret: bytes, steps: int) -> None:
    given = code(hall, secret, steps)
    assert sign_in(hall, f" {given[:3]} {given[3:]} ")


@pytest.mark.parametrize("given", ["", "000000", "12345", "1234567", "abcdef", "１２３４５６", "-1", "\0", "x" * 500])
def test_anything_else_is_no_code(hall: Hall, secret: bytes, given: str) -> None:
    with pytest.raises(WrongCode):
        sign_in(hall, given)


@pytest.mark.parametrize("steps", [-2, 2])
def test_a_code_two_steps_off_is_no_code(hall: Hall, secret: bytes, steps: int) -> None:
    with pytest.raises(WrongCode):
        sign_in(hall, code(hall, secret, steps))


def test_a_code_counts_once_and_an_older_one_never_after_it(hall: Hall, secret: bytes) -> None:
    assert sign_in(hall, code(hall, secret))
    for steps in (0, -1):
        with pytest.raises(WrongCode):
            sign_in(hall, code(hall, secret, steps))
    assert sign_in(hall, code(hall, secret, 1))


def test_of_two_sign_ins_with_one_code_one_gets_in(app: Flask, hall: Hall, secret: bytes) -> None:
    given, came = code(hall, secret), []
    epoch, bell = user_of(hall).session_epoch, threading.Barrier(2)

    def come_in() -> None:
        with app.app_context():
            bell.wait()
            try:
                came.append(accounts.finish(hall.centre_admin.id, epoch, given, now=hall.MORNING).kind)
            except WrongCode:
                came.append("refused")

    threads = [threading.Thread(target=come_in) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came) == ["refused", "user"]


def test_five_wrong_codes_lock_as_wrong_passwords_do_and_a_right_password_does_not_begin_anew(
    hall: Hall, secret: bytes
) -> None:
    epoch = user_of(hall).session_epoch
    for _ in range(5):
        with pytest.raises(CodeNeeded):
            sign_in(hall)
        with pytest.raises(WrongCode):
            accounts.finish(hall.centre_admin.id, epoch, "000000", now=hall.MORNING)
    for attempt in (
        lambda: sign_in(hall),
        lambda: sign_in(hall, code(hall, secret)),
        lambda: accounts.finish(hall.centre_admin.id, epoch, code(hall, secret), now=hall.MORNING),
    ):
        with pytest.raises(LockedOut):
            attempt()


def test_the_first_step_is_worth_nothing_once_the_sign_ins_have_ended(hall: Hall, secret: bytes) -> None:
    epoch = user_of(hall).session_epoch
    with pytest.raises(SignedOut):
        accounts.finish(hall.centre_admin.id, epoch - 1, code(hall, secret), now=hall.MORNING)
    with pytest.raises(SignedOut):
        accounts.finish(hall.admin.id, 0, code(hall, secret), now=hall.MORNING)


def test_a_role_of_which_it_is_demanded_keeps_it(hall: Hall, secret: bytes) -> None:
    second_factor.demand_of(hall.organisation_id, ["centre_admin"], by=hall.admin, now=hall.MORNING)
    assert accounts.sign_in("centre2", PASSWORD, now=hall.MORNING).must_set_up_totp
    assert not sign_in(hall, code(hall, secret)).must_set_up_totp
    assert not accounts.sign_in("admin", PASSWORD, now=hall.MORNING).must_set_up_totp
    assert not accounts.sign_in("N001", PASSWORD, now=hall.MORNING).must_set_up_totp
    with pytest.raises(SecondFactorDemanded):
        second_factor.switch_off(hall.centre_admin.id, by=hall.centre_admin, now=hall.MORNING)
    second_factor.demand_of(hall.organisation_id, [], by=hall.admin, now=hall.MORNING)
    assert second_factor.switch_off(hall.centre_admin.id, by=hall.centre_admin, now=hall.MORNING)
    assert sign_in(hall)


def test_an_unknown_role_is_refused(hall: Hall) -> None:
    with pytest.raises(BadInput):
        second_factor.demand_of(hall.organisation_id, ["boss"], by=hall.admin, now=hall.MORNING)
