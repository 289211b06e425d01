"""What the exam page asks for while it is open: saves, swaps and the clock, with their refusals and their sizes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from kiosk import clock
from kiosk.extensions import db
from kiosk.models import Answer
from kiosk.services import catalogue, pauses
from tests.candidate.seat import Seat
from tests.cast import Hall

# what is sent for each type, and what is stored
ANSWERS: dict[str, tuple[dict[str, Any], Any]] = {
    "single": ({"choice": "B"}, "B"),
    "multiple": ({"choice": ["A", "C"]}, ["A", "C"]),
    "short": ({"text": "Two words"}, "Two words"),
    "fill": ({"text": "ohm"}, "ohm"),
    "numeric": ({"text": "12,5"}, 12.5),
    "long": ({"text": "A\r\nlong one"}, "A\nlong one"),
    "true_false": ({"choice": "false"}, False),
}


@pytest.fixture
def seat(hall: Hall) -> Seat:
    """A candidate at the first question."""
    return Seat(hall).sit()


def number_of(hall: Hall, kind: str) -> int:
    """The number of the first question of a type; the order within a part is drawn."""
    asked = [row[:2] for row in hall.player().paper()]
    found = (number for number, id_ in asked if getattr(catalogue.question(id_), "question_type", "") == kind)
    return next(found)


def question_id(hall: Hall, number: int) -> str:
    """The id of a question of the first candidate's paper."""
    attempt = hall.player().attempt
    found = select(Answer.question_id).where(Answer.attempt_id == attempt.id, Answer.number == number)
    return str(db.session.execute(found).scalar_one())


def save(seat: Seat, number: int, *, seq: int = 1, **fields: Any) -> Any:
    """Send one answer as outbox.js does."""
    return seat.post("/candidate/exam/save", htmx=True, question=question_id(seat.hall, number), seq=seq, **fields)


def go(seat: Seat, number: int, *, htmx: bool = True, **fields: Any) -> Any:
    """Leave a question as the page's form does."""
    form = {"question": question_id(seat.hall, number), "number": number, "total": 10, "seq": 0, "changed": ""}
    return seat.post("/candidate/exam/go", htmx=htmx, **(form | fields))


def responses(hall: Hall) -> dict[int, Any]:
    """What the server has, by number."""
    db.session.rollback()
    return {row[0]: row[3] for row in hall.player().paper() if row[3] is not None}


@pytest.mark.parametrize("kind", ANSWERS)
def test_each_type_of_question_is_saved_and_shown_again(seat: Seat, kind: str) -> None:
    number, (sent, stored) = number_of(seat.hall, kind), ANSWERS[kind]
    answer = save(seat, number, **sent)
    assert answer.status_code == 200
    assert 'data-saved="1"' in answer.text
    assert f'id="cell-{number}"' in answer.text
    assert "pal--done" in answer.text
    assert responses(seat.hall) == {number: stored}
    seat.at(clock.now() + timedelta(seconds=1))
    swap = go(seat, 1 if number != 1 else 2, goto=number).text
    for shown in (swap, seat.get("/candidate/exam").text):
        form = shown[shown.index('<form id="answer"') : shown.index("</form>", shown.index('<form id="answer"'))]
        assert form.count(" checked") == (len(stored) if isinstance(stored, list) else 1 if "choice" in sent else 0)
        if "text" in sent:
            assert str(stored) in form.replace("&#34;", '"')


def test_a_save_tells_time_and_moment_on_the_centres_clock(seat: Seat) -> None:
    text = save(seat, 1, choice="A").text
    assert "Saved 10:00:00" in text
    assert 'data-ms="10800000"' in text


def test_an_older_number_is_told_the_newer_one_that_is_stored(seat: Seat) -> None:
    save(seat, 1, seq=5, choice="C")
    answer = save(seat, 1, seq=3, choice="A")
    assert 'data-saved="0" data-seq="5"' in answer.text
    assert responses(seat.hall) == {1: "C"}


def test_the_same_number_with_another_answer_is_refused_without_leaving_the_page(seat: Seat) -> None:
    save(seat, 1, seq=5, choice="C")
    answer = save(seat, 1, seq=5, choice="A")
    assert answer.status_code == 409
    assert "HX-Redirect" not in answer.headers


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("numeric", {"text": "twelve"}), ("single", {"choice": "Z"}), ("true_false", {"choice": "maybe"})],
)
def test_what_cannot_be_stored_is_said_by_the_field(seat: Seat, kind: str, fields: dict[str, str]) -> None:
    answer = save(seat, number_of(seat.hall, kind), **fields)
    assert answer.status_code == 422
    assert 'id="problem" role="alert"' in answer.text
    assert responses(seat.hall) == {}


@pytest.mark.parametrize("path", ["/candidate/exam/save", "/candidate/exam/go"])
@pytest.mark.parametrize(
    "wrong", [{}, {"question": "x", "seq": "-1"}, {"question": "0" * 32, "goto": "99", "number": "x"}]
)
def test_a_crafted_form_is_refused_and_changes_nothing(seat: Seat, path: str, wrong: dict[str, str]) -> None:
    answer = seat.post(path, htmx=True, **wrong)
    assert answer.status_code in (200, 404, 422)
    assert responses(seat.hall) == {}


def test_saves_and_polls_after_the_end_lead_to_the_page_that_says_so(seat: Seat) -> None:
    seat.at(seat.hall.after(hours=3, seconds=3))
    for answer in (save(seat, 1, choice="A"), go(seat, 1, goto=2), seat.fragment("/candidate/exam/clock")):
        assert answer.headers["HX-Redirect"] == "/candidate/"
    assert save(seat, 1, choice="A").status_code == 410
    assert responses(seat.hall) == {}


def test_within_the_grace_an_answer_counts_but_no_further_question_is_shown(seat: Seat) -> None:
    seat.at(seat.hall.MORNING + timedelta(hours=3, seconds=1))
    assert save(seat, 1, choice="A").status_code == 200
    assert go(seat, 1, goto=2).headers["HX-Redirect"] == "/candidate/"
    assert 'data-ms="0"' in seat.fragment("/candidate/exam/clock").text
    assert seat.get("/candidate/exam").location == "/candidate/"


def test_a_paused_exam_takes_no_answer_and_sends_the_page_to_say_why(seat: Seat) -> None:
    hall = seat.hall
    pauses.pause([hall.player().attempt.id], kind="room", reason="drill", by=hall.centre_admin, now=hall.MORNING)
    answer = save(seat, 1, choice="A")
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (409, "/candidate/")


@pytest.mark.parametrize(
    ("go_word", "state", "next_number"), [("next", "blank", 2), ("mark", "mark", 2), ("prev", "blank", 1)]
)
def test_moving_marks_and_unmarks(seat: Seat, go_word: str, state: str, next_number: int) -> None:
    page = go(seat, 1, go=go_word).text
    assert f'data-number="{next_number}"' in page
    assert f'data-state="{state}"' in page


def test_save_and_next_takes_the_mark_away_and_previous_leaves_it(seat: Seat) -> None:
    go(seat, 1, go="mark")
    go(seat, 2, go="prev")
    assert 'id="cell-1"' in go(seat, 1, goto=3).text
    assert "marked for review" in go(seat, 3, goto=1).text
    assert "marked for review" not in go(seat, 1, go="next").text


def test_what_was_not_yet_saved_is_saved_on_the_way(seat: Seat) -> None:
    page = go(seat, 5, go="next", seq=1, changed="1", text="on the way").text
    assert 'data-left-saved="1"' in page
    assert responses(seat.hall) == {5: "on the way"}


def test_a_plain_form_saves_whatever_number_its_page_had(seat: Seat) -> None:
    save(seat, 1, seq=9, choice="C")
    answer = go(seat, 1, htmx=False, go="next", seq=0, changed="1", choice="A")
    assert (answer.status_code, answer.location) == (303, "/candidate/exam")
    assert responses(seat.hall) == {1: "A"}


def test_a_plain_form_clears_marks_and_finishes(seat: Seat) -> None:
    go(seat, 1, htmx=False, go="next", changed="1", choice="A")
    go(seat, 1, htmx=False, go="clear", changed="1", choice="A")
    assert responses(seat.hall) == {}
    assert go(seat, 1, htmx=False, go="finish", changed="1", choice="D").location == "/candidate/exam/summary"
    assert responses(seat.hall) == {1: "D"}


def test_a_number_that_is_none_stays_on_the_plain_page_with_what_was_typed(seat: Seat) -> None:
    number = number_of(seat.hall, "numeric")
    seat.at(seat.hall.after(seconds=1))
    go(seat, 1, htmx=False, goto=number)
    answer = go(seat, number, htmx=False, go="next", changed="1", text="twelve")
    assert answer.status_code == 422
    assert 'value="twelve"' in answer.text
    assert "Enter a number" in answer.text


def test_after_the_last_question_comes_the_summary(seat: Seat) -> None:
    seat.at(seat.hall.after(seconds=1))
    assert go(seat, 10, go="next", goto="").headers["HX-Redirect"] == "/candidate/exam/summary"
    assert 'data-number="10"' in seat.get("/candidate/exam").text


def test_a_full_page_asked_for_at_a_fragments_address_is_a_page(seat: Seat) -> None:
    for address in ("/candidate/exam/clock", "/candidate/waiting?shown=x"):
        assert seat.get(address, follow_redirects=True).text.lstrip().startswith("<!doctype html>")


@pytest.mark.parametrize("language", ["en", "hi"])
def test_fragments_stay_small(seat: Seat, language: str) -> None:
    seat.client.set_cookie("ui_language", language)
    long_text = {"text": "a word " * 100, "changed": "1", "seq": 1}
    sizes = {
        "save": (len(save(seat, 1, choice="A").data), 1024),
        "clock": (len(seat.fragment("/candidate/exam/clock").data), 400),
        "swap": (max(len(go(seat, 8, goto=number, **long_text).data) for number in (1, 4, 5, 9)), 6 * 1024),
    }
    print(language, sizes)
    assert all(size <= most for size, most in sizes.values()), sizes
