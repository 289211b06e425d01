"""The audit log's page: filters, pages, words, an export of what matches, and who may see it."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert

from kiosk.extensions import db
from kiosk.models import AuditEvent, Organisation
from kiosk.services import audit_reports, slots
from kiosk.services.audit_reports import AuditFilters
from tests.cast import Hall
from tests.counting import counting
from tests.desk import Desk

EVENT_ID = r'<dt>Event</dt><dd class="num">([^<]+)'


@pytest.fixture
def busy(hall: Hall) -> Hall:
    """A hall in which one candidate has started, handed in and been reset, and another one writes."""
    first, second = hall.player(0), hall.player(1)
    first.start()
    first.submit(at=hall.after(minutes=42))
    second.start(at=hall.after(minutes=1))
    slots.reset([first.id], reason="=2+3, says\nthe book", by=hall.centre_admin, now=hall.after(minutes=50))
    return hall


def shown(desk: Desk, query: str = "") -> list[str]:
    """What happened, as the page says it, the newest first."""
    page = desk.get(f"/admin/audit?{query}").get_data(as_text=True)
    return re.findall(r'<td data-l="What">([^<]+)</td>', page)


def rows(desk: Desk, query: str = "") -> list[dict[str, Any]]:
    """What the export holds."""
    return json.loads(desk.get(f"/admin/audit/export?form=json&{query}").get_data(as_text=True))


def fill(hall: Hall, count: int) -> None:
    """Put many more events into the log."""
    row = {
        "actor_kind": "user",
        "actor_name": "N",
        "action": "filler",
        "object_kind": "trade",
        "object_id": hall.trade_id,
    }
    row |= {"organisation_id": hall.organisation_id}
    with db.engine.begin() as connection:
        moments = ({"id": uuid4(), "at": hall.MORNING - timedelta(minutes=i // 3)} for i in range(count))
        connection.execute(insert(AuditEvent), [row | one for one in moments])


def test_events_are_said_in_words_with_who_what_when_and_why(app, busy):
    page = Desk(app, "auditor").text("/admin/audit")
    assert "Slot reset Slot N001 Consumed → No slot =2+3, says the book" in page
    assert "21 Nov, 10:50 :00" in page
    assert "Test N002 Drawn, not started → Writing" in page


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("action=submit", ["Handed in"]),
        ("kind=attempt&object=N001&action=start", ["Test started"]),
        ("object=N002&action=reset_exam_slot", []),
        ("person=centre&action=reset_exam_slot", ["Slot reset"]),
        ("person=N001&action=reset_exam_slot", []),
        ("from=2026-11-21T10:50&to=2026-11-21T10:50&kind=slot", ["Slot reset"]),
        ("from=2026-11-21T05:20&to=2026-11-21T05:20&kind=slot&zone=UTC", ["Slot reset"]),
        ("from=2026-11-21T10:51&kind=slot", []),
        ("centre=C01&action=submit", ["Handed in"]),
        ("centre=C02&action=submit", []),
        ("object=nobody-knows-this", []),
        ("from=yesterday&before=rubbish&after=1.2&centre=none&action=submit", ["Handed in"]),
        ("from=0001-01-01T00:00&action=submit", ["Handed in"]),
        ("before=99999999999999999.00000000000070008000000000000000&action=submit", ["Handed in"]),
    ],
)
def test_filters_stand_in_the_address(app, busy, query, actions):
    assert shown(Desk(app, "admin"), query) == actions


def test_an_object_is_found_by_its_id(app, busy):
    attempt_id = busy.player(1).attempt.id
    assert set(shown(Desk(app, "admin"), f"object={attempt_id}")) >= {"Test started", "Questions drawn"}


def test_pages_go_by_place_and_meet_every_event_once_both_ways(app, busy):
    fill(busy, 250)
    desk, seen, address = Desk(app, "admin"), [], "/admin/audit?person=&action=filler"
    while address:
        page = desk.get(address).get_data(as_text=True)
        seen.append(re.findall(EVENT_ID, page))
        found = re.search(r'rel="next" href="([^"]+)"', page)
        last, address = page, found[1].replace("&amp;", "&") if found else ""
    assert [len(one) for one in seen] == [100, 100, 50]
    assert len({one for page in seen for one in page}) == 250
    back = re.search(r'rel="prev" href="([^"]+)"', last)
    assert back
    page = desk.get(back[1].replace("&amp;", "&")).get_data(as_text=True)
    assert re.findall(EVENT_ID, page) == seen[1]


def test_the_number_of_statements_does_not_grow_with_the_log(app, busy):
    desk = Desk(app, "admin")
    desk.get("/admin/audit")
    with counting() as few:
        desk.get("/admin/audit?person=centre&object=N001&centre=C01")
    fill(busy, 300)
    with counting() as many:
        desk.get("/admin/audit?person=centre&object=N001&centre=C01")
    assert many.statements == few.statements <= 12


def test_the_export_is_everything_that_matches_and_no_text_becomes_a_formula(app, busy, monkeypatch):
    monkeypatch.setattr(audit_reports, "EXPORT_ROWS", 7)
    fill(busy, 30)
    desk = Desk(app, "auditor")
    answer = desk.get("/admin/audit/export?from=2026-11-21T09:59")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-')
    lines = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert [line["id"] for line in lines] == [row["id"] for row in rows(desk, "from=2026-11-21T09:59")]
    assert len({line["id"] for line in lines}) == len(lines) > 14
    reset = next(line for line in lines if line["action"] == "reset_exam_slot")
    assert (reset["reason"], reset["object"], reset["at"]) == (
        "'=2+3, says\nthe book",
        "N001",
        "2026-11-21T05:20:00.000Z",
    )
    assert rows(desk, "object=nobody-knows-this") == []


def test_another_organisations_events_stay_its_own(app, busy):
    with db.engine.begin() as connection:
        other, now = uuid4(), busy.MORNING
        connection.execute(
            insert(Organisation), {"id": other, "code": "X", "name": "X", "is_demo": False, "created_at": now}
        )
        row = {"id": uuid4(), "at": now, "actor_kind": "system", "actor_name": "Exam Kiosk", "action": "secret"}
        strange = row | {"object_kind": "candidate", "object_id": uuid4()}
        connection.execute(insert(AuditEvent), [strange, strange | {"id": uuid4(), "organisation_id": other}])
    busy.player(1).attempt  # noqa: B018  the log has events of the system about this organisation's tests too
    found = audit_reports.every(busy.organisation_id, AuditFilters())
    assert "secret" not in {row.action for row in found}


@pytest.mark.parametrize("login", ["centre", "invigilator", "marks"])
def test_who_may_not_see_the_log_does_not(app, busy, login):
    desk = Desk(app, login)
    assert [desk.get(place).status_code for place in ("/admin/audit", "/admin/audit/export")] == [403, 403]
