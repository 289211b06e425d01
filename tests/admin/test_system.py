"""The system page says in words how the installation fares; the outbox shows every mail and tries one again."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from kiosk import clock
from kiosk.extensions import db
from kiosk.models import Mail
from kiosk.services import mails, seals, system
from tests.cast import Hall
from tests.desk import Desk


@pytest.fixture
def letter(hall: Hall) -> Mail:
    """A mail that was given up."""
    row = {"organisation_id": hall.organisation_id, "user_id": hall.admin.id, "address": "chief@example.org"}
    mails.put(
        [row | {"kind": "offline", "about": "x:1", "subject": "C01: <b>silent</b>", "body": "- N001\n- N002"}],
        now=hall.MORNING,
    )
    mail = db.session.execute(select(Mail)).scalar_one()
    mails.note_trouble(mail.id, 1, "550 nobody of that name", is_final=True, now=hall.MORNING)
    return mail


def test_what_readyz_knows_is_said_in_words(app, hall: Hall) -> None:
    page = Desk(app, "auditor").text("/admin/system")
    assert "Something needs attention." in page
    assert "It has been silent for half a minute" in page
    system.stamp("sweeper", now=clock.now())
    page = Desk(app, "auditor").text("/admin/system")
    assert "All is well." in page
    assert "Alive" in page
    assert "Revision 0" in page


def test_a_dead_redis_is_told_with_what_it_means(app, hall: Hall, redis_process) -> None:
    redis_process.stop()
    assert "Running tests go on; none can start until it is back" in Desk(app, "admin").text("/admin/system")


def test_seals_are_told_with_the_hash_to_note_down(app, hall: Hall) -> None:
    assert "Seals 0 Newest –" in Desk(app, "admin").text("/admin/system")
    seals.seal(now=hall.MORNING + timedelta(days=30))
    newest = seals.newest()
    assert newest is not None
    assert newest.hash in Desk(app, "admin").text("/admin/system")


def test_the_backups_in_their_folder_are_listed(app, hall: Hall) -> None:
    folder = app.extensions["settings"].backup_dir
    assert "There is no backup in" in Desk(app, "admin").text("/admin/system")
    folder.mkdir()
    (folder / "kiosk-1.tar.gz").write_bytes(b"x" * 2_500_000)
    try:
        assert "kiosk-1.tar.gz" in (page := Desk(app, "admin").text("/admin/system"))
        assert "2.5 MB" in page
    finally:
        (folder / "kiosk-1.tar.gz").unlink()
        folder.rmdir()


def test_the_outbox_shows_each_mail_with_its_trouble(app, letter: Mail) -> None:
    page = Desk(app, "auditor").get("/admin/mails").get_data(as_text=True)
    assert "C01: &lt;b&gt;silent&lt;/b&gt;" in page
    assert "550 nobody of that name" in page
    assert "Try again" not in page, "who may not act is offered nothing"
    assert "No mail matches these filters." in Desk(app, "admin").text("/admin/mails?status=sent")
    assert "chief@example.org" in Desk(app, "admin").text("/admin/mails?q=CHIEF&page=7&status=rubbish")


def test_a_mail_that_was_given_up_is_tried_again_by_an_admin_only(app, hall: Hall, letter: Mail) -> None:
    place = f"/admin/mails/{letter.id}/again"
    assert Desk(app, "auditor").post(place).status_code == 403
    admin = Desk(app, "admin")
    assert admin.post(place).status_code == 303
    assert admin.post(place).status_code == 404, "it waits already"
    db.session.rollback()
    assert (letter.status, letter.tries) == ("waiting", 0)


@pytest.mark.parametrize("login", ["centre", "invigilator", "marks"])
def test_a_centres_people_see_neither(app, hall: Hall, login: str) -> None:
    desk = Desk(app, login)
    assert [desk.get(place).status_code for place in ("/admin/system", "/admin/mails")] == [403, 403]


def test_the_outbox_leaves_as_a_table_of_what_the_filters_show(app, letter: Mail) -> None:
    auditor = Desk(app, "auditor")
    rows = list(csv.DictReader(io.StringIO(auditor.get("/admin/mails/export?status=failed").get_data(as_text=True))))
    named = [(row["login"], row["status"], row["subject"], row["body"]) for row in rows]
    assert named == [("admin", "failed", "C01: <b>silent</b>", "'- N001\n- N002")]
    assert "chief@" not in auditor.get("/admin/mails/export?q=nobody").get_data(as_text=True)
    assert auditor.get("/admin/mails/export?format=xlsx").mimetype.endswith("sheet")
    page = auditor.get("/admin/mails?status=failed").get_data(as_text=True)
    assert 'href="/admin/mails/export?format=csv&amp;status=failed"' in page
    assert Desk(app, "centre").get("/admin/mails/export").status_code == 403
