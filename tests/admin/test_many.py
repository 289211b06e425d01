"""Many accounts, centres, trades and papers at once: looked at with numbers, done by the same rules, all logged."""

from __future__ import annotations

import re
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from kiosk.errors import NotFound
from kiosk.extensions import db, transaction
from kiosk.models import AuditEvent, Centre, Job, Paper, Trade, User
from kiosk.services import centres, deeds, paper_deeds, slots, user_deeds, users
from kiosk.services.users import UserValues
from tests.counting import counting
from tests.desk import Desk, hidden, plain
from tests.test_at_once import at_once


@pytest.fixture
def desk(app, hall):
    return Desk(app, "admin")


def ids_of(model, *where):
    db.session.rollback()
    return list(db.session.execute(select(model.id).where(*where)).scalars())


def add_admin(hall, login):
    made, _ = users.create(hall.organisation_id, login, UserValues(login, "admin"), by=hall.admin, now=hall.MORNING)
    return made


def add_centres(hall, count):
    with transaction():
        db.session.add_all(
            Centre(organisation_id=hall.organisation_id, code=f"X{count}-{place}", name="X", time_zone="Asia/Kolkata")
            for place in range(count)
        )


def answer(desk, address, query, **more):
    """Look, then send the form that was shown."""
    page = desk.get(f"{address}?{query}").get_data(as_text=True)
    carried = re.findall(r'<input type="hidden" name="(seen|id|all|q|state)" value="([^"]*)"', page)
    form = {name: [value for other, value in carried if other == name] for name, _ in carried}
    return desk.post(address, **{"go": "yes"} | form | more)


def logged(action):
    db.session.rollback()
    query = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == action)
    return db.session.execute(query).scalar_one()


def test_all_that_match_are_deactivated_but_oneself_and_each_stands_in_the_log(hall, desk):
    page = desk.text("/admin/users/many/deactivate?all=1")
    assert "5 change" in page
    assert "1 stays as it is" in page
    assert "1 is the last active admin" in page
    assert answer(desk, "/admin/users/many/deactivate", "all=1").status_code == 422, "a reason is asked for"
    assert logged("deactivate_user") == 0
    done = answer(desk, "/admin/users/many/deactivate", "all=1", reason="the year is over")
    assert done.headers["Location"] == "/admin/users"
    assert ids_of(User, User.deactivated_at.is_(None), User.organisation_id == hall.organisation_id) == [hall.admin.id]
    assert logged("deactivate_user") == 5
    report = desk.text("/admin/users")
    assert "5 entries changed." in report
    assert "1 is the last active admin" in report
    assert "5 entries changed." not in desk.text("/admin/users"), "said once"
    job_id = ids_of(Job, Job.kind == "office_users_deactivate")[0]
    file = desk.get(f"/centre/jobs/{job_id}/file").get_data(as_text=True)
    assert ("last admin" in file, file.count(",changed,")) == (True, 5)
    assert "5 entries changed." in desk.text(f"/centre/jobs/{job_id}")


def test_the_ticked_ones_alone_come_back_and_can_be_unlocked_and_signed_out(hall, desk):
    chosen = ids_of(User, User.login.in_(["centre", "invigilator"]))
    query = "&".join(f"id={one}" for one in chosen)
    with transaction():
        db.session.execute(update(User).where(User.id.in_(chosen)).values(locked_until=hall.after(hours=1)))
    assert answer(desk, "/admin/users/many/unlock", query).status_code == 303
    answer(desk, "/admin/users/many/sign-out", query)
    answer(desk, "/admin/users/many/deactivate", query, reason="holiday")
    answer(desk, "/admin/users/many/reactivate", query)
    for one in chosen:
        acts = [row[0] for row in hall.audit(one)]
        assert acts[-4:] == ["unlock", "end_sign_ins", "deactivate_user", "reactivate_user"]
    assert db.session.get(User, chosen[0]).session_epoch == 2
    assert logged("unlock") == 2


def test_no_admin_is_lost_in_bulk(hall):
    """Neither by an admin who was closed a moment ago, nor by somebody who is none."""
    second = add_admin(hall, "second")
    both = [hall.admin.id, second]
    for by, expected in ((hall.admin, {hall.admin.id: "own_account"}), (hall.centre_admin, None)):
        seen = deeds.look_ahead(
            user_deeds.DEACTIVATE, both, organisation_id=hall.organisation_id, by=by, now=hall.MORNING
        )
        assert seen.why == (expected or dict.fromkeys(both, "last_admin"))
    who = {"organisation_id": hall.organisation_id, "by": hall.admin, "now": hall.MORNING, "reason": "x"}
    assert deeds.do(user_deeds.DEACTIVATE, both, **who).changed == 1
    assert deeds.do(user_deeds.DEACTIVATE, both, **who).why == {hall.admin.id: "last_admin", second: "inactive"}


def test_admins_who_close_each_other_at_the_same_moment_leave_one(app, hall):
    two = [hall.admin.id, add_admin(hall, "second")]
    who = {"organisation_id": hall.organisation_id, "now": hall.MORNING, "reason": "x"}

    def closing(closer, other):
        return lambda: deeds.do(user_deeds.DEACTIVATE, [other], by=replace(hall.admin, id=closer), **who)

    at_once(app, closing(*two), closing(*reversed(two)))
    db.session.rollback()
    assert len(db.session.execute(user_deeds.active_admins(hall.organisation_id)).all()) == 1
    assert logged("deactivate_user") == 1


def test_centres_with_a_shift_stay_and_the_others_are_archived_and_come_back(hall, desk):
    page = desk.text("/admin/centres/many/archive?all=1")
    assert "1 changes" in page
    assert "in 1 a shift is going on or somebody writes" in page
    answer(desk, "/admin/centres/many/archive", "all=1", reason="winter")
    assert ids_of(Centre, Centre.archived_at.is_not(None)) == [hall.other_centre_id]
    answer(desk, "/admin/centres/many/unarchive", "all=1&state=archived")
    assert ids_of(Centre, Centre.archived_at.is_not(None)) == []
    assert [row[0] for row in hall.audit(hall.other_centre_id)] == ["archive_centre", "unarchive_centre"]


def test_trades_and_papers_stay_while_their_slots_are_held(hall, desk):
    for address in ("/admin/trades/many/archive", "/admin/papers/many/archive"):
        assert "candidates hold slots that are not used up" in desk.text(f"{address}?all=1")
    slots.reset(hall.candidate_ids, reason="all", by=hall.admin, now=hall.MORNING)
    answer(desk, "/admin/trades/many/archive", "all=1", reason="merged")
    answer(desk, "/admin/papers/many/archive", "all=1", reason="merged")
    assert ids_of(Trade, Trade.organisation_id == hall.organisation_id, Trade.archived_at.is_(None)) == []
    assert ids_of(Paper, Paper.organisation_id == hall.organisation_id, Paper.status != "archived") == []
    assert logged("archive_paper") == 2


def test_two_papers_for_the_same_place_are_not_both_taken_into_use(hall):
    slots.reset(hall.candidate_ids, reason="all", by=hall.admin, now=hall.MORNING)
    with transaction():
        drafts = [hall.add_paper(hall.trade_id, "primary") for _ in range(2)]
        db.session.execute(update(Paper).where(Paper.id.in_(drafts)).values(status="draft"))
    who = {"organisation_id": hall.organisation_id, "by": hall.admin, "now": hall.MORNING}
    look = lambda ids: set(deeds.look_ahead(paper_deeds.USE, ids, **who).why.values())  # noqa: E731
    assert look(drafts) == {"other_in_use"}
    deeds.do(paper_deeds.ARCHIVE, [hall.paper_id], reason="old", **who)
    assert look(drafts) == {"twice"}
    assert look([hall.paper_id]) == {"parts"}, "one part with one question makes no 100 marks"


def test_what_changed_since_the_look_is_looked_at_again(hall, desk):
    address = "/admin/centres/many/archive"
    seen = hidden(desk.get(f"{address}?all=1").get_data(as_text=True), "seen")
    add_centres(hall, 1)
    late = desk.post(address, go="yes", all="1", seen=seen, reason="winter")
    assert late.status_code == 409
    assert "The numbers changed in the meantime." in plain(late)
    assert ids_of(Centre, Centre.archived_at.is_not(None)) == []


@pytest.mark.parametrize(
    ("things", "model"), [("users", User), ("centres", Centre), ("trades", Trade), ("papers", Paper)]
)
def test_the_ticked_ones_go_home_as_a_file(hall, desk, things, model):
    one, *others = ids_of(model, model.organisation_id == hall.organisation_id)
    lines = lambda query: len(desk.get(f"/admin/{things}.csv{query}").get_data(as_text=True).splitlines()) - 1  # noqa: E731
    assert (lines(f"?id={one}"), lines(f"?id={uuid4()}")) == (1, 0)
    assert lines("") == lines(f"?id={one}&all=1") == 1 + len(others)


@pytest.mark.parametrize("things", ["users", "centres", "trades", "papers"])
def test_nothing_selected_strangers_and_nonsense_are_refused(hall, desk, things):
    act = "deactivate" if things == "users" else "archive"
    address = f"/admin/{things}/many/{act}"
    assert "Nothing is selected." in desk.text(address, status=422)
    for wrong in (uuid4(), "nonsense", hall.stranger["centre"], hall.stranger["trade"]):
        assert desk.get(f"{address}?id={wrong}").status_code == 404
        assert desk.post(address, go="yes", id=str(wrong), reason="x", seen="1").status_code == 404
    assert desk.post(address, go="yes", all="1", reason="x").status_code == 409, "nothing was looked at"


@pytest.mark.parametrize("login", ["auditor", "centre", "invigilator", "marks"])
def test_nobody_but_an_admin_does_it_and_an_auditor_only_reads(app, hall, login):
    other = Desk(app, login)
    for address in ("/admin/users/many/deactivate", "/admin/centres/many/archive", "/admin/papers/many/use"):
        assert other.get(f"{address}?all=1").status_code == 403
        assert other.post(address, go="yes", all="1", reason="x").status_code == 403
    for things in ("users", "centres", "trades", "papers"):
        page = other.get(f"/admin/{things}")
        assert page.status_code == (200 if login == "auditor" else 403)
        assert 'name="id"' not in page.get_data(as_text=True)


def test_an_auditor_reads_one_record_and_finds_nothing_to_press(app, hall):
    auditor = Desk(app, "auditor")
    for place in (
        f"users/{hall.admin.id}",
        f"centres/{hall.centre_id}",
        f"trades/{hall.trade_id}",
        f"papers/{hall.paper_id}",
    ):
        main = auditor.get(f"/admin/{place}").get_data(as_text=True).split("<main", 1)[1]
        assert "<fieldset" in main
        assert " disabled>" in main
        assert 'type="submit"' not in main
        assert "hx-get" not in main


def test_the_statements_do_not_grow_with_the_records(hall):
    who = {"organisation_id": hall.organisation_id, "by": hall.admin, "now": hall.MORNING, "reason": "x"}
    counts = []
    for more in (2, 300):
        add_centres(hall, more)
        ids = centres.matching_ids(hall.organisation_id, state="active")
        with counting() as counted:
            deeds.do(centres.ARCHIVE, ids, **who)
        counts.append(counted.statements)
    assert counts[0] == counts[1] <= 5
    with pytest.raises(NotFound):
        deeds.do(centres.ARCHIVE, [*ids, uuid4()], **who)
