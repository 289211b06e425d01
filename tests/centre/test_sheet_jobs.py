"""Sheets of many: made by a worker who tells how far it is, saved from its job, ordered by whoever runs the day."""

from __future__ import annotations

import pytest

from kiosk.extensions import db, transaction
from kiosk.jobs import worker
from kiosk.models import CandidatePhoto
from kiosk.services import printing, sheet_jobs
from kiosk.services.printing import sheets
from tests.cast import Hall
from tests.centre.test_printables import photo, printed, told
from tests.desk import Desk, PageCheck, plain


@pytest.fixture
def short_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than three are many."""
    monkeypatch.setattr(sheet_jobs, "MOST_AT_ONCE", 3)


@pytest.mark.parametrize("kind", ["roll", "attendance", "cards"])
def test_a_sheet_of_many_is_made_by_a_worker_and_saved_from_its_job(
    hall: Hall, desk: Desk, kind: str, short_queue: None
) -> None:
    with transaction():
        db.session.add(
            CandidatePhoto(candidate_id=hall.candidate_ids[0], mime="image/jpeg", image=photo(), taken_at=hall.MORNING)
        )
    assert desk.get(f"/centre/print/pdf?sheet={kind}").location.startswith("/centre/print?")
    page = desk.get(f"/centre/print?sheet={kind}")
    assert "Make the PDF for 6 people" in plain(page)
    assert PageCheck(page.get_data(as_text=True)).found() == []
    assert ("Here are the first 3 of 6." in plain(page)) == (kind != "roll")
    assert ("Candidate N006" in plain(page)) == (kind == "roll")
    ordered = desk.post("/centre/print/pdf", sheet=kind, shift=str(hall.shift_id))
    assert "About to begin" in desk.text(ordered.location)
    assert worker.run_once()
    assert "6 candidates are on it." in desk.text(ordered.location)
    saved = desk.get(f"{ordered.location}/file")
    assert saved.mimetype == "application/pdf"
    assert f"{kind}-" in saved.headers["Content-Disposition"]
    for number in range(1, Hall.CANDIDATES + 1):
        assert f"Candidate N00{number}" in told(saved.data)


def test_a_worker_tells_how_far_it_is(app, hall: Hall) -> None:  # type: ignore[no-untyped-def]
    for kind in ("roll", "cards"):
        heard: list[int] = []
        with app.test_request_context():
            printing.pdf(sheets.sheet(hall.centre_id, hall.shift_id, kind, now=hall.MORNING), tell=heard.append)
        assert heard == list(range(1, Hall.CANDIDATES + 1))


def test_a_trade_of_few_is_still_printed_at_once(hall: Hall, desk: Desk, short_queue: None) -> None:
    assert "No candidates." in printed(desk, "roll", trade="OCC")


def test_only_who_runs_the_day_orders_and_only_the_own_centres_sheets(  # type: ignore[no-untyped-def]
    app, hall: Hall, desk: Desk, short_queue: None
) -> None:
    auditor = Desk(app, "auditor")
    assert "Choose a trade to print" in auditor.text("/centre/print?sheet=roll&centre=C01")
    assert auditor.post("/centre/print/pdf", sheet="roll", centre="C01").status_code == 403
    assert Desk(app, "centre2").post("/centre/print/pdf", shift=str(hall.shift_id)).status_code == 404
    ordered = desk.post("/centre/print/pdf", sheet="roll")
    worker.run_once()
    assert Desk(app, "centre2").get(f"{ordered.location}/file").status_code == 404
