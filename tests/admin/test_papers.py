"""The paper editor: parts that make 100 with practical and viva, and what stays once sets or tests rely on it."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import select

from kiosk.extensions import db
from kiosk.models import AuditEvent, Paper, Part
from kiosk.office_errors import NotNow
from kiosk.services import paper_editor, paper_reports, slots
from kiosk.services.paper_values import PartValues, Structure
from tests.desk import Desk, plain

FORM = {
    "title": "TTC · New paper",
    "paper_type": "secondary",
    "trade": "",
    "duration_minutes": "90",
    "pass_percentage": "50",
    "max_attempts": "2",
    "counting_attempt": "best",
    "score_release": "at_submit",
    "languages": "en",
    "practical_marks": "30",
    "viva_marks": "10",
} | {
    f"{letter}_{name}": value
    for letter, kind, count, marks in (
        ("a", "single", "20", "1"),
        ("b", "multiple", "0", "2"),
        ("c", "short", "5", "2"),
        ("d", "fill", "10", "1"),
        ("e", "long", "2", "5"),
        ("f", "true_false", "20", "0.5"),
    )
    for name, value in (
        ("type", kind),
        ("count", count),
        ("marks", marks),
        ("negative", "0"),
        ("min_words", ""),
        ("max_words", ""),
    )
}


@pytest.fixture
def desk(app, hall):
    return Desk(app, "admin")


def paper(**where):
    db.session.rollback()
    return db.session.execute(select(Paper).filter_by(**where)).scalar_one_or_none()


def add(desk, **changed):
    desk.post("/admin/papers/new", **FORM | changed)
    return paper(title=(FORM | changed)["title"])


def test_a_paper_is_made_as_a_draft_and_its_written_marks_are_the_sum_of_its_parts(hall, desk):
    made = add(desk)
    assert (made.status, made.written_marks, made.practical_marks, made.viva_marks) == ("draft", 60, 30, 10)
    assert (made.duration_seconds, made.max_attempts, made.counting_attempt) == (5400, 2, "best")
    parts = db.session.execute(select(Part).where(Part.paper_id == made.id).order_by(Part.letter)).scalars().all()
    assert "".join(part.letter for part in parts) == "ACDEF"
    assert parts[-1].marks_each == Decimal("0.5")


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("title", "", "Fill this in."),
        ("duration_minutes", "0", "Enter a whole number from 1 to 1440."),
        ("duration_minutes", "-5", "Enter a whole number from 1 to 1440."),
        ("duration_minutes", "1441", "Enter a whole number from 1 to 1440."),
        ("duration_minutes", "1e9", "Enter a whole number from 1 to 1440."),
        ("duration_minutes", "90 min", "Enter a whole number from 1 to 1440."),
        ("duration_minutes", "1.5", "Enter a whole number from 1 to 1440."),
        ("pass_percentage", "101", "Enter a whole number from 0 to 100."),
        ("max_attempts", "0", "Enter a whole number from 1"),
        ("viva_marks", "11", "make 101 marks; they must make 100"),
        ("a_count", "19", "make 99 marks; they must make 100"),
        ("a_count", "many", "Enter a whole number from 0"),
        ("a_marks", "nan", "Enter a number"),
        ("a_marks", "-1", "must be more than 0"),
        ("a_negative", "2", "A wrong answer costs at most"),
        ("a_type", "essay", "Choose one of the list."),
        ("f_count", "21", "make 100.5 marks; they must make 100"),
        ("languages", "fr", "Choose one of the list."),
        ("paper_type", "tertiary", "Choose one of the list."),
        ("paper_type", "primary", "A primary paper belongs to a trade."),
        ("trade", "nonsense", "Choose one of the list."),
    ],
)
def test_a_wrong_paper_is_not_made_and_the_form_says_why(hall, desk, field, value, problem):
    answer = desk.post("/admin/papers/new", **FORM | {field: value})
    assert answer.status_code == 422
    assert problem in plain(answer)
    assert paper(title=FORM["title"]) is None


def test_word_limits_that_contradict_each_other_are_refused(hall, desk):
    answer = desk.post("/admin/papers/new", **FORM | {"c_min_words": "30", "c_max_words": "20"})
    assert "The upper word limit is below the lower one." in plain(answer)


def test_the_sum_is_told_while_the_form_is_filled_in(hall, desk):
    def said(**changed):
        query = "&".join(f"{name}={value}" for name, value in (FORM | changed).items())
        return plain(desk.fragment(f"/admin/papers/sum?{query}"))

    assert "= 100" in said()
    assert "= 95 · it must make 100" in said(a_count="15")
    assert "= 80 · it must make 100" in said(a_count="nonsense")
    assert "= 0 · it must make 100" in plain(desk.fragment("/admin/papers/sum"))


def test_a_draft_can_be_changed_whole(hall, desk):
    made = add(desk)
    changed = FORM | {"a_count": "25", "f_count": "10", "title": "Other"}
    assert desk.post(f"/admin/papers/{made.id}", **changed).status_code == 303
    db.session.rollback()
    parts = select(Part.letter, Part.question_count).where(Part.paper_id == made.id)
    counts = dict(map(tuple, db.session.execute(parts)))
    assert (counts["A"], counts["F"]) == (25, 10)
    assert [row[0] for row in hall.audit(made.id)] == ["create_paper", "edit_paper"]


def test_with_published_sets_the_rules_change_and_the_parts_stay(hall, desk):
    before = paper(id=hall.paper_id)
    page = desk.text(f"/admin/papers/{hall.paper_id}")
    assert "they stay as they are" in page
    assert "Set A, version 1" in page
    changed = FORM | {"title": "Renamed", "duration_minutes": "200", "a_count": "30"}
    assert desk.post(f"/admin/papers/{hall.paper_id}", **changed).status_code == 303
    now = paper(id=hall.paper_id)
    assert (now.title, now.duration_seconds, now.written_marks) == ("Renamed", 12000, before.written_marks)
    count = select(Part.question_count).where(Part.paper_id == hall.paper_id, Part.letter == "A")
    assert db.session.execute(count).scalar_one() == 3
    details = db.session.execute(
        select(AuditEvent.details).where(AuditEvent.object_id == hall.paper_id, AuditEvent.action == "edit_paper")
    ).scalar_one()
    assert details["before"]["duration_minutes"] == 180


def test_the_service_itself_refuses_other_parts_for_published_sets(hall):
    """A set may be published between the page and its form."""
    values = paper_reports.paper(hall.paper_id, organisation_id=hall.organisation_id).values
    other = Structure((PartValues("A", "single", 60, Decimal(1)),), 30, 10)
    with pytest.raises(NotNow):
        paper_editor.edit(
            hall.paper_id, values, other, organisation_id=hall.organisation_id, by=hall.admin, now=hall.MORNING
        )
    kept = paper_reports.paper(hall.paper_id, organisation_id=hall.organisation_id).structure
    assert len(kept.parts) == 6


def test_a_new_duration_leaves_who_writes_alone(hall, desk):
    player = hall.player(0)
    player.start()
    deadline = player.attempt.deadline_at
    desk.post(f"/admin/papers/{hall.paper_id}", **FORM | {"duration_minutes": "10"})
    assert player.attempt.deadline_at == deadline


def test_one_paper_of_a_trade_and_type_is_in_use(hall, desk):
    made = add(desk)
    answer = desk.post(f"/admin/papers/{made.id}/use", go="yes")
    assert answer.status_code == 409
    assert "is in use for this trade and type. Archive it first." in plain(answer)
    assert "2 slots" not in desk.text(f"/admin/papers/{hall.secondary_id}/archive")
    desk.post(f"/admin/papers/{hall.secondary_id}/archive", go="yes", reason="a better one")
    desk.post(f"/admin/papers/{made.id}/use", go="yes")
    assert (paper(id=made.id).status, paper(id=hall.secondary_id).status) == ("in_use", "archived")
    assert hall.audit(made.id)[-1] == ("use_paper", "draft", "in_use")


def test_a_paper_that_people_hold_slots_for_is_not_archived(hall, desk):
    address = f"/admin/papers/{hall.paper_id}/archive"
    assert "6 slots for this paper" in desk.text(address)
    assert desk.post(address, go="yes", reason="old").status_code == 422
    slots.reset(hall.candidate_ids, reason="all", by=hall.admin, now=hall.MORNING)
    desk.post(address, go="yes", reason="old")
    assert paper(id=hall.paper_id).status == "archived"


def test_a_copy_has_the_same_parts_and_they_can_be_changed(hall, desk):
    desk.post(f"/admin/papers/{hall.paper_id}/copy", go="yes")
    made = paper(title="TTC · Primary paper (copy)")
    assert (made.status, made.trade_id) == ("draft", hall.trade_id)
    assert "Minus for a wrong one" in desk.text(f"/admin/papers/{made.id}")
    assert desk.post(f"/admin/papers/{made.id}", **FORM).status_code == 303


def test_a_paper_goes_with_its_sets_while_nobody_sat_it(hall, desk):
    address = f"/admin/papers/{hall.secondary_id}/delete"
    assert "2 question sets" in desk.text(address)
    assert desk.post(address, go="yes", reason="wrong").status_code == 422
    desk.post(address, go="yes", reason="wrong", word="DELETE")
    assert paper(id=hall.secondary_id) is None
    hall.player(0).start()
    assert "1 test that was sat" in desk.text(f"/admin/papers/{hall.paper_id}/delete")
    assert desk.post(f"/admin/papers/{hall.paper_id}/delete", go="yes", reason="x", word="DELETE").status_code == 422


@pytest.mark.parametrize("act", ["", "/use", "/copy", "/archive", "/delete"])
def test_a_paper_that_is_not_there_is_not_there(hall, desk, act):
    other = uuid4()
    assert desk.get(f"/admin/papers/{other}{act}").status_code == 404
    assert desk.post(f"/admin/papers/{other}{act}", go="yes", reason="x", **FORM).status_code == 404


def test_the_list_is_filtered_and_exported(hall, desk):
    assert "2 papers match" in desk.text("/admin/papers")
    assert "1 paper matches" in desk.text("/admin/papers?paper=primary&status=in_use")
    assert "1 paper matches" in desk.text(f"/admin/papers?trade={hall.trade_id}")
    assert "No paper matches" in desk.text("/admin/papers?q=nowhere&sort=-status")
    assert len(desk.get("/admin/papers.csv").get_data(as_text=True).splitlines()) == 3


@pytest.mark.parametrize("login", ["centre", "invigilator", "auditor", "marks"])
def test_nobody_but_an_admin_writes_papers(app, hall, login):
    other = Desk(app, login)
    assert other.get("/admin/papers").status_code == (200 if login == "auditor" else 403)
    assert other.post(f"/admin/papers/{hall.paper_id}", **FORM).status_code == 403
    assert paper(id=hall.paper_id).title != FORM["title"]
