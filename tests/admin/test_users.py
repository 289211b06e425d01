"""Staff accounts: who is made, changed and closed, and what nobody can do to themselves or to the last admin."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from sqlalchemy import select

from kiosk.errors import NotFound
from kiosk.extensions import db, transaction
from kiosk.models import AuditEvent, User
from kiosk.office_errors import LastAdmin, WrongField
from kiosk.services import accounts, users
from kiosk.services.users import UserValues
from tests.cast import PASSWORD
from tests.desk import Desk, plain


@pytest.fixture
def desk(app, hall):
    return Desk(app, "admin")


def user(login):
    db.session.rollback()
    return db.session.execute(select(User).where(User.login == login)).scalar_one_or_none()


def person(hall, **changed):
    form = {"login": "meera", "name": "Meera Iyer", "role": "invigilator", "centre": str(hall.centre_id), "email": ""}
    return form | changed


def shown_password(answer):
    return re.search(r'<output class="code">([a-z2-9]{12})</output>', answer.get_data(as_text=True))[1]


def test_a_new_user_signs_in_with_the_password_that_is_shown_once(hall, desk):
    answer = desk.post("/admin/users/new", **person(hall))
    password = shown_password(answer)
    made = user("meera")
    assert (made.name, made.role, made.centre_id, made.must_change_password) == (
        "Meera Iyer",
        "invigilator",
        hall.centre_id,
        True,
    )
    assert accounts.sign_in("meera", password, now=hall.MORNING).id == made.id
    assert password not in desk.text(f"/admin/users/{made.id}")
    assert hall.audit(made.id)[0] == ("create_user", None, "active")


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("login", "", "Fill this in."),
        ("login", "ADMIN", "Somebody has this login already."),
        ("login", "n001", "Somebody has this login already."),
        ("login", "ORG/meera", "without white space"),
        ("login", "x" * 41, "Use at most 40 characters."),
        ("name", "", "Fill this in."),
        ("name", "a\x00b", "cannot be stored"),
        ("role", "superuser", "Choose one of the list."),
        ("role", "", "Choose one of the list."),
        ("centre", "", "This role works in one centre."),
        ("centre", "nonsense", "Choose one of the list."),
        ("email", "meera", "This is no e-mail address."),
        ("email", "a@b.c, d@e.f", "This is no e-mail address."),
    ],
)
def test_a_wrong_form_makes_nobody_and_says_why(hall, desk, field, value, problem):
    answer = desk.post("/admin/users/new", **person(hall, **{field: value}))
    assert answer.status_code == 422
    assert problem in plain(answer)
    assert user("meera") is None


def test_a_strangers_centre_cannot_be_given(hall, desk):
    assert desk.post("/admin/users/new", **person(hall, centre=str(hall.stranger["centre"]))).status_code == 422
    with pytest.raises(WrongField):
        users.create(
            hall.organisation_id,
            "meera",
            UserValues("Meera", "invigilator", hall.stranger["centre"]),
            by=hall.admin,
            now=hall.MORNING,
        )


def test_an_account_is_edited_and_the_log_says_what_was_changed(hall, desk):
    who = user("invigilator")
    form = {
        "name": "Asha Rao",
        "role": "centre_admin",
        "centre": str(hall.other_centre_id),
        "email": "asha@example.org",
    }
    answer = desk.post(f"/admin/users/{who.id}", follow=True, **form)
    assert "The account of Asha Rao is changed." in plain(answer)
    now = user("invigilator")
    assert (now.name, now.role, now.centre_id, now.email) == (
        "Asha Rao",
        "centre_admin",
        hall.other_centre_id,
        "asha@example.org",
    )
    details = db.session.execute(
        select(AuditEvent.details).where(AuditEvent.object_id == who.id, AuditEvent.action == "edit_user")
    ).scalar_one()
    assert (details["before"]["role"], details["after"]["role"]) == ("invigilator", "centre_admin")


def test_a_role_of_the_whole_organisation_has_no_centre(hall, desk):
    who = user("invigilator")
    desk.post(f"/admin/users/{who.id}", name="Asha", role="auditor", centre=str(hall.centre_id))
    assert (user("invigilator").role, user("invigilator").centre_id) == ("auditor", None)


def test_nobody_changes_their_own_role(hall, desk):
    answer = desk.post(f"/admin/users/{hall.admin.id}", name="Admin", role="auditor", centre="")
    assert answer.status_code == 403
    assert "Nobody changes their own role." in plain(answer)
    assert user("admin").role == "admin"


def test_ones_own_name_may_be_changed(hall, desk):
    desk.post(f"/admin/users/{hall.admin.id}", name="Ravi Admin", role="admin", centre="")
    assert user("admin").name == "Ravi Admin"


@pytest.mark.parametrize("login", ["centre", "invigilator", "auditor", "marks"])
def test_a_forged_form_of_others_changes_nothing(app, hall, login):
    own = user(login)
    forged = {"name": "x", "role": "admin", "centre": "", "login": "evil"}
    other = Desk(app, login)
    for address in (f"/admin/users/{own.id}", "/admin/users/new", f"/admin/users/{hall.admin.id}/password"):
        assert other.post(address, go="yes", **forged).status_code == 403
    assert (user(login).role, user("evil")) == (own.role, None)


def test_the_last_admin_stays(hall, desk):
    address = f"/admin/users/{hall.admin.id}/deactivate"
    answer = desk.post(address, go="yes", reason="tired")
    assert answer.status_code == 409
    assert "This is the last active admin." in plain(answer)
    made, _ = users.create(
        hall.organisation_id, "second", UserValues("Second", "admin"), by=hall.admin, now=hall.MORNING
    )
    assert desk.post(address, go="yes", reason="tired").status_code == 409, "nobody closes their own account"
    users.deactivate(made, reason="gone", organisation_id=hall.organisation_id, by=hall.admin, now=hall.MORNING)
    with pytest.raises(LastAdmin):
        users.edit(
            hall.admin.id,
            UserValues("Admin", "auditor"),
            organisation_id=hall.organisation_id,
            by=hall.centre_admin,
            now=hall.MORNING,
        )
    assert user("admin").deactivated_at is None


def test_who_is_deactivated_is_out_at_once_and_comes_back_after(app, hall, desk):
    who, there = user("invigilator"), Desk(app, "invigilator")
    assert there.get("/centre/").status_code == 200
    refused = desk.post(f"/admin/users/{who.id}/deactivate", go="yes", reason=" ")
    assert (refused.status_code, user("invigilator").deactivated_at) == (422, None)
    desk.post(f"/admin/users/{who.id}/deactivate", go="yes", reason="moved away")
    assert there.get("/centre/").status_code in (302, 303, 401)
    desk.post(f"/admin/users/{who.id}/reactivate", go="yes")
    assert user("invigilator").deactivated_at is None
    assert there.get("/centre/").status_code in (302, 303, 401), "an old sign-in does not come back to life"
    assert [row[0] for row in hall.audit(who.id)][-2:] == ["deactivate_user", "reactivate_user"]


def test_a_new_password_is_shown_once_ends_sign_ins_and_unlocks(app, hall, desk):
    who, there = user("invigilator"), Desk(app, "invigilator")
    with transaction():
        db.session.get(User, who.id).locked_until = hall.after(hours=1)
    assert desk.post(f"/admin/users/{who.id}/password").status_code == 422, "a form without the question does nothing"
    password = shown_password(desk.post(f"/admin/users/{who.id}/password", go="yes"))
    assert there.get("/centre/").status_code in (302, 303, 401)
    assert user("invigilator").must_change_password
    assert accounts.sign_in("invigilator", password, now=hall.MORNING).id == who.id


def test_signing_out_unlocking_and_a_lost_factor(app, hall, desk):
    who, there = user("invigilator"), Desk(app, "invigilator")
    with transaction():
        locked = db.session.get(User, who.id)
        locked.locked_until, locked.totp_secret, locked.totp_on_at = hall.after(hours=1), "x", hall.MORNING
    page = desk.text(f"/admin/users/{who.id}")
    assert "Locked" in page
    assert "Second factor" in page
    for act in ("unlock", "sign-out", "factor-off"):
        assert desk.post(f"/admin/users/{who.id}/{act}", go="yes").status_code == 303
    now = user("invigilator")
    assert (now.locked_until, now.totp_on_at) == (None, None)
    assert there.get("/centre/").status_code in (302, 303, 401)
    assert accounts.sign_in("invigilator", PASSWORD, now=hall.MORNING).id == who.id
    assert {"unlock", "end_sign_ins", "switch_totp_off"} <= {row[0] for row in hall.audit(who.id)}


def test_the_list_is_searched_filtered_and_exported(hall, desk):
    assert "6 users match" in desk.text("/admin/users")
    assert "1 user matches" in desk.text("/admin/users?q=INVIG")
    assert "2 users match" in desk.text("/admin/users?role=centre_admin")
    assert "2 users match" in desk.text(f"/admin/users?centre={hall.centre_id}")
    assert "Nobody matches" in desk.text("/admin/users?state=inactive")
    assert "6 users match" in desk.text("/admin/users?role=nonsense&sort=nonsense&page=99")
    with transaction():
        user("auditor").name = "=1+1"
    file = desk.get("/admin/users.csv?sort=-login")
    assert file.mimetype == "text/csv"
    lines = file.get_data(as_text=True).splitlines()
    assert (len(lines), lines[1].split(",")[0]) == (7, "marks")
    assert ",'=1+1," in file.get_data(as_text=True)


@pytest.mark.parametrize("act", ["", "/deactivate", "/password", "/unlock", "/sign-out", "/factor-off"])
def test_another_organisations_account_is_not_there(hall, desk, act):
    organisation_id = hall.stranger["organisation"]
    with transaction():
        stranger = User(
            organisation_id=organisation_id,
            login="foreign",
            name="Foreign",
            role="admin",
            password_hash="x",
            created_at=hall.MORNING,
        )
        db.session.add(stranger)
        db.session.flush()
        stranger_id = stranger.id
    for user_id in (stranger_id, uuid4()):
        assert desk.get(f"/admin/users/{user_id}{act}").status_code == 404
        assert desk.post(f"/admin/users/{user_id}{act}", go="yes", reason="x", name="x").status_code == 404
    with pytest.raises(NotFound):
        users.set_password(stranger_id, organisation_id=hall.organisation_id, by=hall.admin, now=hall.MORNING)
