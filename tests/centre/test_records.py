"""Candidates as records: added, changed, given a password and a photo, put away; and what another centre cannot do."""

from __future__ import annotations

import io
import re
import zlib
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy import func, select, update

from kiosk.extensions import db, transaction
from kiosk.ids import uuid7
from kiosk.models import Candidate, CandidatePhoto, Shift, ShiftTrade, Slot, Trade
from kiosk.office_errors import WrongField
from kiosk.services import accounts, outlines, photos, reports, seats, slots
from tests.cast import PASSWORD
from tests.desk import Desk, plain


def candidate(**where):
    db.session.rollback()
    return db.session.execute(select(Candidate).filter_by(**where)).scalar_one_or_none()


def form_of(hall, **changed):
    form = {"service_no": "IC-77", "name": "Arun Nair", "rank": "Havildar", "trade": str(hall.trade_id)}
    return form | {"shift": str(hall.shift_id), "language": "hi", "extra": "10"} | changed


def shown_password(answer):
    return re.search(r'<output class="code">([a-z2-9]{12})</output>', answer.get_data(as_text=True))[1]


def picture(size=(800, 1000), kind="JPEG", **more):
    out = io.BytesIO()
    Image.new("RGB", size, "navy").save(out, kind, **more)
    return out.getvalue()


def test_a_new_candidate_signs_in_with_the_password_that_is_shown_once(hall, desk):
    password = shown_password(desk.post("/centre/candidates/new", **form_of(hall)))
    made = candidate(service_no="IC-77")
    assert (made.centre_id, made.trade_id, made.shift_id) == (hall.centre_id, hall.trade_id, hall.shift_id)
    assert (made.name, made.rank, made.language, made.extra_minutes_per_hour) == ("Arun Nair", "Havildar", "hi", 10)
    assert accounts.sign_in("ic-77", password, now=hall.MORNING).id == made.id
    assert hall.audit(made.id)[0] == ("create_candidate", None, "active")


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("service_no", "", "Fill this in."),
        ("service_no", "n 001", "Somebody has this service number already."),
        ("service_no", "admin", "Somebody has this service number already."),
        ("service_no", "a/b", "Enter a service number"),
        ("name", " ", "Fill this in."),
        ("trade", "", "Choose one of the list."),
        ("shift", "nonsense", "Choose one of the list."),
        ("language", "fr", "Choose one of the list."),
        ("extra", "61", "Enter a whole number from 0 to 60."),
        ("extra", "-1", "Enter a whole number from 0 to 60."),
    ],
)
def test_a_wrong_form_adds_nobody(hall, desk, field, value, problem):
    answer = desk.post("/centre/candidates/new", **form_of(hall, **{field: value}))
    assert answer.status_code == 422
    assert problem in plain(answer)
    assert candidate(service_no="IC-77") is None


def test_a_centre_admin_gives_nobody_to_another_centre(hall, desk):
    other = str(hall.other_centre_id)
    assert desk.post("/centre/candidates/new", **form_of(hall, centre=other)).status_code == 403
    who = hall.candidate_ids[0]
    assert desk.post(f"/centre/candidates/{who}/edit", **form_of(hall, centre=other)).status_code == 403
    assert (candidate(service_no="IC-77"), candidate(id=who).centre_id) == (None, hall.centre_id)


def test_a_candidate_is_edited_and_a_new_shift_takes_check_in_and_seat_away(app, hall, desk):
    who = hall.candidate_ids[0]
    with transaction():
        one = db.session.get(Candidate, who)
        one.seat, one.checked_in_at, one.checked_in_by = "7", hall.MORNING, "Asha"
    same = form_of(hall, service_no="N001")
    assert desk.post(f"/centre/candidates/{who}/edit", **same).status_code == 303
    assert (candidate(id=who).name, candidate(id=who).seat) == ("Arun Nair", "7")
    desk.post(f"/centre/candidates/{who}/edit", **same | {"shift": "", "service_no": "N 901"})
    now = candidate(id=who)
    assert (now.shift_id, now.seat, now.checked_in_at, now.login) == (None, None, None, "n901")
    moved = form_of(hall, service_no="N901", shift="", centre=str(hall.other_centre_id))
    Desk(app, "admin").post(f"/centre/candidates/{who}/edit", **moved)
    assert candidate(id=who).centre_id == hall.other_centre_id


def test_who_writes_is_not_moved_and_who_holds_a_slot_keeps_the_trade(hall, desk):
    hall.player(0).start()
    who = hall.candidate_ids[0]
    answer = desk.post(f"/centre/candidates/{who}/edit", **form_of(hall, service_no="N001", shift=""))
    assert answer.status_code == 409
    assert "centre and shift stay until it is" in plain(answer)
    with transaction():
        trade = Trade(id=uuid7(), organisation_id=hall.organisation_id, code="EFS", name="Fitter")
        db.session.add(trade)
        other = str(trade.id)
    second = hall.candidate_ids[1]
    answer = desk.post(f"/centre/candidates/{second}/edit", **form_of(hall, service_no="N002", trade=other))
    assert answer.status_code == 409
    slots.reset([second], reason="trade", by=hall.admin, now=hall.MORNING)
    assert (
        desk.post(f"/centre/candidates/{second}/edit", **form_of(hall, service_no="N002", trade=other)).status_code
        == 303
    )
    assert candidate(id=who).shift_id == hall.shift_id


@pytest.mark.parametrize(
    ("change", "problem"), [("closed", "closed"), ("full", "full"), ("trade", "other trades"), ("centre", "centre's")]
)
def test_only_a_shift_that_is_open_to_them_takes_somebody_new(hall, change, problem):
    from kiosk.services import candidates
    from kiosk.services.candidates import CandidateValues

    with transaction():
        shift = db.session.get(Shift, hall.shift_id)
        if change == "closed":
            shift.status = "closed"
        elif change == "full":
            shift.capacity = hall.CANDIDATES
        elif change == "centre":
            shift.centre_id = hall.other_centre_id
        else:
            other = Trade(id=uuid7(), organisation_id=hall.organisation_id, code="EFS", name="Fitter")
            db.session.add(other)
            db.session.flush()
            db.session.add(ShiftTrade(shift_id=shift.id, trade_id=other.id))
    values = CandidateValues("IC-77", "Arun", hall.trade_id, hall.centre_id, shift_id=hall.shift_id)
    with pytest.raises(WrongField, match=problem):
        candidates.create(hall.organisation_id, values, by=hall.admin, now=hall.MORNING)


def test_a_new_password_ends_the_old_one(hall, desk):
    who = hall.candidate_ids[0]
    password = shown_password(desk.post(f"/centre/candidates/{who}/password", go="yes"))
    db.session.rollback()
    assert accounts.sign_in("N001", password, now=hall.MORNING).id == who
    assert not accounts.matches(candidate(id=who).password_hash, PASSWORD)


def test_a_bypass_has_a_reason_and_makes_the_secondary_the_next_paper(hall, desk):
    who = hall.candidate_ids[0]
    assert desk.post(f"/centre/candidates/{who}/bypass", go="yes", reason=" ").status_code == 422
    desk.post(f"/centre/candidates/{who}/bypass", go="yes", reason="passed elsewhere")
    found = candidate(id=who)
    assert (found.primary_bypassed_by, found.primary_bypass_reason) == ("Centre", "passed elsewhere")
    assert "passed elsewhere" in desk.text(f"/centre/candidates/{who}/edit")
    slots.reset([who], reason="bypass", by=hall.admin, now=hall.MORNING)
    slots.assign([who], by=hall.admin, now=hall.MORNING)
    current = select(Slot.paper_type).where(Slot.candidate_id == who, Slot.closed_at.is_(None))
    db.session.rollback()
    assert db.session.execute(current).scalar_one() == "secondary"
    desk.post(f"/centre/candidates/{who}/primary", go="yes", reason="a mistake")
    assert candidate(id=who).primary_bypassed_at is None
    assert {"bypass_primary", "require_primary"} <= {row[0] for row in hall.audit(who)}


def test_who_is_archived_is_out_and_comes_back(app, hall, desk):
    who, kiosk = hall.candidate_ids[0], Desk(app, "N001")
    hall.player(1).start()
    assert desk.post(f"/centre/candidates/{hall.candidate_ids[1]}/archive", go="yes", reason="x").status_code == 422
    desk.post(f"/centre/candidates/{who}/archive", go="yes", reason="left the service")
    assert kiosk.get("/candidate/").status_code in (302, 303, 401)
    assert "N001" not in desk.text("/centre/")
    put_away = desk.text("/centre/?slot=archived")
    assert "N001" in put_away
    assert "Reset" not in put_away, "nothing is done to who was put away"
    desk.post(f"/centre/candidates/{who}/unarchive", go="yes")
    assert "N001" in desk.text("/centre/")


def test_who_is_archived_gives_the_seat_back_and_returns_only_where_there_is_room(hall, desk):
    who, other = hall.candidate_ids[:2]
    values = {"seat": "7", "checked_in_at": hall.MORNING, "checked_in_by": "Desk"}
    db.session.execute(update(Candidate).where(Candidate.id == who).values(**values))
    db.session.commit()
    desk.post(f"/centre/candidates/{who}/archive", go="yes", reason="left the service")
    left = candidate(id=who)
    assert (left.seat, left.checked_in_at, left.shift_id) == (None, None, hall.shift_id)
    assert {("give_seat", "7", None), ("undo_check_in", "present", "absent")} <= set(hall.audit(who))
    seats.give(other, "7", by=hall.admin, now=hall.MORNING)
    inside = select(func.count()).where(Candidate.shift_id == hall.shift_id, Candidate.archived_at.is_(None))
    full = update(Shift).where(Shift.id == hall.shift_id).values(capacity=inside.scalar_subquery())
    db.session.execute(full)
    db.session.commit()
    desk.post(f"/centre/candidates/{who}/unarchive", go="yes")
    assert (candidate(id=who).archived_at, candidate(id=who).shift_id) == (None, None)
    assert ("move_to_shift", str(hall.shift_id), None) in hall.audit(who)


def test_a_candidate_without_tests_is_deleted_whole(hall, desk):
    who = hall.candidate_ids[0]
    photos.keep(who, picture(), by=hall.admin, now=hall.MORNING)
    page = desk.text(f"/centre/candidates/{who}/delete")
    assert "1 photo " in page
    desk.post(f"/centre/candidates/{who}/delete", go="yes", word="N001", reason="entered twice")
    assert candidate(id=who) is None
    assert db.session.execute(select(func.count()).select_from(CandidatePhoto)).scalar_one() == 0


def test_a_photo_is_made_small_and_clean_and_served_to_the_right_people_only(app, hall, desk):
    who = hall.candidate_ids[0]
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "secret place", 6
    sent = picture((1200, 900), exif=exif) + b"<script>alert(1)</script>"
    answer = desk.post(f"/centre/candidates/{who}/photo", photo=(io.BytesIO(sent), "x.jpg"))
    assert answer.status_code == 303
    served = desk.get(f"/centre/candidates/{who}/photo")
    assert (served.mimetype, served.headers["Cache-Control"]) == ("image/jpeg", "no-store")
    image = Image.open(io.BytesIO(served.data))
    assert image.width <= 352
    assert image.height > image.width, "the camera's turn is applied"
    assert not image.getexif()
    assert b"secret" not in served.data
    assert b"script" not in served.data
    own = Desk(app, "N001")
    assert own.get(outlines.OWN_PHOTO).data == served.data
    assert f'src="{outlines.OWN_PHOTO}?v=' in own.get("/candidate/").get_data(as_text=True)
    assert Desk(app, "N002").get(outlines.OWN_PHOTO).status_code in (303, 404)
    assert Desk(app, "centre2").get(f"/centre/candidates/{who}/photo").status_code == 404
    assert Desk(app, "marks").get(f"/centre/candidates/{who}/photo").status_code == 403
    desk.post(f"/centre/candidates/{who}/photo-off", go="yes")
    assert desk.get(f"/centre/candidates/{who}/photo").status_code == 404
    assert reports.standing(who, now=hall.MORNING).person.photo_url is None


def bomb(side):
    """A small file that claims to be so many pixels wide and high."""
    raw = bytearray(picture((10, 10), "PNG"))
    raw[16:24] = (side).to_bytes(4, "big") * 2
    raw[29:33] = zlib.crc32(raw[12:29]).to_bytes(4, "big")
    return bytes(raw)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "Choose a picture."),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "no picture that can be read"),
        (b"<!doctype html><script>alert(1)</script>", "no picture that can be read"),
        (picture()[:200], "no picture that can be read"),
        (picture((50, 50), "GIF"), "no picture that can be read"),
        (picture((50, 50), "TIFF"), "no picture that can be read"),
        (bomb(30_000), "too many pixels"),
        (bomb(5_000), "too many pixels"),
        (b"\xff\xd8" + b"x" * 1_600_000, "too large"),
    ],
    ids=["none", "svg", "html", "half", "gif", "tiff", "bomb", "small bomb", "large"],
)
def test_what_is_no_small_picture_is_refused(hall, desk, raw, problem):
    who = hall.candidate_ids[0]
    answer = desk.post(f"/centre/candidates/{who}/photo", photo=(io.BytesIO(raw), "photo.jpg"))
    assert answer.status_code == 422
    assert problem in plain(answer)
    assert desk.get(f"/centre/candidates/{who}/photo").status_code == 404


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_transparent_picture_gets_a_white_ground(kind):
    out = io.BytesIO()
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(out, kind)
    kept = Image.open(io.BytesIO(photos.prepared(out.getvalue())))
    assert kept.getpixel((20, 20)) == (255, 255, 255)


ACTS = ("edit", "password", "bypass", "primary", "archive", "unarchive", "delete", "photo", "photo-off")


@pytest.mark.parametrize("act", ACTS)
def test_another_centres_candidate_is_not_there(app, hall, act):
    foreign = Desk(app, "centre2")
    for who in (hall.candidate_ids[0], hall.stranger["candidate"], uuid4()):
        assert foreign.get(f"/centre/candidates/{who}/{act}").status_code == 404
        answer = foreign.post(f"/centre/candidates/{who}/{act}", go="yes", reason="x", word="N001")
        assert answer.status_code == 404
    assert Desk(app, "invigilator").post(f"/centre/candidates/{hall.candidate_ids[0]}/{act}").status_code == 403
