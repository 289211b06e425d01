"""What a centre prints, on the screen and as PDF: who is on it, what the letters are, and who may not see it."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pypdf
import pytest
from PIL import Image
from sqlalchemy import update

from kiosk.extensions import db, transaction
from kiosk.ids import uuid7
from kiosk.models import Candidate, CandidatePhoto, Incident, Shift
from kiosk.services import grants, printing, rooms
from kiosk.services.printing import document, pictures, sheets, tables
from tests.cast import Hall
from tests.counting import counting
from tests.desk import Desk, PageCheck, plain

HINDI = "श्रीकृष्ण द्विवेदी"


def told(pdf: bytes) -> str:
    """What can be read in a PDF."""
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def printed(desk: Desk, kind: str, **query: Any) -> str:
    answer = desk.get("/centre/print/pdf", query_string={"sheet": kind} | query)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    return told(answer.data)


def give(candidate_id: Any, **values: Any) -> None:
    with transaction():
        db.session.execute(update(Candidate).where(Candidate.id == candidate_id).values(**values))


def photo() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (352, 432), "teal").save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize("kind", ["roll", "seats", "attendance", "cards"])
def test_everybody_of_the_shift_is_on_the_sheet_and_on_the_screen(hall: Hall, desk: Desk, kind: str) -> None:
    page = desk.get(f"/centre/print?sheet={kind}")
    assert PageCheck(page.get_data(as_text=True)).found() == []
    pdf = printed(desk, kind)
    for number in range(1, Hall.CANDIDATES + 1):
        for text in (pdf, plain(page)):
            assert f"Candidate N00{number}" in text
            assert f"N00{number}" in text
    assert "Centre C01 (C01)" in pdf
    assert "Saturday, 21 November 2026, 10:00" in pdf
    assert "Printed 21 Nov 2026, 10:00 (Asia/Kolkata)" in pdf
    assert "Page 1 of 1" in pdf


def test_who_is_archived_elsewhere_or_of_another_trade_is_left_out(hall: Hall, desk: Desk) -> None:
    give(hall.candidate_ids[0], archived_at=hall.MORNING)
    give(hall.candidate_ids[1], centre_id=hall.other_centre_id)
    give(hall.candidate_ids[2], shift_id=None)
    roll = printed(desk, "roll")
    assert [number for number in range(1, 7) if f"Candidate N00{number}" in roll] == [4, 5, 6]
    assert "No candidates." in printed(desk, "roll", trade="OCC")
    assert "Candidate N004" in printed(desk, "roll", trade="TTC")


def test_another_centres_shift_is_not_found(app, hall: Hall, desk: Desk) -> None:
    foreign = hall.shift_id
    other = Desk(app, "centre2")
    for place in ("/centre/print", "/centre/print/pdf"):
        assert other.get(f"{place}?shift={foreign}").status_code == 404
        assert other.get(f"{place}?centre=C01").status_code == 404
        assert desk.get(f"{place}?shift={uuid7()}").status_code == 404
        assert desk.get(f"{place}?shift=tomorrow").status_code == 404
    assert "This centre has no shift yet." in other.text("/centre/print")
    assert other.get("/centre/print/pdf").status_code == 404
    assert Desk(app, "marks").get("/centre/print").status_code == 403


def glyphs(pdf: bytes, font: str) -> int:
    """How many glyphs of a font the first page draws."""
    page = pypdf.PdfReader(io.BytesIO(pdf)).pages[0]
    names = {name for name, one in page["/Resources"]["/Font"].items() if font in one["/BaseFont"]}
    count, is_it = 0, False
    for operands, operator in page.get_contents().operations:
        if operator == b"Tf":
            is_it = operands[0] in names
        elif operator in (b"Tj", b"TJ") and is_it:
            texts = operands[0] if operator == b"TJ" else operands
            # two bytes each
            count += sum(len(text.original_bytes) for text in texts if hasattr(text, "original_bytes")) // 2
    return count


def test_hindi_names_are_shaped_and_not_spelled(hall: Hall, desk: Desk) -> None:
    give(hall.candidate_ids[0], name=HINDI)
    pdf = desk.get("/centre/print/pdf?sheet=roll").data
    letters = "".join(char for char in told(pdf) if "\u0900" <= char <= "\u097f")
    assert letters == HINDI.replace(" ", "")
    # conjuncts are one glyph each: whoever spells letter by letter draws one for every character
    assert 0 < glyphs(pdf, "Devanagari") < len(letters)


def test_the_page_speaks_the_language_of_its_reader(hall: Hall, desk: Desk) -> None:
    desk.client.set_cookie("ui_language", "hi")
    english = printed(Desk(desk.client.application, "centre"), "roll")
    assert "Nominal roll" in english
    hindi = printed(desk, "roll")
    assert "Nominal roll" not in hindi
    assert "नामावली" in hindi


def test_a_qr_code_holds_the_service_number_and_nothing_else(hall: Hall) -> None:
    count, runs = pictures.code_runs("N001")
    assert count == 21  # the smallest there is: no room for more than a number
    assert sum(length for _, _, length in runs) > 100
    assert pictures.code_address("N001").startswith("data:image/svg+xml")


def test_photos_come_along_and_a_broken_one_is_a_silhouette(hall: Hall, desk: Desk) -> None:
    with transaction():
        for place, image in ((0, photo()), (1, b"no picture")):
            db.session.add(
                CandidatePhoto(
                    candidate_id=hall.candidate_ids[place], mime="image/jpeg", image=image, taken_at=hall.MORNING
                )
            )
    for kind in ("attendance", "cards"):
        answer = desk.get(f"/centre/print/pdf?sheet={kind}")
        assert len(pypdf.PdfReader(io.BytesIO(answer.data)).pages[0].images) == 1
        page = desk.get(f"/centre/print?sheet={kind}").get_data(as_text=True)
        assert page.count("data:image/jpeg;base64,") == 1


def test_the_map_shows_empty_seats_and_leaves_nobodys_seat_empty_for_another_trade(hall: Hall, desk: Desk) -> None:
    give(hall.candidate_ids[0], seat="2")
    give(hall.candidate_ids[1], seat="A12")
    page = desk.get("/centre/print?sheet=seats").get_data(as_text=True)
    assert (page.count('<li class="seat">'), page.count('<li class="seat seat--empty">')) == (2, 59)
    assert page.index(">A12</span>") > page.index(">60</span>")
    assert "Without a seat" in page
    others = desk.get("/centre/print?sheet=seats&trade=OCC").get_data(as_text=True)
    assert "Candidate N001" not in others
    assert others.count('<span class="seat__of">TTC</span>') == 2


def test_the_register_tells_incidents_grants_and_pauses_in_order(hall: Hall, desk: Desk) -> None:
    first, second = hall.player(0), hall.player(1)
    attempt_id = first.start().attempt_id
    second.start()
    give(first.id, seat="3")
    give(second.id, seat="4")
    grants.extend(
        attempt_id, 300, reason="broken keyboard", is_short=True, by=hall.centre_admin, now=hall.after(minutes=5)
    )
    rooms.pause(hall.candidate_ids, reason="alarm", by=hall.centre_admin, now=hall.after(minutes=9))
    rooms.resume(hall.candidate_ids, by=hall.centre_admin, now=hall.after(minutes=21))
    with transaction():
        for shift_id, at, words in (
            (hall.shift_id, hall.after(minutes=2), "ill for a while"),
            (None, hall.after(minutes=1), "no light in the hall"),
            (None, hall.after(days=2), "another day"),
        ):
            db.session.add(
                Incident(
                    organisation_id=hall.organisation_id,
                    centre_id=hall.centre_id,
                    shift_id=shift_id,
                    candidate_id=first.id if shift_id else None,
                    kind="illness" if shift_id else "power",
                    words=words,
                    seconds_lost=120,
                    happened_at=at,
                    written_at=at,
                    written_by="Invigilator",
                )
            )
    page = desk.get("/centre/print?sheet=register")
    assert PageCheck(page.get_data(as_text=True)).found() == []
    for text in (printed(desk, "register"), plain(page)):
        told_of = ["no light in the hall", "ill for a while", "broken keyboard", "alarm"]
        assert sorted(told_of, key=text.index) == told_of
        assert "another day" not in text
        assert "+5 min" in text
        assert "stopped for 12 min" in text
        assert "2 candidates" in text
        assert "Seats 3–4" in text
        assert "N001 · Seat 3" in text


def test_a_sheet_costs_the_same_statements_for_any_number_of_candidates(hall: Hall) -> None:
    for kind, budget in (("roll", 2), ("seats", 2), ("attendance", 3), ("cards", 3), ("register", 5)):
        counts = []
        for _ in range(2):
            with counting() as counted:
                sheets.sheet(hall.centre_id, hall.shift_id, kind, now=hall.MORNING)
            counts.append(counted.statements)
            with transaction():
                hall.add_candidate(f"{kind}{len(counts)}")
        assert counts == [budget, budget], kind


def test_long_lists_go_over_several_pages_with_their_heads_on_each(app, hall: Hall) -> None:
    with transaction():
        for number in range(100, 160):
            hall.add_candidate(f"N{number}")
        db.session.execute(update(Candidate).values(name="An uncommonly long name " * 4))
    for kind in sheets.KINDS:
        sheet = sheets.sheet(hall.centre_id, hall.shift_id, kind, now=hall.MORNING)
        with app.test_request_context():
            reader = pypdf.PdfReader(io.BytesIO(printing.pdf(sheet)))
        pages = [page.extract_text() for page in reader.pages]
        for number, page in enumerate(pages, start=1):
            assert f"Page {number} of {len(pages)}" in page
            assert "Centre C01 (C01)" in page
        if kind == "roll":
            assert len(pages) > 2
            assert all("Service number" in page for page in pages)


def test_an_older_shift_can_still_be_printed(hall: Hall, desk: Desk) -> None:
    with transaction():
        db.session.add_all(
            Shift(centre_id=hall.centre_id, starts_at=hall.MORNING + timedelta(days=day), status="planned")
            for day in range(1, 40)
        )
    assert "Candidate N001" in desk.text(f"/centre/print?shift={hall.shift_id}")


@pytest.mark.parametrize(
    ("seats", "words"),
    [
        (["10", "2", "1", "3"], "1–3, 10"),
        (["A2", "A1", "7"], "7, A1, A2"),
        (["007", "008"], "007, 008"),
        ([], ""),
    ],
)
def test_many_seats_are_told_as_people_write_them(seats: list[str], words: str) -> None:
    assert tables.ranges(seats) == words


def test_a_word_is_broken_between_letters_and_not_inside_one() -> None:
    assert "".join(document.clusters(HINDI)) == HINDI
    assert document.clusters("श्री") == ("श्री",)
    assert document.clusters("Ann") == ("A", "n", "n")
