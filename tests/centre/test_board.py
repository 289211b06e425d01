"""The room board as staff use it: seats, one seat's panel, time, re-login, and what is kept from others."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from kiosk.extensions import db, transaction
from kiosk.models import Candidate, Centre
from tests.cast import Hall
from tests.counting import counting
from tests.desk import Desk, PageCheck


@pytest.fixture
def desk(app, hall) -> Desk:  # type: ignore[no-untyped-def]
    hall.player().start()
    return Desk(app, "centre")


def seat_path(hall: Hall, place: int = 0, what: str = "") -> str:
    return f"/centre/board/seats/{hall.candidate_ids[place]}{what}"


def test_the_room_shows_every_seat_and_its_numbers(hall: Hall, desk: Desk) -> None:
    page = desk.get("/centre/board").get_data(as_text=True)
    assert PageCheck(page).found() == []
    assert page.count('class="seat seat--ready"') == 5
    assert page.count('class="seat seat--writing"') == 1
    live = desk.fragment("/centre/board").get_data(as_text=True)
    assert live.lstrip().startswith('<div class="board__live" id="board-live"')
    assert "<html" not in live
    listed = desk.text("/centre/board?view=list")
    assert "N001" in listed
    assert len([line for line in desk.get("/centre/board?show=writing").text.split('class="seat ') if line]) == 2


@pytest.mark.parametrize("seats", [2, 30])
@pytest.mark.parametrize(("takeover", "most"), [("free", 5), ("approval", 6)])
def test_a_room_costs_at_most_six_statements_with_the_sign_in(
    hall: Hall, desk: Desk, seats: int, takeover: str, most: int
) -> None:
    with transaction():
        db.session.execute(update(Centre).values(takeover=takeover))
        db.session.execute(update(Candidate).where(Candidate.id.in_(hall.candidate_ids[2:])).values(shift_id=None))
    for number in range(seats - 2):
        hall.add_candidate(f"M{number:03}")
    db.session.commit()
    for get in (desk.fragment, desk.get):
        with counting() as counted:
            page = get("/centre/board").get_data(as_text=True)
        assert page.count('class="seat seat--') - page.count("seat--empty") == seats
        assert counted.statements == most, counted.texts
        assert counted.round_trips <= 1


def test_a_seat_opens_beside_the_room_and_comes_along_with_each_poll(hall: Hall, desk: Desk) -> None:
    panel = desk.fragment(seat_path(hall)).get_data(as_text=True)
    assert 'id="seat-panel"' in panel
    assert "Add time…" in panel
    assert "Reset slot…" in panel
    polled = desk.fragment(f"/centre/board?seat={hall.candidate_ids[0]}").get_data(as_text=True)
    assert 'hx-swap-oob="innerMorph:#seat-place"' in polled
    assert desk.get(seat_path(hall)).location.endswith(f"seat={hall.candidate_ids[0]}")


def test_added_time_reaches_the_candidate(hall: Hall, desk: Desk) -> None:
    before = hall.player().attempt.deadline_at
    done = desk.post(seat_path(hall, what="/time"), minutes="7", reason="power cut")
    assert done.status_code == 303
    db.session.rollback()  # on SQLite a reader sees what was there when it began
    assert (hall.player().attempt.deadline_at - before).total_seconds() == 420
    assert "got 7 minutes more" in desk.text(done.location)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"minutes": "0", "reason": "x"}, "Give whole minutes"),
        ({"minutes": "241", "reason": "x"}, "Give whole minutes"),
        ({"minutes": "1.5", "reason": "x"}, "Give whole minutes"),
        ({"minutes": "5", "reason": " "}, "Give a reason"),
    ],
)
def test_time_without_sense_or_reason_is_not_added(hall: Hall, desk: Desk, form: dict[str, str], words: str) -> None:
    before = hall.player().attempt.deadline_at
    refused = desk.post(seat_path(hall, what="/time"), htmx=True, **form)
    assert refused.status_code == 422
    assert words in refused.get_data(as_text=True)
    assert hall.player().attempt.deadline_at == before


def test_an_invigilator_adds_ten_minutes_in_all(app, hall: Hall, desk: Desk) -> None:  # type: ignore[no-untyped-def]
    invigilator = Desk(app, "invigilator")
    assert invigilator.post(seat_path(hall, what="/time"), minutes="10", reason="x").status_code == 303
    refused = invigilator.post(seat_path(hall, what="/time"), htmx=True, minutes="1", reason="x")
    assert refused.status_code == 403
    assert "Ask the centre admin" in refused.get_data(as_text=True)
    assert "Reset slot…" not in invigilator.text(f"/centre/board?seat={hall.candidate_ids[0]}")


def test_a_second_kiosk_is_let_in_from_the_room(hall: Hall, desk: Desk) -> None:
    with transaction():
        db.session.execute(update(Centre).values(takeover="approval"))
    other = hall.player()
    with pytest.raises(Exception, match="agree"):
        other.resume()
    assert "Asks to go on at another place" in desk.text("/centre/board")
    assert desk.post(seat_path(hall, what="/approve")).status_code == 303
    assert "Asks to go on at another place" not in desk.text("/centre/board")
    other.resume()
    assert hall.player().attempt.lease == other.lease


def test_nothing_is_approved_or_added_for_somebody_who_has_not_begun(hall: Hall, desk: Desk) -> None:
    assert desk.post(seat_path(hall, 1, "/approve")).status_code == 404
    assert desk.post(seat_path(hall, 1, "/time"), minutes="5", reason="x").status_code == 404


def test_another_centres_seat_is_not_there(app, hall: Hall, desk: Desk) -> None:  # type: ignore[no-untyped-def]
    stranger = Desk(app, "centre2")
    for path in (seat_path(hall), seat_path(hall, what="/time")):
        assert stranger.get(path).status_code == 404
    assert stranger.post(seat_path(hall, what="/approve")).status_code == 404
    assert "N001" not in stranger.text("/centre/board")


def test_an_action_from_the_room_leads_back_to_it(hall: Hall, desk: Desk) -> None:
    address = f"/centre/slots/pause?id={hall.candidate_ids[0]}&back=board"
    preview = desk.get(address).get_data(as_text=True)
    assert 'name="back" value="board"' in preview
    done = desk.post("/centre/slots/pause", id=str(hall.candidate_ids[0]), back="board", reason="ill", seen="")
    assert done.location.startswith("/centre/board")
    assert hall.player().attempt.status == "paused"
