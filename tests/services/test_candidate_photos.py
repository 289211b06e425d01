"""Photos beside a candidate file: all of them right, or nothing of the file comes in."""

from __future__ import annotations

import io
import os
from datetime import timedelta
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import func, select

from kiosk.extensions import db
from kiosk.jobs import worker
from kiosk.models import AuditEvent, Candidate, CandidatePhoto, StagedCandidate, StagedPhoto, UploadChunk
from kiosk.services import candidate_imports, candidate_staging, jobs, photos, stored_files
from kiosk.services.candidate_plans import Scope
from tests.desk import row_counts
from tests.exchange.files import HEADER, csv_file
from tests.exchange.photos import picture, zipped
from tests.services.test_candidate_imports import candidate, job_of, run

WITH_PHOTO = f"{HEADER},photo"
ROWS = ("A1,Asha,Naik,TTC,C01,a.jpg", "A2,Bina,,TTC,C02,b.png")
FILE = csv_file(*ROWS, header=WITH_PHOTO)
GOOD = (("a.jpg", picture("red")), ("b.png", picture("blue", form="PNG")))


def stored(hall, *members) -> UUID:  # type: ignore[no-untyped-def]
    return stored_files.keep(io.BytesIO(zipped(*members)), now=hall.MORNING)


def import_with(hall, content: bytes, *members):  # type: ignore[no-untyped-def]
    scope = Scope(hall.organisation_id)
    return run(hall, candidate_imports.order_directly(content, "c.csv", scope, stored(hall, *members)))


def colour(login: str) -> tuple[int, ...]:
    found = db.session.get_one(CandidatePhoto, candidate(login).id)
    return Image.open(io.BytesIO(found.image)).getpixel((5, 5))


def left_over() -> int:
    db.session.rollback()
    tables = (StagedCandidate, StagedPhoto, UploadChunk)
    return sum(db.session.scalar(select(func.count()).select_from(table)) for table in tables)


@pytest.mark.parametrize("at_once", [1000, 0], ids=["with their rows", "after their rows"])
def test_photos_come_in_made_small_and_without_what_stood_in_the_original(hall, monkeypatch, at_once):
    monkeypatch.setattr(candidate_staging, "MOST_PHOTOS_ALONG", at_once)
    members = (*GOOD, ("large/notes.txt", b"who took them"))
    job = import_with(hall, FILE, *members)
    assert (job.status, job.result["photos"], job.result["unused_names"]) == ("done", 2, ["large/notes.txt"])
    assert colour("a1")[0] > 200
    assert colour("a2")[2] > 200
    kept = db.session.get_one(CandidatePhoto, candidate("a2").id)
    assert (kept.mime, kept.image[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    noted = select(AuditEvent.object_id).where(AuditEvent.action == "set_photo")
    assert sorted(db.session.scalars(noted)) == sorted([candidate("a1").id, candidate("a2").id])
    assert left_over() == 0


@pytest.mark.parametrize(
    ("members", "wrong"),
    [
        (GOOD[:1], [(3, "photo")]),
        ((), [(2, "photo"), (3, "photo")]),
        ((GOOD[0], ("b.png", b"no picture")), [(3, "photo")]),
        ((GOOD[0], ("b.png", b"")), [(3, "photo")]),
        ((GOOD[0], ("b.png", os.urandom(photos.LARGEST_BYTES + 1))), [(3, "photo")]),
        ((GOOD[0], ("b.png", picture(size=(5000, 5000), form="PNG"))), [(3, "photo")]),
        ((*GOOD, ("../c.jpg", b"")), [(0, "photo")]),
    ],
    ids=["one missing", "all missing", "no picture", "empty", "too large", "too many pixels", "a path that leads out"],
)
def test_I18_a_wrong_photo_keeps_all_out_and_stands_by_its_line(hall, members, wrong):
    before = row_counts()
    job = import_with(hall, FILE, *members)
    assert job.status == "refused"
    assert [(one["line"], one["column"]) for one in job.result["problems"]] == wrong
    after = row_counts()
    assert {name for name in after if after[name] != before[name]} == {"jobs", "audit_events"}


def test_the_same_photos_again_change_nothing_and_another_one_only_its_row(hall):
    import_with(hall, FILE, *GOOD)
    again = import_with(hall, FILE, *GOOD)
    assert (again.result["unchanged"], again.result["photos"]) == (2, 0)
    other = import_with(hall, FILE, ("A.JPG", picture("lime")), GOOD[1])
    assert (other.result["unchanged"], other.result["changed"], other.result["photos"]) == (1, 1, 1)
    assert colour("a1")[1] > 200


def test_one_photo_for_two_people_is_said_aloud(hall):
    content = csv_file("A1,Asha,,TTC,C01,a.jpg", "A2,Bina,,TTC,C01,a.jpg", header=WITH_PHOTO)
    assert import_with(hall, content, GOOD[0]).result["shared_names"] == ["a.jpg"]


def test_a_file_without_its_zip_takes_the_names_only(hall):
    run(hall, candidate_imports.order_directly(FILE, "c.csv", Scope(hall.organisation_id)))
    assert candidate("a1").photo == "a.jpg"
    assert db.session.get(CandidatePhoto, candidate("a1").id) is None


def test_the_photos_of_a_check_wait_to_be_confirmed_and_are_forgotten_after_a_day(hall):
    scope = Scope(hall.organisation_id)
    check = run(hall, candidate_imports.order_of_check(FILE, "c.csv", scope, stored(hall, *GOOD)))
    assert check.result["photos"] == 2
    assert db.session.scalar(select(func.count()).select_from(CandidatePhoto)) == 0
    assert stored_files.forget_unclaimed(now=check.finished_at + timedelta(hours=23)) == 0
    imported = run(hall, candidate_imports.order_of_import(check.id, scope))
    assert (imported.status, imported.result["photos"], left_over()) == ("done", 2, 0)


def test_a_zip_that_nobody_imports_does_not_stay(hall):
    stored(hall, *GOOD)
    assert stored_files.forget_unclaimed(now=hall.MORNING + timedelta(minutes=59)) == 0
    assert stored_files.forget_unclaimed(now=hall.MORNING + timedelta(minutes=61)) == 1
    assert left_over() == 0


@pytest.mark.parametrize("size", [0, 1, stored_files.PIECE, 17 * stored_files.PIECE + 3])
def test_a_stored_file_is_read_as_it_was_sent(hall, size):
    content = bytes(place % 251 for place in range(size))
    file = stored_files.opened(stored_files.keep(io.BytesIO(content), now=hall.MORNING))
    assert file.read() == content
    file.seek(size // 2)
    assert file.read(7) == content[size // 2 :][:7]


def test_a_worker_that_dies_on_the_way_leaves_nothing_and_the_next_one_brings_all(hall, monkeypatch):
    before = row_counts()
    order = candidate_imports.order_directly(FILE, "c.csv", Scope(hall.organisation_id), stored(hall, *GOOD))
    real = candidate_staging.move

    def dying(*args, **how):  # type: ignore[no-untyped-def]
        real(*args, **how)
        raise SystemExit

    monkeypatch.setattr(candidate_staging, "move", dying)
    work = jobs.begin(order, by=hall.admin, now=hall.MORNING)
    with pytest.raises(SystemExit):
        candidate_imports.import_candidates(work)
    changed = {name for name, rows in row_counts().items() if rows != before[name]}
    assert changed == {"jobs", "audit_events", "staged_candidates", "staged_photos", "upload_chunks"}
    assert candidate_staging.clear_left() == 0, "its job may still be taken up"
    monkeypatch.undo()
    work.end(candidate_imports.import_candidates(work))
    assert (job_of(work).result["new"], left_over()) == (2, 0)


def test_a_worker_that_dies_between_photos_leaves_the_rest_to_the_next(hall, monkeypatch):
    monkeypatch.setattr(candidate_staging, "MOST_BYTES_ALONG", 0)
    monkeypatch.setattr(candidate_staging, "move_rest", lambda *_args: (_ for _ in ()).throw(SystemExit))
    order = candidate_imports.order_directly(FILE, "c.csv", Scope(hall.organisation_id), stored(hall, *GOOD))
    work = jobs.begin(order, by=hall.admin, now=hall.MORNING)
    with pytest.raises(SystemExit):
        candidate_imports.import_candidates(work)
    monkeypatch.undo()
    again = jobs.Work(job_of(work))
    again.end(candidate_imports.import_candidates(again))
    assert colour("a2")[2] > 200
    assert (job_of(work).status, left_over()) == ("done", 0)


def test_what_a_job_left_that_was_given_up_is_cleared_by_the_worker(hall, monkeypatch):
    order = candidate_imports.order_directly(FILE, "c.csv", Scope(hall.organisation_id), stored(hall, *GOOD))
    work = jobs.begin(order, by=hall.admin, now=hall.MORNING)
    monkeypatch.setattr(candidate_staging, "move", lambda *_args, **_how: (_ for _ in ()).throw(RuntimeError))
    with pytest.raises(RuntimeError):
        candidate_imports.import_candidates(work)
    db.session.rollback()
    work.fail("given up")
    assert db.session.scalar(select(func.count()).select_from(StagedCandidate)) == 2
    worker.tidy()
    assert db.session.scalar(select(func.count()).select_from(StagedCandidate)) == 0
    assert db.session.scalar(select(func.count()).select_from(Candidate).where(Candidate.login == "a1")) == 0
