"""A candidate who mistyped five times is unlocked by whoever stands in the hall."""

from __future__ import annotations

import pytest
from flask import Flask

from kiosk.errors import WrongCredentials
from kiosk.services import accounts
from tests.cast import PASSWORD, Hall
from tests.desk import Desk, PageCheck, plain


@pytest.fixture
def page(hall: Hall) -> str:
    """The page of a candidate who is locked."""
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            accounts.sign_in("N001", "wrong", now=hall.MORNING)
    return f"/centre/candidates/{hall.candidate_ids[0]}"


def is_locked(hall: Hall) -> bool:
    return ("unlock", "locked", "open") not in hall.audit(hall.candidate_ids[0])


@pytest.mark.parametrize("login", ["invigilator", "centre", "admin"])
def test_the_button_is_there_while_the_account_is_locked_and_lets_the_candidate_in(
    app: Flask, hall: Hall, page: str, login: str
) -> None:
    desk = Desk(app, login)
    shown = desk.get(page).text
    assert "Locked until 10:05 after wrong passwords" in shown
    assert PageCheck(shown).found() == []
    assert "Candidate N001 can try again at once." in plain(desk.post(f"{page}/unlock", follow=True))
    assert "Locked until" not in desk.text(page)
    assert accounts.sign_in("N001", PASSWORD, now=hall.MORNING)
    assert "is not locked" in plain(desk.post(f"{page}/unlock", follow=True))


def test_who_is_not_locked_has_no_button(app: Flask, hall: Hall, page: str) -> None:
    assert "Unlock" not in Desk(app, "centre").text(
        page.replace(str(hall.candidate_ids[0]), str(hall.candidate_ids[1]))
    )


def test_an_auditor_sees_it_and_may_not(app: Flask, hall: Hall, page: str) -> None:
    desk = Desk(app, "auditor")
    assert "Locked until" in desk.text(page)
    assert "/unlock" not in desk.get(page).text
    assert desk.post(f"{page}/unlock").status_code == 403
    assert is_locked(hall)


def test_another_centre_finds_nobody_to_unlock(app: Flask, hall: Hall, page: str) -> None:
    assert Desk(app, "centre2").post(f"{page}/unlock").status_code == 404
    assert is_locked(hall)


def test_the_sign_in_of_another_organisation_is_not_touched(app: Flask, hall: Hall) -> None:
    stranger = hall.stranger["candidate"]
    assert Desk(app, "admin").post(f"/centre/candidates/{stranger}/unlock").status_code == 404
