"""The demo: an organisation that looks like a real one, and the first organisation of a real one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from kiosk.demo import PASSWORD, STAFF, START_CODE
from kiosk.errors import BadInput
from kiosk.extensions import db
from kiosk.models import Candidate, Centre, Organisation, Paper, Shift, Slot, Trade
from kiosk.services import accounts, attempts, demo, schema, set_reports, setting_up
from kiosk.services.audit import Actor
from tests.cast import Hall
from tests.snapshot import Snapshot

NOW = Hall.MORNING


@pytest.fixture
def empty(app: Flask, snapshot: Snapshot) -> Iterator[Flask]:
    """A migrated database with nothing in it."""
    with app.app_context():
        snapshot.clear()
        yield app
        db.session.remove()


def test_the_demo_organisation_is_as_the_documents_say(empty: Flask) -> None:
    demo.load_demo(NOW)
    assert [row.code for row in db.session.query(Centre).order_by(Centre.code)] == ["C01", "C02"]
    trades = {row.id: row.code for row in db.session.query(Trade)}
    candidates = db.session.query(Candidate).order_by(Candidate.service_no).all()
    assert [row.service_no for row in (candidates[0], candidates[-1])] == ["TEST000001", "TEST000060"]
    assert [trades[row.trade_id] for row in candidates[:4]] == ["TTC", "OCC", "MUSICIAN", "TTC"]
    assert Counter(row.centre_id for row in candidates).most_common()[0][1] == 40
    assert db.session.execute(select(func.count()).where(Slot.status == "available")).scalar_one() == 60
    assert all(
        paper.written_marks + paper.practical_marks + paper.viva_marks == 100 for paper in db.session.query(Paper)
    )
    shifts = db.session.query(Shift).all()
    assert [(shift.status, shift.start_code) for shift in shifts] == [("open", START_CODE)] * 2


def test_three_papers_have_three_sets_and_set_a_is_active(empty: Flask) -> None:
    demo.load_demo(NOW)
    organisation = db.session.query(Organisation).one()
    active = {(row.trade_code, row.paper_type): row for row in set_reports.active_sets(organisation.id) if row.set_id}
    assert {active[key].label for key in (("TTC", "primary"), ("OCC", "primary"), ("MUSICIAN", "secondary"))} == {"A"}
    assert all(row.is_complete for row in active.values())
    choices = set_reports.choices(active["OCC", "primary"].trade_id, "primary", organisation_id=organisation.id)
    assert [(choice.label, choice.is_complete) for choice in choices] == [("A", True), ("B", True), ("C", True)]


@pytest.mark.parametrize(("number", "questions"), [(1, 43), (2, 54), (3, 43)])
def test_a_demo_candidate_of_each_trade_can_start(empty: Flask, number: int, questions: int) -> None:
    demo.load_demo(NOW)
    signed_in = accounts.sign_in(f"TEST{number:06}", PASSWORD, now=NOW)
    by = Actor("candidate", signed_in.name, signed_in.id)
    started = attempts.start(signed_in.id, lease=1, by=by, now=NOW, start_code=START_CODE)
    from kiosk.models import Answer

    drawn = select(func.count()).where(Answer.attempt_id == started.attempt_id)
    assert db.session.execute(drawn).scalar_one() == questions


def test_every_demo_login_works(empty: Flask) -> None:
    demo.load_demo(NOW)
    for login, *_ in STAFF:
        assert accounts.sign_in(login, PASSWORD, now=NOW).kind == "user"


def test_the_demo_is_loaded_once(empty: Flask) -> None:
    demo.load_demo(NOW)
    with pytest.raises(BadInput):
        demo.load_demo(NOW)


def test_the_next_day_has_its_own_shift_and_waiting_candidates_move_into_it(empty: Flask) -> None:
    demo.load_demo(NOW)
    busy = accounts.sign_in("TEST000001", PASSWORD, now=NOW)
    by = Actor("candidate", busy.name, busy.id)
    attempts.start(busy.id, lease=1, by=by, now=NOW, start_code=START_CODE)
    tomorrow = NOW + timedelta(days=1)
    for _ in range(2):
        demo.roll_demo_shift(tomorrow)
    assert db.session.query(Shift).count() == 4
    waiting = accounts.sign_in("TEST000002", PASSWORD, now=tomorrow)
    by = Actor("candidate", waiting.name, waiting.id)
    assert attempts.start(waiting.id, lease=2, by=by, now=tomorrow, start_code=START_CODE).is_new
    shifts = Counter(row.shift_id for row in db.session.query(Candidate))
    assert 1 in shifts.values(), "who writes stays in the old shift"


def test_the_first_organisation_is_set_up_with_a_one_time_password(empty: Flask) -> None:
    assert schema.is_empty()
    password = setting_up.set_up(organisation="Signals", centre="C01:Main hall", admin="boss", now=NOW)
    assert accounts.sign_in("boss", password, now=NOW).kind == "user"
    assert db.session.query(Centre).one().name == "Main hall"
    with pytest.raises(BadInput):
        setting_up.set_up(organisation="Again", centre="C01:Main hall", admin="boss", now=NOW)


@pytest.mark.parametrize("centre", ["C01", "c01:Hall", ":Hall", "C01:", "C01: "])
def test_a_centre_that_is_not_code_and_name_is_refused(empty: Flask, centre: str) -> None:
    with pytest.raises(BadInput):
        setting_up.set_up(organisation="Signals", centre=centre, admin="boss", now=NOW)
    assert schema.is_empty()


def test_without_an_organisation_every_page_says_how_to_set_up(empty: Flask) -> None:
    empty.extensions.pop("schema_is_current", None)
    answer = empty.test_client().get("/login")
    assert answer.status_code == 503
    assert "setup --organisation" in answer.get_data(as_text=True)
    assert empty.test_client().get("/healthz").status_code == 200
