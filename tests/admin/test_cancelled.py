"""Stopped tests: each with its reason and its answers, for those who may see them."""

from __future__ import annotations

import pytest

from kiosk.services import slots
from tests.cast import Hall
from tests.desk import Desk, PageCheck


@pytest.fixture
def stopped(hall: Hall):  # type: ignore[no-untyped-def]
    """A test with two answers that was cleared, and one that goes on."""
    player = hall.player(0)
    player.start()
    player.save(1, "A")
    player.save(1, "B")
    player.save(5, "a few words")
    hall.player(1).start()
    slots.clear_incomplete(hall.candidate_ids[:1], reason="power cut", by=hall.centre_admin, now=hall.after(minutes=5))
    return player.attempt.id


def test_a_stopped_test_is_listed_with_its_reason(app, hall: Hall, stopped) -> None:  # type: ignore[no-untyped-def]
    desk = Desk(app, "admin")
    page = desk.get("/admin/cancelled")
    assert PageCheck(page.get_data(as_text=True)).found() == []
    text = desk.text("/admin/cancelled")
    assert "N001" in text
    assert "N002" not in text
    assert "power cut" in text
    assert "2/10" in text
    assert "No test matches" in desk.text("/admin/cancelled?reason=set_switched")
    assert "N001" in desk.text("/admin/cancelled?reason=cleared&q=n00")


def test_its_answers_stand_there_as_they_were_given(app, hall: Hall, stopped) -> None:  # type: ignore[no-untyped-def]
    text = Desk(app, "auditor").text(f"/admin/attempts/{stopped}/answers")
    assert "a few words" in text
    assert " B " in text


def test_answers_of_a_test_that_goes_on_are_shown_to_nobody(app, hall: Hall, stopped) -> None:  # type: ignore[no-untyped-def]
    assert Desk(app, "admin").get(f"/admin/attempts/{hall.player(1).attempt.id}/answers").status_code == 404


@pytest.mark.parametrize("login", ["centre", "invigilator", "marks"])
def test_others_see_no_answers(app, hall: Hall, stopped, login: str) -> None:  # type: ignore[no-untyped-def]
    desk = Desk(app, login)
    assert desk.get("/admin/cancelled").status_code == 403
    assert desk.get(f"/admin/attempts/{stopped}/answers").status_code == 403


def test_the_list_goes_home_as_a_file(app, hall: Hall, stopped) -> None:  # type: ignore[no-untyped-def]
    file = Desk(app, "auditor").get("/admin/cancelled.csv?sort=-service_no").get_data(as_text=True).splitlines()
    assert len(file) == 2
    assert file[1].endswith("cleared,power cut,2,10")
