"""Imports, jobs and exports at the desk: checked first, done once, and seen by those whom they concern."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from kiosk.blueprints.centre import actions, imports
from kiosk.extensions import db
from kiosk.jobs import worker
from kiosk.models import Candidate, Job
from kiosk.services import jobs
from tests.desk import Desk, hidden, plain, row_counts
from tests.exchange.files import HEADER, csv_file, workbook
from tests.exchange.photos import picture, zipped

NEW = csv_file("A1,Asha,Naik,TTC,C01", "A2,Bina,,TTC,C01")


def send(desk: Desk, content: bytes, name: str = "c.csv", **more: Any):  # type: ignore[no-untyped-def]
    return desk.post("/centre/imports", file=(io.BytesIO(content), name), **more)


def newest() -> UUID:
    db.session.rollback()
    return db.session.execute(select(Job.id).order_by(Job.id.desc()).limit(1)).scalar_one()


def logins() -> set[str]:
    db.session.rollback()
    return set(db.session.execute(select(Candidate.login)).scalars())


def test_a_file_is_checked_then_imported_and_its_passwords_handed_over_once(hall, desk):
    page = plain(send(desk, NEW, follow=True))
    assert "2 new candidates" in page
    assert "a1" not in logins()
    done = desk.post(f"/centre/imports/{newest()}/confirm", follow=True)
    assert "The file is imported: 2 new, 0 changed, 0 unchanged." in plain(done)
    assert {"a1", "a2"} <= logins()
    job_id = newest()
    assert desk.get(f"/centre/jobs/{job_id}/file").status_code == 404, "no GET hands passwords out"
    answer = desk.post(f"/centre/jobs/{job_id}/passwords")
    assert answer.headers["Content-Disposition"] == "attachment; filename=c-result.csv"
    assert answer.get_data(as_text=True).count(",new,,") == 2
    assert "handed over once" in plain(desk.post(f"/centre/jobs/{job_id}/passwords", follow=True))


def test_I18_what_is_wrong_stands_by_line_and_cell_and_nothing_is_imported(hall, desk):
    before = logins()
    page = plain(send(desk, workbook([["A1", "", "Naik", "NOPE", "C01"]]), "c.xlsx", follow=True))
    assert "1 line is wrong. Nothing was changed." in page
    assert "2 B2 name is missing" in page
    assert "2 D2 trade there is no trade NOPE" in page
    assert "Import 1 candidate" not in page
    assert desk.post(f"/centre/imports/{newest()}/confirm").status_code == 422
    assert logins() == before


def test_confirming_twice_imports_once(hall, desk):
    send(desk, NEW)
    check = newest()
    assert desk.post(f"/centre/imports/{check}/confirm").status_code == 303
    assert desk.post(f"/centre/imports/{check}/confirm").status_code == 422
    assert "Import 2 candidates" not in desk.text(f"/centre/jobs/{check}")


@pytest.mark.parametrize("content", [None, b""])
def test_without_a_file_the_form_says_so(desk, content):
    answer = desk.post("/centre/imports") if content is None else send(desk, content)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.get_data(as_text=True)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(hall, desk, app, monkeypatch):
    monkeypatch.setattr(app.view_functions["centre.check_import"], "largest_body", 3_000_000)
    assert send(desk, b"x" * 2_500_000).status_code == 303
    before = row_counts()
    assert send(desk, b"x" * 3_100_000).status_code == 413
    assert row_counts() == before


def test_photos_beside_a_file_are_checked_with_it_and_come_in_with_it(hall, desk):
    content = csv_file("A1,Asha,Naik,TTC,C01,a.jpg", header=f"{HEADER},photo")
    photos = zipped(("a.jpg", picture()), ("b.jpg", picture()))
    page = plain(send(desk, content, photos=(io.BytesIO(photos), "p.zip"), follow=True))
    assert "1 photo is new" in page
    assert "1 file of the ZIP is named by no row: b.jpg" in page
    desk.post(f"/centre/imports/{newest()}/confirm", follow=True)
    db.session.rollback()
    asha = db.session.execute(select(Candidate.id).where(Candidate.login == "a1")).scalar_one()
    assert desk.get(f"/centre/candidates/{asha}/photo").get_data()[:3] == b"\xff\xd8\xff"


def test_a_photo_that_is_missing_stands_by_its_line(hall, desk):
    content = csv_file("A1,Asha,Naik,TTC,C01,a.jpg", header=f"{HEADER},photo")
    page = plain(send(desk, content, photos=(io.BytesIO(zipped(("b.jpg", picture()))), "p.zip"), follow=True))
    assert "2 photo there is no file a.jpg in the ZIP" in page
    assert "a1" not in logins()


def test_a_candidate_file_is_not_as_large_as_a_zip_may_be(hall, desk, monkeypatch):
    monkeypatch.setattr(imports, "MEGABYTE", 10)
    answer = send(desk, NEW * 20)
    assert (answer.status_code, "larger than 25 MB" in plain(answer)) == (413, True)


def test_a_large_file_is_left_to_a_worker_and_the_page_asks_until_it_is_done(hall, desk, monkeypatch):
    monkeypatch.setattr(imports, "SMALL_BYTES", 10)
    send(desk, NEW)
    address = f"/centre/jobs/{newest()}"
    waiting = desk.fragment(address).get_data(as_text=True)
    assert 'hx-trigger="every 1s"' in waiting
    assert worker.run_once()
    over = desk.fragment(address).get_data(as_text=True)
    assert "hx-trigger" not in over
    assert "Import 2 candidates" in over


def test_a_centre_sees_its_own_jobs_and_nobody_elses(app, hall, desk):
    send(desk, NEW)
    job_id = newest()
    assert "c.csv" in desk.text("/centre/jobs")
    assert "c.csv" in Desk(app, "admin").text("/centre/jobs?q=c.csv&state=done")
    other = Desk(app, "centre2")
    assert "c.csv" not in other.text("/centre/jobs")
    assert other.get(f"/centre/jobs/{job_id}").status_code == 404
    for deed in (f"imports/{job_id}/confirm", f"jobs/{job_id}/passwords"):
        assert other.post(f"/centre/{deed}").status_code == 404


def test_who_only_looks_gets_no_passwords(app, hall, desk):
    send(desk, NEW)
    desk.post(f"/centre/imports/{newest()}/confirm")
    job_id = newest()
    for login in ("auditor", "invigilator"):
        watcher = Desk(app, login)
        assert "Download, once" not in watcher.text(f"/centre/jobs/{job_id}")
        assert watcher.post(f"/centre/jobs/{job_id}/passwords").status_code == 403
        assert watcher.get("/centre/imports").status_code == 403


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_the_list_shows_leaves_as_a_file_and_comes_back_unchanged(hall, desk, form):
    answer = desk.get(f"/centre/export/candidates?q=N00&sort=-name&format={form}")
    assert answer.headers["Content-Disposition"] == f"attachment; filename=candidates-C01.{form}"
    page = plain(send(desk, answer.get_data(), f"c.{form}", follow=True))
    assert "0 new candidates 0 candidates changed 6 stay as they are" in page


def test_the_template_is_a_file_that_can_be_imported(hall, desk):
    page = plain(send(desk, desk.get("/centre/imports/template").get_data(), follow=True))
    assert "1 new candidate" in page


def reset(desk: Desk):  # type: ignore[no-untyped-def]
    page = desk.get("/centre/slots/reset?all=1").get_data(as_text=True)
    return desk.post("/centre/slots/reset", follow=True, all="1", reason="no exam today", seen=hidden(page, "seen"))


def test_an_action_for_several_leaves_a_report_on_each(hall, desk):
    page = reset(desk).get_data(as_text=True)
    assert "Report on each candidate" in page
    answer = desk.get(f"/centre/jobs/{newest()}/file").get_data(as_text=True)
    assert "N001,Candidate N001,available,none," in answer
    assert "6 candidates changed." in desk.text(f"/centre/jobs/{newest()}")


def test_an_action_for_very_many_is_a_job(hall, desk, monkeypatch):
    monkeypatch.setattr(actions, "MOST_AT_ONCE", 5)
    assert "Waiting" in plain(reset(desk))
    assert hall.player(0).slot.status == "available"
    assert worker.run_once()
    db.session.rollback()
    assert hall.player(0).slot is None
    assert jobs.claim() is None
