"""Signing in: who gets in, who doesn't, and what nobody can find out."""

from __future__ import annotations

import pytest

from kiosk.errors import BadInput, MissingCredentials, WrongCredentials
from kiosk.extensions import db, transaction
from kiosk.models import Candidate, User
from kiosk.services import accounts
from kiosk.sign_in_errors import LockedOut
from tests.cast import PASSWORD, Hall


def test_a_candidate_signs_in_with_the_service_number_however_it_is_typed(hall: Hall) -> None:
    for login in ("N001", "n001", " N001 ", "N 001", "Ｎ００１", "N001\u200b"):
        signed_in = accounts.sign_in(login, PASSWORD, now=hall.MORNING)
        assert (signed_in.kind, signed_in.id) == ("candidate", hall.candidate_ids[0])


def test_each_sign_in_has_a_number_of_its_own(hall: Hall) -> None:
    numbers = {accounts.sign_in("N001", PASSWORD, now=hall.MORNING).login_no for _ in range(3)}
    assert len(numbers) == 3


@pytest.mark.parametrize(
    ("login", "password", "refusal"),
    [
        ("", PASSWORD, MissingCredentials),
        ("   ", PASSWORD, MissingCredentials),
        ("N001", "", MissingCredentials),
        ("N001", "wrong", WrongCredentials),
        ("nobody", PASSWORD, WrongCredentials),
        ("admin' OR '1'='1", PASSWORD, WrongCredentials),
        ("%", PASSWORD, WrongCredentials),
        ("N00_", PASSWORD, WrongCredentials),
        ("N001", PASSWORD + " ", WrongCredentials),
        ("N001", "x" * 257, BadInput),
        ("N" * 81, PASSWORD, BadInput),
        ("N001\0", PASSWORD, BadInput),
        ("NOWHERE/N001", PASSWORD, WrongCredentials),
    ],
)
def test_a_wrong_sign_in_is_refused(hall: Hall, login: str, password: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        accounts.sign_in(login, password, now=hall.MORNING)


def test_an_unknown_name_and_a_wrong_password_read_the_same(hall: Hall) -> None:
    said = []
    for login in ("N001", "nobody"):
        with pytest.raises(WrongCredentials) as refused:
            accounts.sign_in(login, "wrong", now=hall.MORNING)
        said.append((refused.value.status, refused.value.sentence))
    assert said[0] == said[1]


def test_after_five_wrong_tries_the_account_waits_five_minutes(hall: Hall) -> None:
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            accounts.sign_in("N001", "wrong", now=hall.MORNING)
    with pytest.raises(LockedOut) as refused:
        accounts.sign_in("N001", PASSWORD, now=hall.after(minutes=1))
    assert "4" in refused.value.sentence
    assert accounts.sign_in("N002", PASSWORD, now=hall.after(minutes=1)), "the neighbour is not locked"
    assert accounts.sign_in("N001", PASSWORD, now=hall.after(minutes=6))
    with pytest.raises(WrongCredentials):
        accounts.sign_in("N001", "wrong", now=hall.after(minutes=7))


def test_with_two_organisations_the_code_decides(hall: Hall) -> None:
    other = hall.stranger["candidate"]
    with transaction():
        db.session.get(Candidate, other).login = "n001"
    with pytest.raises(WrongCredentials):
        accounts.sign_in("N001", PASSWORD, now=hall.MORNING)
    assert accounts.sign_in("OTHER/N001", PASSWORD, now=hall.MORNING).id == other
    assert accounts.sign_in("ORG/N001", PASSWORD, now=hall.MORNING).id == hall.candidate_ids[0]


def test_who_is_deactivated_or_archived_is_out(hall: Hall) -> None:
    signed_in = accounts.sign_in("admin", PASSWORD, now=hall.MORNING)
    assert accounts.current_user(signed_in.id, signed_in.epoch) is not None
    with transaction():
        db.session.get(User, signed_in.id).deactivated_at = hall.MORNING
        db.session.get(Candidate, hall.candidate_ids[0]).archived_at = hall.MORNING
    assert accounts.current_user(signed_in.id, signed_in.epoch) is None
    for login in ("admin", "N001"):
        with pytest.raises(WrongCredentials):
            accounts.sign_in(login, PASSWORD, now=hall.MORNING)


def test_an_ended_epoch_ends_the_sign_in(hall: Hall) -> None:
    signed_in = accounts.sign_in("admin", PASSWORD, now=hall.MORNING)
    with transaction():
        db.session.get(User, signed_in.id).session_epoch += 1
    assert accounts.current_user(signed_in.id, signed_in.epoch) is None


def test_a_generated_password_is_stored_as_an_hmac_and_works(hall: Hall) -> None:
    password = accounts.new_password()
    assert len(password) == 12
    with transaction():
        db.session.get(User, hall.admin.id).password_hash = accounts.hash_generated(password)
    assert accounts.sign_in("admin", password, now=hall.MORNING).id == hall.admin.id


@pytest.mark.parametrize("password", ["p" * 128, "with spaces  in it", "🔑 emoji", "caf\u00e9", "पासवर्ड"])
def test_passwords_of_every_kind_are_taken_as_typed(hall: Hall, password: str) -> None:
    assert accounts.matches(accounts.hash_password(password), password)
    assert not accounts.matches(accounts.hash_password(password), password + "x")
