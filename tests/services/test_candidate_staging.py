"""Moving an import in: what the plan stood on is asked again under the locks, and shifts take only so many."""

from __future__ import annotations

from datetime import timedelta
from uuid import RFC_4122, UUID

import pytest
from sqlalchemy import select, update

from kiosk import clock
from kiosk.extensions import db
from kiosk.ids import uuid7, uuid7_at, uuid7_head, uuid7_tail
from kiosk.models import AuditEvent, Candidate, Shift, ShiftTrade, Trade
from kiosk.services import candidate_imports, seals
from kiosk.shift_states import ShiftStatus
from tests.exchange.files import HEADER, csv_file, workbook
from tests.services.test_candidate_imports import candidate, import_file

SHIFTED = f"{HEADER},shift"
AT_TEN = "2026-11-21 10:00"


def newcomers(count: int) -> list[str]:
    return [f"A{place},Name {place},Naik,TTC,C01,{AT_TEN}" for place in range(count)]


def limit(hall, room: int) -> None:
    """Leave room in the shift for so many more."""
    inside = db.session.query(Candidate).filter_by(shift_id=hall.shift_id, archived_at=None).count()
    set_shift(hall, capacity=inside + room)


def set_shift(hall, **values) -> None:  # type: ignore[no-untyped-def]
    db.session.execute(update(Shift).where(Shift.id == hall.shift_id).values(**values))
    db.session.commit()


def wrong(job) -> list[tuple[int, str]]:  # type: ignore[no-untyped-def]
    assert job.status == "refused"
    return [(one["line"], one["column"]) for one in job.result["problems"]]


def test_a_shift_takes_as_many_as_it_has_room_for_and_names_the_lines_that_are_too_many(hall):
    limit(hall, 2)
    job = import_file(hall, csv_file(*newcomers(5), header=SHIFTED))
    assert wrong(job) == [(4, "shift"), (5, "shift"), (6, "shift")]
    assert "room for 2: 3 too many" in job.result["problems"][0]["text"]
    assert import_file(hall, csv_file(*newcomers(2), header=SHIFTED)).status == "done"


def test_in_a_workbook_the_cell_is_named(hall):
    limit(hall, 0)
    rows = [row.split(",") for row in newcomers(1)]
    job = import_file(hall, workbook(rows, header=SHIFTED))
    assert job.result["problems"][0]["cell"] == "F2"


def test_who_leaves_makes_room_and_who_is_in_already_needs_none(hall):
    limit(hall, 0)
    leaves = "N002,Candidate N002,Naik,TTC,C02,"
    stays = f"N003,Another Name,Naik,TTC,C01,{AT_TEN}"
    job = import_file(hall, csv_file(leaves, stays, *newcomers(1), header=SHIFTED))
    assert (job.status, job.result["new"], job.result["changed"]) == ("done", 1, 2)
    left = candidate("n002")
    assert (left.centre_id, left.shift_id, left.seat) == (hall.other_centre_id, None, None)


def test_a_shift_that_is_closed_or_for_other_trades_takes_nobody(hall):
    set_shift(hall, status=ShiftStatus.CLOSED)
    content = csv_file(*newcomers(1), header=SHIFTED)
    assert wrong(import_file(hall, content)) == [(2, "shift")]
    other = Trade(id=uuid7(), organisation_id=hall.organisation_id, code="SIG", name="Signals")
    db.session.add(other)
    db.session.flush()
    db.session.add(ShiftTrade(shift_id=hall.shift_id, trade_id=other.id))
    set_shift(hall, status=ShiftStatus.OPEN)
    assert wrong(import_file(hall, content)) == [(2, "shift")]


def test_a_login_of_the_staff_is_nobody_elses(hall):
    assert wrong(import_file(hall, csv_file("ADMIN,Asha,Naik,TTC,C01"))) == [(2, "service_no")]


@pytest.mark.parametrize(
    ("meanwhile", "line"),
    [
        (lambda hall: set_shift(hall, status=ShiftStatus.CLOSED), (3, "shift")),
        (lambda hall: limit(hall, -1), (3, "shift")),
        (lambda hall: hall.player(0).start(), (2, "centre")),
        (lambda hall: _archive("n001"), (2, "service_no")),
    ],
    ids=["the shift was closed", "the shift filled", "somebody began to write", "somebody was archived"],
)
def test_what_changed_since_the_file_was_looked_at_is_seen_before_anything_is_written(
    hall, monkeypatch, meanwhile, line
):
    real, happened = candidate_imports._write, []
    rows = ("N001,Candidate N001,Naik,TTC,C02,", newcomers(1)[0])

    def late(*args):  # type: ignore[no-untyped-def]
        if not happened:
            happened.append(meanwhile(hall))
            db.session.rollback()
        return real(*args)

    monkeypatch.setattr(candidate_imports, "_write", late)
    assert wrong(import_file(hall, csv_file(*rows, header=SHIFTED))) == [line]


def _archive(login: str) -> None:
    db.session.execute(update(Candidate).where(Candidate.login == login).values(archived_at=clock.now()))
    db.session.commit()


def test_ids_that_the_database_puts_together_stand_between_those_made_before_and_after(hall):
    before, head = uuid7_at(hall.MORNING), uuid7_head(hall.MORNING)
    made = [UUID(f"{head}{uuid7_tail(place)}") for place in (1, 2, 255, 256, 257, 70_000, 1_000_000)]
    in_order = [before, *made, uuid7_at(hall.MORNING)]
    assert in_order == sorted(in_order)
    assert {(one.version, one.variant) for one in made} == {(7, RFC_4122)}


def test_what_an_import_noted_in_the_log_is_sealed_and_verified_like_everything(hall):
    import_file(hall, csv_file(*newcomers(3), "N001,Another,Naik,TTC,C01,", header=SHIFTED))
    noted = select(AuditEvent.action, AuditEvent.details).where(AuditEvent.object_kind == "candidate")
    rows = [row for row in db.session.execute(noted.order_by(AuditEvent.id)) if (row.details or {}).get("import")]
    assert [row.action for row in rows] == ["create_candidate"] * 3 + ["edit_candidate"]
    assert rows[3].details["changed"] == ["name"]
    later = clock.now() + timedelta(
        days=400
    )  # ids never go back: an earlier test of this process may have made later ones
    assert seals.seal(now=later) > 4
    assert not seals.verify(now=later).broken
