"""The list of results: what was handed in, to be read by those who may."""

from __future__ import annotations

import pytest

from kiosk.services import listing, mark_reports, marking
from kiosk.services.listing import Order
from kiosk.services.mark_reports import ResultFilters
from tests.desk import Desk
from tests.plans import looks_at_everything, plans


@pytest.fixture
def handed_in(hall):
    player = hall.player(0)
    player.start()
    player.save(5, "some words that a person has to judge")
    player.submit(at=hall.after(minutes=42))
    marking.mark_now(player.attempt.id, now=hall.after(minutes=43))
    return player.attempt


@pytest.mark.parametrize("login", ["marks", "admin", "auditor"])
def test_a_handed_in_test_is_listed_with_receipt_and_what_waits(app, handed_in, login):
    page = Desk(app, login).text("/admin/results")
    assert f"N001 Candidate N001 TTC Primary C01 10:42 submitted {handed_in.receipt}" in page
    assert "1 answer" in page


def test_a_test_that_runs_is_no_result(app, hall):
    hall.player(0).start()
    assert "No test has been handed in." in Desk(app, "marks").text("/admin/results")


@pytest.mark.parametrize(
    ("query", "count"), [("q=N001", 1), ("q=N002", 0), ("trade=TTC", 1), ("trade=X", 0), ("shows=waiting", 1)]
)
def test_filters(app, handed_in, query, count):
    page = Desk(app, "marks").text(f"/admin/results?{query}")
    assert (handed_in.receipt in page) == bool(count)


def test_a_receipt_finds_its_test(app, handed_in):
    assert "N001" in Desk(app, "marks").text(f"/admin/results?q={handed_in.receipt.lower()}")


@pytest.mark.parametrize("login", ["centre", "invigilator"])
def test_people_of_a_centre_see_no_marks(app, handed_in, login):
    assert Desk(app, login).get("/admin/results").status_code == 403


def test_a_marks_officer_lands_on_the_results(app, hall):
    assert Desk(app, "marks").get("/").headers["Location"] == "/admin/results"


def test_results_are_sorted_and_taken_home_as_a_file(app, hall, handed_in):
    later = hall.player(1)
    later.start()
    later.submit(at=hall.after(minutes=50))
    desk = Desk(app, "marks")
    for query, first in (("", "N002"), ("?sort=ended", "N001"), ("?sort=service_no", "N001"), ("?sort=-name", "N002")):
        page = desk.text(f"/admin/results{query}")
        numbers = sorted(("N001", "N002"), key=lambda one: page.index(f"{one} Candidate"))
        assert numbers[0] == first, query
    lines = desk.get("/admin/results.csv?q=N001").get_data(as_text=True).splitlines()
    assert len(lines) == 2
    assert f"submitted,{handed_in.receipt}" in lines[1]


def test_more_results_than_are_counted_say_so(app, hall, monkeypatch):
    monkeypatch.setattr(listing, "MOST_COUNTED", 1)
    monkeypatch.setattr(listing, "PAGE_ROWS", 1)
    for place in (0, 1):
        hall.player(place).start()
        hall.player(place).submit(at=hall.after(minutes=40 + place))
    desk = Desk(app, "marks")
    page = desk.text("/admin/results")
    assert "More than 1 tests handed in" in page
    assert "More than 1 tests match" in page
    assert "Page 1 Next page" in page
    assert "Previous page Page 2" in desk.text("/admin/results?page=9")
    assert "1 test matches" in desk.text("/admin/results?q=N002")


@pytest.mark.parametrize("is_descending", [True, False])
def test_the_latest_results_are_read_out_of_an_index(hall, handed_in, is_descending):
    order = Order("ended", is_descending)
    found = plans(lambda: mark_reports.results(hall.organisation_id, ResultFilters(), order))
    (rows,) = [plan for statement, plan in found.items() if "ended_at" in statement]
    assert "ix_attempts_handed_in" in rows
    assert not looks_at_everything(rows), rows
