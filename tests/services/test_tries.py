"""Wrong tries: an account locks after few, a source after many, a hall never."""

from __future__ import annotations

import logging
import threading
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select, update

from kiosk.errors import WrongCredentials
from kiosk.extensions import db
from kiosk.models import AuditEvent, Candidate, SignInTries, User
from kiosk.services import accounts, hashing, sign_ins, tries
from kiosk.sign_in_errors import LockedOut, TooManyTries
from tests.cast import PASSWORD, Hall
from tests.counting import counting

HALL = tries.address_source("10.0.0.1")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of tries: the 25 ms of each hash are not what is looked at."""
    monkeypatch.setattr(hashing, "check", lambda stored, password, **_: password == PASSWORD)


def wrong(hall: Hall, login: str, source: tries.Source | None = None, times: int = 1, **after: float) -> None:
    for _ in range(times):
        with pytest.raises(WrongCredentials):
            accounts.sign_in(login, "wrong", now=hall.after(**after), source=source)


def failures_so_far(count: int) -> None:
    """The hall has mistyped so often within this window."""
    db.session.execute(update(SignInTries).where(SignInTries.source == HALL.name).values(failures=count))
    db.session.commit()


@pytest.mark.usefixtures("quick")
def test_a_hall_of_250_that_mistypes_twice_each_behind_one_address_gets_in(hall: Hall) -> None:
    wrong(hall, "N001", HALL)
    failures_so_far(250 * 2 - 1)
    wrong(hall, "N002", HALL)
    assert accounts.sign_in("N001", PASSWORD, now=hall.after(minutes=9), source=HALL)
    failures_so_far(tries.ADDRESS_LIMIT)
    with pytest.raises(TooManyTries):
        accounts.sign_in("N001", PASSWORD, now=hall.after(minutes=9), source=HALL)


@pytest.mark.usefixtures("quick")
def test_a_kiosk_is_stopped_at_its_twenty_first_try_whatever_the_names_and_its_neighbour_is_not(hall: Hall) -> None:
    here, beside = tries.kiosk_source(uuid4()), tries.kiosk_source(uuid4())
    for number in range(20):
        wrong(hall, f"ghost{number}", here)
    for login, password in (("ghost", "wrong"), ("N001", "wrong"), ("N001", PASSWORD)):
        with pytest.raises(TooManyTries) as refused:
            accounts.sign_in(login, password, now=hall.after(minutes=4), source=here)
    assert (refused.value.status, refused.value.retry_after_seconds) == (429, 6 * 60)
    assert accounts.sign_in("N001", PASSWORD, now=hall.after(minutes=4), source=beside)
    assert accounts.sign_in("N001", PASSWORD, now=hall.after(minutes=10), source=here), "the window is over"


@pytest.mark.usefixtures("quick")
def test_a_new_window_begins_to_count_anew(hall: Hall) -> None:
    here = tries.kiosk_source(uuid4())
    for number in range(19):
        wrong(hall, f"ghost{number}", here)
    wrong(hall, "other", here, minutes=10)
    assert db.session.get(SignInTries, here.name).failures == 1


@pytest.mark.usefixtures("quick")
def test_right_passwords_never_count(hall: Hall) -> None:
    here = tries.kiosk_source(uuid4())
    for _ in range(30):
        accounts.sign_in("N001", PASSWORD, now=hall.MORNING, source=here)
    assert db.session.get(SignInTries, here.name) is None


def test_the_address_of_a_machine_is_one_source_however_many_addresses_ipv6_gives_it() -> None:
    assert tries.address_source("2001:db8::1") == tries.address_source("2001:db8::ffff")
    assert tries.address_source("2001:db8::1") != tries.address_source("2001:db8:1::1")
    assert tries.address_source("10.0.0.1") != tries.address_source("10.0.0.2")
    assert tries.address_source("").limit == tries.address_source("nonsense").limit == tries.ADDRESS_LIMIT


@pytest.mark.usefixtures("quick")
def test_an_unknown_name_locks_as_a_known_one_does_so_that_nobody_learns_who_exists(hall: Hall) -> None:
    seen = {}
    for login in ("N001", "nobody"):
        wrong(hall, login, times=5)
        said = []
        for minutes in (1, 4):
            with pytest.raises(LockedOut) as refused:
                accounts.sign_in(login, "wrong", now=hall.after(minutes=minutes))
            said.append((refused.value.sentence, refused.value.retry_after_seconds))
        wrong(hall, login, times=5, minutes=5)
        with pytest.raises(LockedOut):
            accounts.sign_in(login, "wrong", now=hall.after(minutes=6))
        seen[login] = said
    assert seen["N001"] == seen["nobody"]


def test_what_was_typed_as_a_name_is_not_kept_readable(hall: Hall) -> None:
    wrong(hall, "my secret password")
    assert all("secret" not in key for key in db.session.execute(select(SignInTries.source)).scalars())


@pytest.mark.usefixtures("quick")
def test_old_counts_are_forgotten(hall: Hall) -> None:
    wrong(hall, "nobody", HALL)
    wrong(hall, "somebody", tries.address_source("10.0.0.2"), days=2)
    assert HALL.name not in db.session.execute(select(SignInTries.source)).scalars().all()


def test_tries_at_the_same_moment_do_not_step_over_the_one_that_locks(app: Flask, hall: Hall) -> None:
    wrong(hall, "N001", times=3)
    person = hall.candidate_ids[0]
    bell = threading.Barrier(2)

    def one_more() -> None:
        with app.app_context():
            found = db.session.get(Candidate, person)
            bell.wait()
            actor = tries.Actor("candidate", "", person)
            tries.count_failure(found, "n001", None, by=actor, now=hall.MORNING, action="sign_in_failed")

    threads = [threading.Thread(target=one_more) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.expire_all()
    assert db.session.get(Candidate, person).failed_sign_ins == 5
    with pytest.raises(LockedOut):
        accounts.sign_in("N001", PASSWORD, now=hall.MORNING)


@pytest.mark.usefixtures("quick")
def test_each_refusal_leaves_a_security_line_without_names_and_secrets(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="kiosk.security"):
        wrong(hall, "N001", HALL, times=5)
        wrong(hall, "nobody", HALL)
        with pytest.raises(LockedOut):
            accounts.sign_in("N001", PASSWORD, now=hall.MORNING, source=HALL)
    assert len(caplog.messages) == 7
    assert f"sign_in_failed account={hall.candidate_ids[0]} source=address:10.0.0.1" in caplog.messages
    assert not any(word in line for line in caplog.messages for word in ("N001", "nobody", PASSWORD, "wrong"))


def test_a_wrong_try_of_somebody_known_stands_in_the_audit_log(hall: Hall) -> None:
    wrong(hall, "admin")
    assert ("sign_in_failed", None, None) in hall.audit(hall.admin.id)


@pytest.mark.parametrize(("model", "login", "place"), [(Candidate, "N001", "candidate"), (User, "centre", "user")])
@pytest.mark.usefixtures("quick")
def test_staff_unlock_an_account_and_it_is_recorded(hall: Hall, model: type, login: str, place: str) -> None:
    person_id = accounts.find(login).id
    assert not sign_ins.unlock(model, person_id, by=hall.admin, now=hall.MORNING)
    wrong(hall, login, times=5)
    assert sign_ins.unlock(model, person_id, by=hall.admin, now=hall.MORNING)
    assert accounts.sign_in(login, PASSWORD, now=hall.MORNING).kind == place
    events = db.session.execute(
        select(AuditEvent.actor_name).where(AuditEvent.object_id == person_id, AuditEvent.action == "unlock")
    )
    assert events.scalars().all() == ["Admin"]


def test_a_sign_in_costs_at_most_four_statements_and_one_commit(hall: Hall) -> None:
    for login in ("N001", "centre"):
        with counting() as counted:
            accounts.sign_in(login, PASSWORD, now=hall.MORNING, source=HALL)
        assert counted.statements <= 4, counted.texts
        assert (counted.commits, counted.round_trips) == (1, 0)
