"""The table of active sets, its filters and its history."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from kiosk.extensions import db, transaction
from kiosk.models import Activation
from tests.desk import Desk, row_counts


@pytest.fixture
def desk(app):
    return Desk(app, "admin")


def nothing_active(hall):
    with transaction():
        db.session.execute(update(Activation).where(Activation.paper_type == "primary").values(ended_at=hall.MORNING))


def test_each_paper_shows_its_set_and_who_waits_and_who_writes(hall, desk):
    hall.player(0).start()
    page = desk.text("/admin/")
    assert "1 trade · 2 papers · 0 need attention" in page
    assert "Primary Set A, version 1 since 10:00, Admin A 3 · B 1 · C 1 · D 2 · E 1 · F 2 Complete 10 of 10 5 1" in page
    assert "Secondary (common) Set A, version 1" in page


def test_what_cannot_start_stands_on_top_with_those_who_wait(hall, desk):
    nothing_active(hall)
    page = desk.text("/admin/")
    assert "1 paper cannot start. TTC primary: no active set, 6 candidates wait." in page
    assert "Choose a set…" in page


@pytest.mark.parametrize(
    ("query", "papers"),
    [
        ("", ["Primary", "Secondary (common)"]),
        ("paper=primary", ["Primary"]),
        ("paper=secondary", ["Secondary (common)"]),
        ("shows=writing", ["Primary"]),
        ("shows=attention", []),
        ("q=telecom&paper=primary", ["Primary"]),
        ("q=%3Cscript%3E", []),
        ("paper=nonsense&shows=nonsense", ["Primary", "Secondary (common)"]),
    ],
)
def test_filters(hall, desk, query, papers):
    hall.player(0).start()
    page = desk.text(f"/admin/?{query}")
    shown = [name for name in ("Primary", "Secondary (common)") if f"TTC · {name} " in page]
    assert shown == papers
    assert ("No paper matches these filters." in page) == (not papers)


def test_the_history_says_who_switched_what_and_why(hall, desk):
    hall.activate("B", reason="set A was seen by a candidate")
    page = desk.text("/admin/sets/history")
    assert "TTC Primary Set B, version 1 21 Nov, 10:00 active now Admin set A was seen by a candidate" in page


def test_the_history_is_searched_sorted_and_taken_home(hall, desk):
    hall.activate("B", reason="set A was seen by a candidate")
    assert "1 activation matches" in desk.text("/admin/sets/history?q=was+seen&paper=primary&sort=trade")
    assert "No activation matches" in desk.text("/admin/sets/history?q=nowhere")
    assert "2 activations match" in desk.text("/admin/sets/history?paper=primary")
    lines = desk.get("/admin/sets/history.csv?q=was+seen").get_data(as_text=True).splitlines()
    assert len(lines) == 2
    assert lines[1].endswith(",,Admin,set A was seen by a candidate")


def test_the_table_goes_home_as_a_file(hall, desk):
    lines = desk.get("/admin/sets.csv?paper=primary").get_data(as_text=True).splitlines()
    assert lines[1].startswith("TTC,primary,A,1,")
    assert lines[1].endswith(f",yes,,{hall.CANDIDATES},0")


@pytest.mark.parametrize("address", ["/admin/", "/admin/sets/history", "/admin/results"])
def test_a_stranger_organisations_sets_are_not_shown(app, hall, address):
    assert hall.stranger["trade"]
    assert "17 trades" not in Desk(app, "admin").text(address)
    assert "OTHER" not in Desk(app, "admin").text(address)


def test_an_auditor_sees_the_table_without_a_way_to_switch(app, hall):
    auditor = Desk(app, "auditor")
    page = auditor.text("/admin/")
    assert "Set A, version 1" in page
    assert "Switch" not in page
    sets_page = auditor.get(f"/admin/sets/{hall.trade_id}/primary/switch?set={hall.sets['B']}").get_data(as_text=True)
    assert "Set B" in sets_page
    assert 'type="radio"' not in sets_page
    assert 'name="reason"' not in sets_page


def test_looking_changes_nothing(hall, desk):
    before = row_counts()
    for address in (
        "/admin/",
        "/admin/sets/history",
        f"/admin/sets/{hall.trade_id}/primary/switch?set={hall.sets['B']}",
    ):
        desk.text(address)
    assert row_counts() == before
