"""The list of candidates: who is seen, what is found, and what each row says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kiosk import clock
from kiosk.extensions import db
from kiosk.services import centre_reports, expiring, listing, pauses, slots
from kiosk.services.audit import SYSTEM
from kiosk.services.centre_reports import Filters
from tests.counting import counting
from tests.desk import Desk, PageCheck

OUTAGE = {"kind": "outage", "reason": "the server was away", "by": SYSTEM}


def test_each_state_is_said_with_its_time(app, hall, desk):
    writer, finisher, late = hall.player(0), hall.player(1), hall.player(2)
    for player in (writer, finisher, late):
        player.start()
    writer.save(1, "A")
    finisher.submit(at=hall.after(minutes=72))
    expiring.expire_overdue(now=hall.after(hours=4))
    slots.reset([hall.candidate_ids[3]], reason="left", by=hall.centre_admin, now=hall.MORNING)
    clock.freeze(hall.after(hours=5))
    page = desk.text("/centre/")
    assert "Consumed 11:12, submitted" in page
    assert "Consumed 13:00, time ran out" in page
    assert "Available since 10:00, Centre" in page
    assert "No slot 1" in page


def test_a_running_test_shows_since_when_and_how_much_is_answered(app, hall, desk):
    player = hall.player(0)
    player.start()
    player.save(1, "A")
    player.save(2, "B")
    page = desk.text("/centre/?slot=attempting")
    assert "Attempting since 10:00" in page
    assert "2/10" in page


def test_yesterdays_times_come_with_their_date(hall, app):
    clock.freeze(hall.MORNING + timedelta(days=1))
    assert "since 21 Nov, 10:00" in Desk(app, "centre").text("/centre/")


def test_a_cancelled_test_is_not_counted_for_the_new_slot(hall, desk):
    player = hall.player(0)
    player.start()
    player.save(1, "A")
    hall.activate("B")
    row = centre_reports.candidates(hall.centre_id, Filters(q="N001")).rows[0]
    assert (row.slot.status, row.answered, row.total) == ("available", None, None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=n002", ["N002"]),
        ("q=candidate+N00", ["N001", "N002", "N003", "N004", "N005", "N006"]),
        ("q=%25", []),
        ("q=_001", []),
        ("q=%00N001", ["N001"]),
        ("trade=TTC&q=N003", ["N003"]),
        ("trade=OCC", []),
        ("slot=none", []),
        ("slot=attempting", ["N001"]),
        ("slot=nonsense&q=N004", ["N004"]),
        ("shift=nonsense&q=N004", ["N004"]),
        ("sort=-name&q=N00", ["N006", "N005", "N004", "N003", "N002", "N001"]),
        ("sort=password_hash&q=N001", ["N001"]),
        ("page=999&q=N005", ["N005"]),
        ("page=-1&q=N005", ["N005"]),
    ],
)
def test_filters_find_what_they_say(hall, desk, query, found):
    hall.player(0).start()
    page = desk.get(f"/centre/?{query}").get_data(as_text=True)
    rows = page.partition("<tbody>")[2].split("/centre/candidates/")[1:]
    assert [row.split(">", 1)[1][:4] for row in rows] == found


def test_pages_of_fifty_and_the_number_of_statements_stays_the_same(hall, desk):
    def statements(address, get=desk.get):
        with counting() as counted:
            assert get(address).status_code == 200
        return counted.statements

    few = statements("/centre/"), statements("/centre/", desk.fragment)
    for number in range(100, 155):
        hall.add_candidate(f"M{number}")
    db.session.commit()
    assert (statements("/centre/"), statements("/centre/", desk.fragment)) == few == (8, 5)
    listed = centre_reports.candidates(hall.centre_id, Filters())
    assert (len(listed.rows), listed.matching, listed.pages) == (50, 61, 2)


@pytest.fixture
def long_book(hall, monkeypatch):
    """As if three candidates filled a book, and two a page."""
    monkeypatch.setattr(listing, "MOST_COUNTED", 3)
    monkeypatch.setattr(listing, "PAGE_ROWS", 2)


def test_a_book_too_long_to_be_counted_says_more_than(desk, long_book):
    page = desk.text("/centre/")
    assert "more than 3 candidates" in page
    assert "More than 3 candidates match No slot Available Attempting Consumed" in page
    assert "All that match, more than 3" in page
    assert "Pause everybody…" in page


def test_its_pages_have_a_next_one_until_the_last(desk, long_book):
    assert "Page 1 Next page" in desk.text("/centre/")
    assert "Previous page Page 2 Next page" in desk.text("/centre/?page=2")
    for last in (3, 4, 900_000):
        page = desk.text(f"/centre/?page={last}")
        assert "Previous page Page 3" in page
        assert "Next page" not in page
        assert "N005" in page


def test_what_is_found_in_a_long_book_has_its_number(desk, long_book):
    page = desk.text("/centre/?q=N004")
    assert "1 candidate matches" in page
    assert "All 1 that match" in page


def test_a_long_book_in_hindi(desk, long_book):
    desk.client.set_cookie("ui_language", "hi")
    page = desk.text("/centre/?page=2")
    assert "3 से अधिक परीक्षार्थी मिले" in page
    assert "मिलने वाले सभी, 3 से अधिक" in page
    assert "पन्ना 2" in page
    assert PageCheck(desk.get("/centre/").get_data(as_text=True)).found() == []


def test_all_that_match_are_all_though_nobody_counted_them(desk, long_book):
    assert "6" in desk.text("/centre/slots/reset?all=1")
    assert "Reset 6" in desk.text("/centre/slots/reset?all=1")


def test_a_rows_menu_leads_to_its_candidate_with_the_filters(hall, desk):
    page = desk.get("/centre/?q=N002").get_data(as_text=True)
    assert f'href="/centre/slots/assign?q=N002&amp;id={hall.candidate_ids[1]}"' not in page  # a slot is there already
    assert f'href="/centre/slots/reset?q=N002&amp;id={hall.candidate_ids[1]}"' in page


def test_another_centres_candidates_are_not_in_the_list(hall, app):
    assert "N001" not in Desk(app, "centre2").text("/centre/")


def test_another_centres_list_is_not_there(hall, desk):
    assert desk.get("/centre/?centre=C02").status_code == 404
    assert desk.get("/centre/?centre=NONSENSE").status_code == 404


def test_an_admin_chooses_the_centre_and_gets_the_first_without_a_word(app, hall):
    admin = Desk(app, "admin")
    assert "N001" in admin.text("/centre/")
    assert "N001" not in admin.text("/centre/?centre=C02")


def test_a_stranger_organisations_centre_is_not_there_for_an_admin(app, hall):
    assert hall.stranger["centre"]
    page = Desk(app, "admin").text("/centre/")
    assert "Stranger" not in page


def test_a_fragment_is_not_a_page(desk):
    fragment = desk.fragment("/centre/").get_data(as_text=True)
    assert fragment.lstrip().startswith("<form")
    assert "<html" not in fragment


def test_nobody_found_is_said_and_leads_back(desk):
    assert "Nobody matches these filters." in desk.text("/centre/?q=nobody+has+this+name")


def test_paused_people_are_announced_with_the_way_to_let_them_go_on(hall, desk):
    player = hall.player(0)
    player.start()
    pauses.pause([player.attempt.id], now=hall.after(minutes=10), **OUTAGE)
    page = desk.text("/centre/")
    assert "1 candidate is paused. The server was away from 10:10." in page
    assert "Resume room" in page


def test_a_page_in_hindi_is_still_a_sound_page(desk):
    desk.client.set_cookie("ui_language", "hi")
    assert PageCheck(desk.get("/centre/").get_data(as_text=True)).found() == []
