"""The start bell: one hash at a time, nobody waits for it, everybody gets in."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from flask import Flask

from kiosk.errors import WrongCredentials
from kiosk.services import accounts, admission, hashing
from kiosk.services.admission import Admission
from kiosk.sign_in_errors import SignInBusy
from tests.cast import PASSWORD, Hall


@pytest.fixture
def busy() -> Iterator[None]:
    """Somebody else's hash is being computed."""
    with admission.hashing.turn(wait_seconds=0):
        yield


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("login", ["N001", "nobody"])
def test_while_a_hash_is_computed_nobody_waits_and_nothing_is_told(hall: Hall, login: str) -> None:
    begun = time.monotonic()
    with pytest.raises(SignInBusy):
        accounts.sign_in(login, PASSWORD, now=hall.MORNING, wait_seconds=0)
    assert time.monotonic() - begun < 0.5


@pytest.mark.usefixtures("busy")
def test_a_right_generated_password_needs_no_turn_and_a_wrong_one_does(hall: Hall) -> None:
    stored = hashing.hash_generated("made by us")
    assert hashing.check(stored, "made by us", wait_seconds=0)
    with pytest.raises(SignInBusy):
        hashing.check(stored, "not made by us", wait_seconds=0)


def test_every_wrong_password_costs_one_slow_hash_whatever_is_stored(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashing.check(None, "warm up", wait_seconds=1)
    slow = []
    verify = type(hashing._hasher).verify
    monkeypatch.setattr(type(hashing._hasher), "verify", lambda *of: slow.append(1) or verify(*of))
    for stored in (None, hashing.hash_generated("made by us"), hashing.hash_password(PASSWORD)):
        assert not hashing.check(stored, "wrong", wait_seconds=1)
    assert len(slow) == 3


def test_a_single_one_may_wait_and_only_so_long() -> None:
    room, waited = Admission(), []
    with room.turn(wait_seconds=0):
        first = threading.Thread(target=lambda: waited.append(_enters(room, wait_seconds=0.15)))
        first.start()
        while not room._seat.locked():
            time.sleep(0.001)
        begun = time.monotonic()
        assert not _enters(room, wait_seconds=5)
        assert time.monotonic() - begun < 0.1, "the seat is taken: no second thread is held"
        first.join()
    assert waited == [False]
    assert _enters(room, wait_seconds=0)


def test_the_more_were_told_to_wait_the_later_the_next_one_comes_again_and_never_in_step() -> None:
    room = Admission()
    waits = [room.come_back_seconds() for _ in range(250)]
    assert len(set(waits)) == 250
    assert 0.4 <= waits[0] < 1
    assert 0.4 + 249 * 0.015 - 0.1 < waits[-1] < 5, "a hall of 250 with turns of 30 ms"
    assert max(room.come_back_seconds() for _ in range(5000)) <= 15.4


def test_slow_turns_make_longer_waits() -> None:
    quick, slow = Admission(), Admission()
    for _ in range(3):
        with slow.turn(wait_seconds=0):
            time.sleep(0.1)
    assert [room.come_back_seconds() for room in (quick, slow) for _ in range(100)][199] > 1.5
    assert quick.come_back_seconds() < slow.come_back_seconds()


def test_a_failure_gives_the_turn_back() -> None:
    room = Admission()
    with pytest.raises(ValueError, match="broken"), room.turn(wait_seconds=0):
        raise ValueError("broken")
    assert _enters(room, wait_seconds=0)


def test_thirty_at_the_bell_all_get_in_though_only_one_is_looked_at_at_a_time(app: Flask, hall: Hall) -> None:
    inside, most, signed_in, refused = [0], [0], [], []
    guard, matches = threading.Lock(), hashing.matches

    def watched(*of: str) -> bool:
        with guard:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        try:
            return matches(*of)
        finally:
            with guard:
                inside[0] -= 1

    def come_in(place: int) -> None:
        with app.app_context():
            for _ in range(400):
                try:
                    login = f"N{place % 6 + 1:03}"
                    signed_in.append(accounts.sign_in(login, PASSWORD, now=hall.MORNING, wait_seconds=0).login_no)
                    return
                except SignInBusy:
                    refused.append(place)
                    time.sleep(0.01 + place % 7 / 500)

    hashing.matches = watched
    try:
        threads = [threading.Thread(target=come_in, args=(place,)) for place in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        hashing.matches = matches
    assert len(set(signed_in)) == 30
    assert most == [1]
    assert refused, "some were asked to come again"


def test_a_wrong_password_is_still_wrong_after_a_busy_moment(hall: Hall) -> None:
    with pytest.raises(WrongCredentials):
        accounts.sign_in("N001", "wrong", now=hall.MORNING)


def _enters(room: Admission, *, wait_seconds: float) -> bool:
    try:
        with room.turn(wait_seconds=wait_seconds):
            return True
    except SignInBusy:
        return False
