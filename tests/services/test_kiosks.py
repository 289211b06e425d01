"""Kiosks: a code that works once, a token that is never stored, and exams that start only where they may."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from kiosk.errors import BadInput, GoToSeat, KioskRequired, LockdownRequired, NotCheckedIn, NotFound
from kiosk.extensions import db, transaction
from kiosk.models import AuditEvent, Candidate, Centre, Kiosk
from kiosk.services import kiosks, preparing, tries
from kiosk.services.kiosks import Enrolled, KioskNameTaken, WrongEnrolmentCode
from kiosk.sign_in_errors import TooManyTries
from tests.cast import Hall
from tests.player import Player

DESK = tries.address_source("192.0.2.7")


def add(hall: Hall, name: str = "K-001", seat: str = "12", *, centre_id: UUID | None = None) -> UUID:
    return kiosks.add(centre_id or hall.centre_id, name, seat, by=hall.centre_admin, now=hall.MORNING)


def code_for(hall: Hall, kiosk_id: UUID) -> str:
    return kiosks.new_code(kiosk_id, by=hall.centre_admin, now=hall.MORNING)


def enrol(hall: Hall, code: str, *, after: timedelta = timedelta(0)) -> Enrolled:
    return kiosks.enrol(code, source=DESK, address="192.0.2.7", now=hall.MORNING + after)


def enrolled(hall: Hall, name: str = "K-001", seat: str = "12", *, centre_id: UUID | None = None) -> Enrolled:
    return enrol(hall, code_for(hall, add(hall, name, seat, centre_id=centre_id)))


def row(kiosk_id: UUID) -> Kiosk:
    db.session.rollback()
    return db.session.get_one(Kiosk, kiosk_id, populate_existing=True)


def at(player: Player, kiosk_id: UUID | None, *, is_locked_down: bool = False) -> Player:
    """Sit the candidate down at a kiosk."""
    player.actor = replace(player.actor, kiosk_id=kiosk_id, is_locked_down=is_locked_down)
    return player


def demand(**values: object) -> None:
    with transaction():
        db.session.execute(update(Centre).values(**values))


def seat(hall: Hall, place: int, number: str | None) -> None:
    with transaction():
        db.session.execute(update(Candidate).where(Candidate.id == hall.candidate_ids[place]).values(seat=number))


def test_a_code_works_once_and_within_its_quarter_of_an_hour(hall: Hall) -> None:
    kiosk_id = add(hall)
    code = code_for(hall, kiosk_id)
    with pytest.raises(WrongEnrolmentCode):
        enrol(hall, code, after=timedelta(minutes=15, seconds=1))
    done = enrol(hall, f" {code[:4].lower()}-{code[4:]} ")
    assert (done.kiosk_id, done.name, done.seat) == (kiosk_id, "K-001", "12")
    with pytest.raises(WrongEnrolmentCode):
        enrol(hall, code)


def test_a_new_code_makes_the_one_before_worthless(hall: Hall) -> None:
    kiosk_id = add(hall)
    old, new = code_for(hall, kiosk_id), code_for(hall, kiosk_id)
    with pytest.raises(WrongEnrolmentCode):
        enrol(hall, old)
    enrol(hall, new)


def test_neither_code_nor_token_is_stored(hall: Hall) -> None:
    kiosk_id = add(hall)
    code = code_for(hall, kiosk_id)
    before = str(vars(row(kiosk_id)))
    token = enrol(hall, code).token
    logged = str(db.session.execute(select(AuditEvent.details)).all())
    for secret in (code, token):
        assert secret not in before + str(vars(row(kiosk_id))) + logged


def test_codes_are_not_found_by_trying(hall: Hall) -> None:
    code = code_for(hall, add(hall))
    for _try in range(kiosks.ENROLMENT_LIMIT):
        with pytest.raises(WrongEnrolmentCode):
            enrol(hall, "AAAAAAAA")
    with pytest.raises(TooManyTries):
        enrol(hall, code)
    kiosks.enrol(code, source=tries.address_source("192.0.2.8"), address=None, now=hall.MORNING)


def test_only_the_newest_token_of_a_living_kiosk_is_recognised(hall: Hall) -> None:
    first = enrolled(hall)
    assert kiosks.recognise(first.kiosk_id, first.token, now=hall.MORNING)
    assert not kiosks.recognise(first.kiosk_id, first.token + "x", now=hall.MORNING)
    assert not kiosks.recognise(uuid4(), first.token, now=hall.MORNING)
    second = enrol(hall, code_for(hall, first.kiosk_id))
    assert not kiosks.recognise(first.kiosk_id, first.token, now=hall.MORNING)
    assert kiosks.recognise(second.kiosk_id, second.token, now=hall.MORNING)
    assert kiosks.revoke(second.kiosk_id, by=hall.centre_admin, now=hall.MORNING)
    assert not kiosks.revoke(second.kiosk_id, by=hall.centre_admin, now=hall.MORNING)
    assert not kiosks.recognise(second.kiosk_id, second.token, now=hall.MORNING)


def test_a_kiosk_was_seen_when_it_was_heard_from(hall: Hall) -> None:
    one = enrolled(hall)
    kiosks.flush()
    late = hall.after(minutes=9)
    kiosks.recognise(one.kiosk_id, one.token, now=late)
    assert kiosks.flush() == 1
    assert row(one.kiosk_id).last_seen_at == late
    assert kiosks.flush() == 0


def test_an_archived_kiosk_is_gone_and_frees_name_and_seat(hall: Hall) -> None:
    one = enrolled(hall)
    kiosks.archive(one.kiosk_id, by=hall.centre_admin, now=hall.MORNING)
    assert kiosks.place(one.kiosk_id) is None
    with pytest.raises(NotFound):
        code_for(hall, one.kiosk_id)
    add(hall)


@pytest.mark.parametrize(("name", "number"), [("K-001", "13"), ("K-002", "12")])
def test_name_and_seat_are_one_kiosks_in_a_centre(hall: Hall, name: str, number: str) -> None:
    add(hall)
    with pytest.raises(KioskNameTaken):
        add(hall, name, number)
    other = add(hall, "K-009", "19")
    with pytest.raises(KioskNameTaken):
        kiosks.rename(other, name, number, by=hall.centre_admin, now=hall.MORNING)
    add(hall, centre_id=hall.other_centre_id)


@pytest.mark.parametrize(("name", "number"), [("", "1"), (" ", "1"), ("x" * 41, "1"), ("a\0b", "1"), ("K", "1" * 13)])
def test_names_that_cannot_be_are_refused(hall: Hall, name: str, number: str) -> None:
    with pytest.raises(BadInput):
        add(hall, name, number)


# --- where an exam may start --------------------------------------------------------------------------


def test_a_centre_that_demands_kiosks_starts_nothing_elsewhere(hall: Hall) -> None:
    demand(kiosk_rule="enrolled")
    far = enrolled(hall, centre_id=hall.other_centre_id)
    here = enrolled(hall)
    for place in (None, uuid4(), far.kiosk_id):
        with pytest.raises(KioskRequired):
            at(hall.player(0), place).start()
    assert hall.player(0).slot.status == "available"  # type: ignore[union-attr]
    assert at(hall.player(0), here.kiosk_id).start().is_new
    assert hall.player(0).attempt.kiosk_id == here.kiosk_id


def test_a_kiosk_that_was_revoked_starts_nothing_more(hall: Hall) -> None:
    demand(kiosk_rule="enrolled")
    here = enrolled(hall)
    kiosks.revoke(here.kiosk_id, by=hall.centre_admin, now=hall.MORNING)
    with pytest.raises(KioskRequired):
        at(hall.player(0), here.kiosk_id).start()


def test_the_refusal_names_the_seat_to_go_to(hall: Hall) -> None:
    demand(kiosk_rule="enrolled", demands_seat=True)
    here = enrolled(hall)
    with pytest.raises(NotCheckedIn):
        at(hall.player(0), here.kiosk_id).start()
    seat(hall, 0, "13")
    for place in (None, here.kiosk_id):
        with pytest.raises(GoToSeat) as refused:
            at(hall.player(0), place).start()
        assert "Go to seat 13." in refused.value.sentence
    seat(hall, 0, "12")
    assert at(hall.player(0), here.kiosk_id).start().is_new


def test_where_seats_are_not_demanded_any_kiosk_will_do(hall: Hall) -> None:
    demand(kiosk_rule="enrolled")
    seat(hall, 0, "13")
    assert at(hall.player(0), enrolled(hall).kiosk_id).start().is_new


def test_a_running_test_is_not_taken_to_a_place_that_is_no_kiosk(hall: Hall) -> None:
    demand(kiosk_rule="enrolled")
    here = enrolled(hall)
    player = at(hall.player(0), here.kiosk_id)
    player.start()
    at_home = at(hall.player(0), None)
    for go_on in (at_home.resume, at_home.start):
        with pytest.raises(KioskRequired):
            go_on()
    assert player.attempt.lease == player.lease
    assert player.resume().lease == player.lease  # a refresh is no takeover


def test_a_locked_down_centre_asks_for_the_locked_down_browser(hall: Hall) -> None:
    demand(kiosk_rule="locked_down")
    here = enrolled(hall)
    with pytest.raises(LockdownRequired):
        at(hall.player(0), here.kiosk_id).start()
    with pytest.raises(KioskRequired):
        at(hall.player(0), None, is_locked_down=True).start()
    assert at(hall.player(0), here.kiosk_id, is_locked_down=True).start().is_new


def test_a_program_starts_by_the_same_rules(hall: Hall) -> None:
    demand(kiosk_rule="enrolled")
    player = hall.player(0)
    how = {"lease": player.lease, "now": hall.MORNING}
    assert preparing.prepare(player.id, hall.paper_id, by=player.actor, **how)  # type: ignore[arg-type]
    with pytest.raises(KioskRequired):
        preparing.start_paper(player.id, hall.paper_id, by=player.actor, **how)  # type: ignore[arg-type]
    at(player, enrolled(hall).kiosk_id)
    assert preparing.start_paper(player.id, hall.paper_id, by=player.actor, **how).is_new  # type: ignore[arg-type]
