"""Imports of candidates: all or nothing, once and only once, whatever dies on the way."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import select

from kiosk import clock
from kiosk.errors import BadInput
from kiosk.extensions import db
from kiosk.models import AuditEvent, Candidate, Job
from kiosk.services import accounts, candidate_imports, exports, jobs, working
from kiosk.services.candidate_plans import Scope
from kiosk.services.exchange import writers
from tests.desk import row_counts
from tests.exchange.files import HEADER, csv_file

NEW = ("A1,Asha,Naik,TTC,C01", "A2,Bina,,TTC,C02")
PASSWORDS = f"{HEADER},password"


def job_of(work: jobs.Work) -> Job:
    db.session.rollback()
    return db.session.execute(select(Job).where(Job.id == work.id)).scalar_one()


def run(hall, order) -> Job:  # type: ignore[no-untyped-def]
    """Do a job at once."""
    work = jobs.begin(order, by=hall.admin, now=hall.MORNING)
    working.do(work)
    return job_of(work)


def import_file(hall, content: bytes, *, centre_id=None) -> Job:  # type: ignore[no-untyped-def]
    """Import a file without a check before."""
    scope = Scope(hall.organisation_id, centre_id)
    return run(hall, candidate_imports.order_directly(content, "c.csv", scope))


def candidate(login: str) -> Candidate:
    db.session.expire_all()
    return db.session.execute(select(Candidate).where(Candidate.login == login)).scalar_one()


def listed(job: Job) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(bytes(job.output_file).decode("utf-8-sig"))))


def test_new_candidates_sign_in_with_the_password_that_is_listed(hall):
    job = import_file(hall, csv_file(*NEW))
    assert (job.status, job.result["new"], job.input_file) == ("done", 2, None)
    rows = listed(job)
    assert [(row["service_no"], row["outcome"], len(row["password"])) for row in rows] == [
        ("A1", "new", 12),
        ("A2", "new", 12),
    ]
    assert accounts.sign_in("a1", rows[0]["password"], now=hall.MORNING).name == "Asha"
    assert candidate("a1").password_hash.startswith("hmac-sha256$")
    made = db.session.execute(select(AuditEvent.object_id).where(AuditEvent.action == "create_candidate")).scalars()
    assert set(made) == {candidate("a1").id, candidate("a2").id}


def test_a_chosen_password_is_hashed_slowly_and_appears_nowhere(hall):
    job = import_file(hall, csv_file("A1,Asha,Naik,TTC,C01,a chosen one", header=PASSWORDS))
    assert candidate("a1").password_hash.startswith("$argon2id$")
    assert accounts.sign_in("A1", "a chosen one", now=hall.MORNING).name == "Asha"
    assert b"a chosen one" not in bytes(job.output_file)
    assert "a chosen one" not in str((job.params, job.result))


@pytest.mark.parametrize("content", [csv_file("A1,Asha,Naik,TTC,C01", "A2,,Naik,TTC,C01", "A3,C,Naik,NOPE,C01")])
def test_one_wrong_line_keeps_all_out_and_exactly_the_wrong_ones_are_listed(hall, content):
    before = row_counts()
    job = import_file(hall, content)
    assert (job.status, job.result["bad_lines"]) == ("refused", 2)
    assert [(one["line"], one["column"]) for one in job.result["problems"]] == [(3, "name"), (4, "trade")]
    after = row_counts()
    assert {name for name in after if after[name] != before[name]} == {"jobs", "audit_events"}


def test_what_is_there_already_is_changed_or_left_and_nobody_is_deleted(hall):
    epoch = candidate("n001").session_epoch
    count = row_counts()["candidates"]
    content = csv_file("n001,Another Name,,TTC,C01", "N002,Candidate N002,Naik,TTC,C01")
    job = import_file(hall, content)
    assert (job.result["new"], job.result["changed"], job.result["unchanged"]) == (0, 1, 1)
    assert [(row["outcome"], row["changed"]) for row in listed(job)] == [
        ("changed", "service_no name"),
        ("unchanged", ""),
    ]
    changed = candidate("n001")
    # an empty field leaves what was there
    assert (changed.name, changed.rank, changed.session_epoch) == ("Another Name", "Naik", epoch)
    assert row_counts()["candidates"] == count


def test_the_same_file_again_changes_nothing_and_says_so(hall):
    content = csv_file(*NEW)
    import_file(hall, content)
    hashes = [candidate(login).password_hash for login in ("a1", "a2")]
    check = run(hall, candidate_imports.order_of_check(content, "c.csv", Scope(hall.organisation_id)))
    assert (check.result["unchanged"], check.result["earlier_by"]) == (2, hall.admin.name)
    assert import_file(hall, content).result["new"] == 0
    assert [candidate(login).password_hash for login in ("a1", "a2")] == hashes


def test_an_export_taken_back_changes_nothing(hall):
    table = exports.candidates(hall.organisation_id)
    content = io.BytesIO()
    writers.write(content, "csv", table.names, table.rows)
    job = import_file(hall, content.getvalue())
    assert (job.status, job.result["new"], job.result["changed"]) == ("done", 0, 0)
    assert job.result["unchanged"] == hall.CANDIDATES


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("A1,Asha,Naik,TTC,C02", "centre"),
        ("X900,In the other centre,Naik,TTC,C01", "service_no"),
    ],
)
def test_a_centre_imports_its_own_candidates_only(hall, row, column):
    hall.add_candidate("X900", centre_id=hall.other_centre_id, shift_id=None)
    db.session.commit()
    job = import_file(hall, csv_file(row), centre_id=hall.centre_id)
    assert job.status == "refused"
    assert [one["column"] for one in job.result["problems"]] == [column]


def test_another_organisations_candidate_of_the_same_number_is_somebody_else(hall):
    assert hall.stranger["candidate"]
    assert import_file(hall, csv_file("X001,Asha,Naik,TTC,C01")).result["new"] == 1


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        (f"{HEADER},shift", "A1,Asha,Naik,TTC,C01,2026-11-21 11:00", "shift"),
        (HEADER, "N001,Candidate N001,Naik,SIG,C01", "trade"),
        (HEADER, "N003,Candidate N003,Naik,TTC,C01", "service_no"),
    ],
    ids=["no such shift", "trade with a slot", "archived"],
)
def test_what_the_database_forbids_is_named(hall, header, row, column):
    from kiosk.ids import uuid7
    from kiosk.models import Trade

    db.session.add(Trade(id=uuid7(), organisation_id=hall.organisation_id, code="SIG", name="Signals"))
    candidate("n003").archived_at = hall.MORNING
    db.session.commit()
    job = import_file(hall, csv_file(row, header=header))
    assert [one["column"] for one in job.result["problems"]] == [column]


def test_a_shift_is_found_by_the_centres_clock(hall):
    job = import_file(hall, csv_file("A1,Asha,Naik,TTC,C01,2026-11-21 10:00", header=f"{HEADER},shift"))
    assert (job.status, candidate("a1").shift_id) == ("done", hall.shift_id)


def test_the_file_of_a_check_is_imported_once(hall):
    scope = Scope(hall.organisation_id)
    check = run(hall, candidate_imports.order_of_check(csv_file(*NEW), "c.csv", scope))
    assert run(hall, candidate_imports.order_of_import(check.id, scope)).result["new"] == 2
    with pytest.raises(BadInput):
        candidate_imports.order_of_import(check.id, scope)


def test_a_worker_that_dies_after_the_rows_are_in_leaves_only_the_hashing_to_the_next(hall, monkeypatch):
    rows = [f"A{place},Name {place},Naik,TTC,C01,password {place}" for place in range(60)]
    order = candidate_imports.order_directly(csv_file(*rows, header=PASSWORDS), "c.csv", Scope(hall.organisation_id))
    hashed = []

    def dying(password: str) -> str:
        if len(hashed) == 30:
            raise SystemExit
        hashed.append(password)
        return f"hash of {password}"

    monkeypatch.setattr(candidate_imports, "hash_password", dying)
    job_id = jobs.order(order, by=hall.admin, now=hall.MORNING)
    with pytest.raises(SystemExit):
        working.do(jobs.claim())
    assert candidate("a0").password_hash == "hash of password 0"
    assert candidate("a59").password_hash == candidate_imports.NOT_HASHED_YET
    assert jobs.claim() is None, "its worker was heard a moment ago"
    clock.freeze(hall.after(minutes=2))
    monkeypatch.setattr(candidate_imports, "hash_password", lambda password: hashed.append(password) or "new")
    working.do(jobs.claim())
    done = db.session.get_one(Job, job_id)
    assert (done.status, done.result["new"], done.result["chosen_passwords"]) == ("done", 60, 60)
    assert (candidate("a24").password_hash, candidate("a25").password_hash) == ("hash of password 24", "new")
    assert len(listed(done)) == 60


def test_somebody_who_was_added_since_the_file_was_looked_at_is_not_added_twice(hall, monkeypatch):
    written, real = [], candidate_imports._write

    def slow(work, stage, found):  # type: ignore[no-untyped-def]
        if not written:
            written.append(hall.add_candidate("A1"))
            db.session.commit()
        return real(work, stage, found)

    monkeypatch.setattr(candidate_imports, "_write", slow)
    job = import_file(hall, csv_file(*NEW))
    assert (job.status, job.result["new"], job.result["changed"]) == ("done", 1, 1)
