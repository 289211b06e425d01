"""The list of candidates at any size: counts with an end, pages without a last one, and an index for its order."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from kiosk.extensions import db, transaction
from kiosk.ids import uuid7
from kiosk.models import Candidate, Trade
from kiosk.services import centre_reports, listing
from kiosk.services.candidate_search import Filters
from kiosk.services.listing import Count
from tests.cast import Hall
from tests.counting import counting
from tests.plans import looks_at_everything, plans


@pytest.fixture
def few_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if more than three candidates were too many to be counted."""
    monkeypatch.setattr(listing, "MOST_COUNTED", 3)


def asked(hall: Hall, **filters: Any) -> centre_reports.CandidatePage:
    return centre_reports.candidates(hall.centre_id, Filters(**filters))


def numbers(page: centre_reports.CandidatePage) -> list[str]:
    return [row.service_no for row in page.rows]


def put_away(*candidate_ids: UUID) -> None:
    with transaction():
        db.session.execute(
            update(Candidate).where(Candidate.id.in_(candidate_ids)).values(archived_at=Hall.MORNING, shift_id=None)
        )


def test_a_book_at_the_limit_is_counted_to_the_last(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_COUNTED", hall.CANDIDATES)
    hall.player().start()
    page = asked(hall)
    assert (page.matching, page.is_more, page.total) == (6, False, Count(6))
    assert page.by_status == {"none": 0, "available": 5, "attempting": 1, "consumed": 0}


def test_a_book_beyond_the_limit_has_more_than_that_and_no_figures(hall: Hall, few_are_counted: None) -> None:
    page = asked(hall)
    assert (page.matching, page.is_more, page.total) == (3, True, Count(3, is_more=True))
    assert set(page.by_status.values()) == {None}
    assert len(page.rows) == 6


def test_what_few_match_is_counted_in_a_long_book_too(hall: Hall, few_are_counted: None) -> None:
    hall.player().start()
    page = asked(hall, slot="attempting")
    assert (page.matching, page.is_more, page.pages) == (1, False, 1)
    assert page.total.is_more
    assert asked(hall, slot="available").is_more


def test_who_was_put_away_is_counted_apart(hall: Hall) -> None:
    put_away(*hall.candidate_ids[4:])
    page = asked(hall)
    assert (page.matching, page.total) == (4, Count(4))
    gone = asked(hall, slot="archived")
    assert (numbers(gone), gone.matching, gone.total) == (["N005", "N006"], 2, Count(4))


@pytest.mark.parametrize(
    ("page", "shown", "pages"), [(1, 2, 2), (2, 2, 3), (3, 2, 3), (4, 2, 3), (99, 2, 3), (0, 2, 2)]
)
def test_pages_of_a_long_book_lead_on_as_long_as_there_is_a_next_one(
    hall: Hall, few_are_counted: None, monkeypatch: pytest.MonkeyPatch, page: int, shown: int, pages: int
) -> None:
    monkeypatch.setattr(listing, "PAGE_ROWS", 2)
    found = asked(hall, page=page)
    assert (found.page, found.pages, len(found.rows)) == (max(1, min(page, 3)), pages, shown)
    assert numbers(found)[0] == f"N00{found.page * 2 - 1}"


def test_a_page_behind_the_end_of_a_counted_list_is_the_last(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE_ROWS", 4)
    found = asked(hall, page=7)
    assert (found.page, found.pages, numbers(found)) == (2, 2, ["N005", "N006"])


def test_nobody_is_left_out_of_a_bulk_because_nobody_counted_them(hall: Hall, few_are_counted: None) -> None:
    assert centre_reports.matching_ids(hall.centre_id, Filters()) == hall.candidate_ids


def test_the_trades_are_those_that_somebody_of_the_centre_has(hall: Hall) -> None:
    with transaction():
        trade_id = uuid7()
        db.session.add(Trade(id=trade_id, organisation_id=hall.organisation_id, code="OCC", name="Operator"))
    assert centre_reports.trades(hall.centre_id) == ("TTC",)
    only_one = hall.add_candidate("O001", trade_id=trade_id)
    db.session.commit()
    assert centre_reports.trades(hall.centre_id) == ("OCC", "TTC")
    assert numbers(asked(hall, trade="OCC")) == ["O001"]
    assert numbers(asked(hall, trade="OCC", shift=hall.shift_id)) == ["O001"]
    assert centre_reports.trades(hall.other_centre_id) == ()
    put_away(only_one)
    assert centre_reports.trades(hall.centre_id) == ("TTC",)


def test_a_strangers_trade_with_the_same_code_finds_nobody(hall: Hall) -> None:
    assert hall.stranger["centre"]
    assert len(asked(hall, trade="TTC").rows) == 6


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("service_no", ["N001", "N002", "N003"]),
        ("name", ["N003", "N001", "N002"]),
        ("seat", ["N002", "N003", "N001"]),
        ("slot", ["N001", "N002", "N003"]),
    ],
)
def test_every_order_is_kept_in_both_directions(hall: Hall, sort: str, first: list[str]) -> None:
    with transaction():
        for place, (name, seat) in enumerate((("bhim", None), ("Chand", "2"), ("ARUN", "10"))):
            values = {"name": name, "seat": seat}
            db.session.execute(update(Candidate).where(Candidate.id == hall.candidate_ids[place]).values(values))
    put_away(*hall.candidate_ids[3:])
    assert numbers(asked(hall, sort=sort)) == first
    assert numbers(asked(hall, sort=sort, shift=hall.shift_id)) == first
    if sort in ("service_no", "name"):
        assert numbers(asked(hall, sort=sort, is_descending=True)) == first[::-1]
    if sort == "seat":
        assert numbers(asked(hall, sort=sort, is_descending=True)) == ["N003", "N002", "N001"]  # nobody's seat last


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "ix_candidates_centre_login"),
        ({"is_descending": True}, "ix_candidates_centre_login"),
        ({"page": 2}, "ix_candidates_centre_login"),
        ({"sort": "name"}, "ix_candidates_centre_name"),
        ({"sort": "name", "is_descending": True}, "ix_candidates_centre_name"),
        ({"trade": "TTC"}, "ix_candidates_centre_trade_login"),
    ],
)
def test_a_page_is_read_out_of_an_index_in_its_order(hall: Hall, filters: dict[str, Any], index: str) -> None:
    found = plans(lambda: asked(hall, **filters))
    (rows,) = [plan for statement, plan in found.items() if "service_no" in statement]
    # PostgreSQL's statistics move with what other tests left: of a few rows it may read the neighbouring index as well
    assert (index if db.engine.dialect.name == "sqlite" else "ix_candidates_centre_") in rows, rows
    assert not looks_at_everything(rows), rows


@pytest.mark.parametrize("filters", [{}, {"sort": "name"}, {"trade": "TTC"}, {"sort": "seat"}])
def test_of_a_shift_only_its_own_people_are_looked_at(hall: Hall, filters: dict[str, Any]) -> None:
    found = plans(lambda: asked(hall, shift=hall.shift_id, **filters))
    (rows,) = [plan for statement, plan in found.items() if "service_no" in statement]
    if db.engine.dialect.name == "sqlite":
        assert "ix_candidates_shift_login (shift_id=? AND centre_id=?)" in rows


def test_a_book_is_counted_along_an_index_and_each_slot_looked_up(hall: Hall) -> None:
    found = plans(lambda: asked(hall))
    (plan,) = [plan for statement, plan in found.items() if "GROUP BY" in statement and "answers" not in statement]
    assert "ix_candidates_centre_" in plan
    assert "uq_slots_one_current" in plan or "ix_slots_candidate_paper" in plan, "both begin with the candidate"
    assert "Seq Scan" not in plan


def test_the_trades_are_looked_up_and_nobody_is_read(hall: Hall) -> None:
    (plan,) = plans(lambda: centre_reports.trades(hall.centre_id)).values()
    assert "ix_candidates_centre_trade_login" in plan


def test_a_long_book_costs_as_many_statements_as_a_short_one(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    with counting() as short:
        asked(hall)
    monkeypatch.setattr(listing, "MOST_COUNTED", 3)
    with counting() as long:
        asked(hall)
    with counting() as filtered:
        asked(hall, slot="available")
    assert (short.statements, long.statements, filtered.statements) == (3, 3, 4)
