"""Two windows of one browser: one of them writes, and the other one says so."""

from __future__ import annotations

from sqlalchemy import update

from kiosk.extensions import db, transaction
from kiosk.models import Candidate, Centre
from kiosk.services import leases
from tests.candidate.seat import Seat
from tests.cast import Hall


def question_of(hall: Hall) -> str:
    """The first question's id."""
    return str(hall.player().paper()[0][1])


def test_a_second_tab_writes_and_the_first_one_is_sent_to_a_page_that_says_so(hall: Hall) -> None:
    seat = Seat(hall).sit()
    taken = seat.post("/candidate/take", page="0")
    assert taken.location == "/candidate/"
    assert 'name="page" value="1"' in seat.get("/candidate/exam").text
    question = question_of(hall)
    answer = {"question": question, "choice": "A", "seq": "1"}
    assert seat.fragment("/candidate/exam/clock?page=1").status_code == 200
    assert seat.post("/candidate/exam/save", htmx=True, page="1", **answer).status_code == 200
    for asked in (
        seat.post("/candidate/exam/save", htmx=True, page="0", **(answer | {"seq": "2"})),
        seat.fragment("/candidate/exam/clock?page=0"),
    ):
        assert asked.headers["HX-Redirect"] == "/candidate/?page=0"
    assert "Your test is open in another place" in seat.read("/candidate/?page=0")
    assert seat.post("/candidate/submit", confirm="1", page="0").location == "/candidate/?page=0"
    assert hall.player().attempt.status == "in_progress"
    assert seat.post("/candidate/submit", confirm="1", page="1").location == "/candidate/done"


def test_a_page_number_that_is_none_counts_as_the_first_page(hall: Hall) -> None:
    seat = Seat(hall).sit()
    for page in ("", "-1", "x", "99999", "²"):
        assert seat.fragment(f"/candidate/exam/clock?page={page}").status_code == 200


def test_where_the_centre_wants_to_be_asked_the_second_kiosk_waits_for_the_staff(hall: Hall) -> None:
    with transaction():
        db.session.execute(update(Centre).values(takeover="approval"))
    here, there = Seat(hall).sit(), Seat(hall)
    assert "in this centre the invigilator must agree first" in there.home()
    there.post("/candidate/take")
    assert "The invigilator has been asked" in there.read("/candidate/?asked=1")
    assert here.fragment("/candidate/exam/clock").status_code == 200
    leases.approve(hall.player().attempt.id, by=hall.centre_admin, now=hall.MORNING)
    assert "Is this you?" in there.home()
    there.is_me()
    assert there.get("/candidate/exam").status_code == 200
    assert here.fragment("/candidate/exam/clock").headers["HX-Redirect"].startswith("/candidate/")


def test_a_sign_in_that_staff_ended_leads_back_to_the_sign_in(hall: Hall) -> None:
    seat = Seat(hall).sit()
    with transaction():
        db.session.execute(update(Candidate).values(session_epoch=7))
    question = question_of(hall)
    saved = seat.post("/candidate/exam/save", htmx=True, question=question, choice="A", seq="1")
    assert saved.headers["HX-Redirect"] == "/login"
    assert hall.player().paper()[0][3] is None


def test_each_page_notices_that_the_sign_in_was_ended(hall: Hall) -> None:
    for path in ("/candidate/", "/candidate/exam", "/candidate/exam/summary"):
        seat = Seat(hall).sit()
        with transaction():
            db.session.execute(update(Candidate).values(session_epoch=Candidate.session_epoch + 1))
        assert seat.get(path).location == "/login"
