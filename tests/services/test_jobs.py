"""Jobs: one worker at a time, taken up again after a death, and no secret stays longer than it must."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from kiosk import clock
from kiosk.extensions import db, transaction
from kiosk.jobs import worker
from kiosk.models import Job, Slot
from kiosk.services import jobs, slot_jobs, slots, working
from kiosk.services.centres import CentreView
from kiosk.services.jobs import LostJob, Order, Outcome
from kiosk.services.slot_jobs import Ask


@pytest.fixture(autouse=True)
def _kinds(monkeypatch):
    monkeypatch.setitem(jobs._KINDS, "well", lambda work: Outcome({"ok": True}, "out.csv", b"out"))
    monkeypatch.setitem(jobs._KINDS, "badly", lambda work: 1 / 0)


def order(hall, kind="well", **values):  # type: ignore[no-untyped-def]
    asked = Order(kind, "about something", hall.organisation_id, **values)
    return jobs.order(asked, by=hall.admin, now=hall.MORNING)


def job(job_id) -> Job:  # type: ignore[no-untyped-def]
    db.session.expire_all()
    return db.session.get_one(Job, job_id)


def write_something(work: jobs.Work) -> None:
    """What a worker writes together with how far it is."""
    with transaction():
        db.session.execute(update(Slot).values(version=Slot.version + 1))
        work.keep(steps_done=1)


def test_the_oldest_is_done_first_and_a_failure_stops_nobody(hall):
    first, second = order(hall, "badly"), order(hall)
    assert [worker.run_once(), worker.run_once(), worker.run_once()] == [True, True, False]
    assert (job(first).status, job(second).status) == ("failed", "done")
    assert "ZeroDivisionError" in job(first).result["problem"]
    assert job(second).output_file == b"out"


def test_a_claimed_job_is_taken_up_again_only_when_its_worker_is_silent_and_the_old_one_has_lost_it(hall):
    job_id = order(hall)
    old = jobs.claim()
    assert (old.id, jobs.claim()) == (job_id, None)
    clock.freeze(hall.after(seconds=61))
    new = jobs.claim()
    assert new.id == job_id
    with pytest.raises(LostJob):
        old.end(Outcome({"by": "the old one"}))
    with pytest.raises(LostJob):
        write_something(old)
    assert set(db.session.execute(select(Slot.version)).scalars()) == {1}
    new.end(Outcome({"by": "the new one"}))
    assert job(job_id).result == {"by": "the new one"}


def test_a_job_that_kills_its_workers_is_given_up(hall):
    job_id = order(hall)
    for tries in range(jobs.MOST_TRIES):
        clock.freeze(hall.after(minutes=2 * tries))
        assert jobs.claim() is not None
    clock.freeze(hall.after(minutes=60))
    assert worker.run_once()
    assert job(job_id).status == "failed"


def test_the_quick_worker_leaves_imports_to_the_other_one(hall, monkeypatch):
    monkeypatch.setitem(jobs._KINDS, "import_candidates", lambda work: Outcome({}))
    order(hall, "import_candidates")
    assert not worker.run_once(jobs.IMPORT_KINDS)
    assert worker.run_once()


def test_passwords_are_handed_over_once_and_are_gone_after_a_day(hall, monkeypatch):
    monkeypatch.setitem(jobs._KINDS, "import_candidates", lambda work: Outcome({}, "secret.csv", b"secret"))
    ids = [order(hall, "import_candidates", input_file=b"file") for _ in range(2)] + [order(hall)]
    while worker.run_once():
        pass
    taken = [jobs.take_output(ids[0], by=hall.admin, now=hall.MORNING) for _ in range(2)]
    assert taken == [b"secret", None]
    assert jobs.forget_files(now=hall.after(hours=23)) == 0
    assert jobs.forget_files(now=hall.after(hours=25)) == 1
    assert [job(one).output_file for one in ids] == [None, None, b"out"]
    assert jobs.forget_files(now=hall.after(days=31)) == 1


def ask(hall, action, reason="the tests want it") -> Ask:  # type: ignore[no-untyped-def]
    centre = CentreView(hall.centre_id, "C01", "Centre C01", "Asia/Kolkata")
    return Ask(action, tuple(hall.candidate_ids), reason, hall.organisation_id, centre)


def test_many_slots_are_reset_in_batches_with_a_line_for_each(hall, monkeypatch):
    monkeypatch.setattr(slot_jobs, "BATCH", 4)
    slots.reset(hall.candidate_ids[:1], reason="before", by=hall.admin, now=hall.MORNING)
    job_id = slot_jobs.order(ask(hall, "reset"), by=hall.admin, now=hall.MORNING)
    assert worker.run_once()
    done = job(job_id)
    assert (done.status, done.result) == ("done", {"changed": 5, "cancelled": 0, "skipped": {"no_slot": 1}})
    lines = done.output_file.decode("utf-8-sig").splitlines()
    assert lines[1:3] == ["N001,Candidate N001,none,none,no slot", "N002,Candidate N002,available,none,"]
    assert len(lines) == 7


def test_a_batch_that_was_done_by_a_worker_who_died_is_not_done_twice(hall, monkeypatch):
    monkeypatch.setattr(slot_jobs, "BATCH", 3)
    job_id = slot_jobs.order(ask(hall, "reassign"), by=hall.admin, now=hall.MORNING)
    real, calls = slot_jobs.RUNS["reassign"], []

    def dying(*args):  # type: ignore[no-untyped-def]
        report = real(*args)
        calls.append(report)
        if len(calls) == 2:
            raise SystemExit
        return report

    monkeypatch.setitem(slot_jobs.RUNS, "reassign", dying)
    with pytest.raises(SystemExit):
        working.do(jobs.claim())
    clock.freeze(hall.after(minutes=2))
    assert worker.run_once()
    assert job(job_id).result["changed"] == 6
    rows = db.session.execute(select(Slot.candidate_id)).scalars().all()
    assert len(rows) == 12, "each slot was closed once, and one was given for it"
