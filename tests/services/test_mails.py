"""News by mail: who gets which, once and not in a flood, through a real mail server that may be away or refuse."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from flask import Flask
from sqlalchemy import select

from kiosk import mail_address
from kiosk.errors import BadInput
from kiosk.extensions import db
from kiosk.jobs import errands, mailing, news
from kiosk.models import Mail, User
from kiosk.services import expiring, mails
from tests.cast import Hall
from tests.desk import Desk
from tests.runtime.conftest import free_port


class Post:
    """A mail server on this machine that keeps what it is given, or refuses."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.refusal = ""
        self.signed_in: list[bytes] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if not self.refusal:
            self.got.append(envelope)
        return self.refusal or "250 taken"

    def sign_in(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        self.signed_in.append(data.login)
        return AuthResult(success=data.password == b"a:pass/word")


@pytest.fixture
def post(app: Flask) -> Iterator[Post]:
    """A running mail server, to which the application sends."""
    handler = Post()
    server = Controller(
        handler, hostname="127.0.0.1", port=free_port(), authenticator=handler.sign_in, auth_require_tls=False
    )
    server.start()
    before = app.extensions["settings"]
    url = f"smtp://kiosk:a%3Apass%2Fword@127.0.0.1:{server.port}?from=kiosk@example.org"
    app.extensions["settings"] = dataclasses.replace(before, mail_url=url)
    yield handler
    app.extensions["settings"] = before
    server.stop()


@pytest.fixture
def reader(hall: Hall) -> Hall:
    """A hall whose centre admin wants every kind of news, and the other centre's nobody anything."""
    person = db.session.execute(select(User.id).where(User.login == "centre")).scalar_one()
    mails.set_wishes(person, " chief@example.org ", list(mails.KINDS), by=hall.centre_admin, now=hall.MORNING)
    return hall


def waiting() -> list[Any]:
    """The outbox as it is now."""
    db.session.expire_all()
    return list(db.session.execute(select(Mail).order_by(Mail.made_at, Mail.id)).scalars())


def test_a_test_with_little_time_and_much_blank_is_told_once(reader: Hall) -> None:
    late, busy = reader.player(0), reader.player(1)
    late.start()
    busy.start()
    for number in range(1, 9):
        busy.save(number, None if number == 5 else {1: "A", 2: "A", 3: "A"}.get(number))
    begin = reader.MORNING + reader.DURATION - timedelta(minutes=10)
    assert news.gather(now=begin) == 0
    assert news.gather(now=begin + timedelta(seconds=20)) == 1
    assert news.gather(now=begin + timedelta(seconds=21)) == 0
    (mail,) = waiting()
    assert (mail.address, mail.kind) == ("chief@example.org", "time_warning")
    assert "- N001, 21 Nov, 12:50, 0 of 10 answered" in mail.body
    assert "10 में से 0" in mail.body, "in Hindi too"


def test_news_come_as_one_mail_for_five_minutes_and_none_is_lost(reader: Hall) -> None:
    for place in range(3):
        reader.player(place).start(at=reader.after(minutes=place))
    end = reader.MORNING + reader.DURATION
    for minute in range(12):
        now = end + timedelta(minutes=minute, seconds=30)
        expiring.expire_overdue(now=now)
        news.gather(now=now)
    ended = [mail.body for mail in waiting() if mail.kind == "time_ran_out"]
    assert [sum(f"N00{n}" in body.split("\n\n/")[0] for n in (1, 2, 3)) for body in ended] == [1, 2]
    assert [("N001" in body, "N002" in body, "N003" in body) for body in ended] == [
        (True, False, False),
        (False, True, True),
    ]


def test_a_takeover_and_a_silent_kiosk_are_told_to_their_centre_only(reader: Hall) -> None:
    reader.player(0).start()
    reader.player(0).resume(at=reader.after(minutes=1))
    news.gather(now=reader.after(minutes=2))
    news.gather(now=reader.after(minutes=7))
    assert [mail.kind for mail in waiting()] == ["integrity", "offline"]
    assert {mail.subject.partition(":")[0] for mail in waiting()} == {"C01"}


def test_sweepers_side_by_side_put_each_mail_into_the_outbox_once(app: Flask, reader: Hall) -> None:
    reader.player(0).start()
    now, start = reader.after(minutes=6), threading.Barrier(3)
    db.session.rollback()

    def gather() -> None:
        with app.app_context():
            start.wait()
            news.gather(now=now)
            db.session.remove()

    threads = [threading.Thread(target=gather) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(waiting()) == 1


def test_mail_goes_through_the_server_with_its_password(reader: Hall, post: Post) -> None:
    reader.player(0).start()
    news.gather(now=reader.after(minutes=6))
    assert mailing.send_due(now=reader.after(minutes=6)) == 1
    assert mailing.send_due(now=reader.after(minutes=20)) == 0
    (envelope,), (mail,) = post.got, waiting()
    assert (envelope.mail_from, envelope.rcpt_tos) == ("kiosk@example.org", ["chief@example.org"])
    assert f"Message-ID: <{mail.id}@example.org>".encode() in envelope.content
    assert (mail.status, mail.sent_at, post.signed_in) == ("sent", reader.after(minutes=6), [b"kiosk"])


def test_a_server_that_is_away_is_tried_again_with_longer_waits_and_given_up(reader: Hall, post: Post) -> None:
    reader.player(0).start()
    now = reader.after(minutes=6)
    news.gather(now=now)
    post.refusal = "451 later"
    tries = []
    for _ in range(20):
        before = waiting()[0].tries
        mailing.send_due(now=now)
        tries += [now] if waiting()[0].tries > before else []
        now += timedelta(minutes=30)
    (mail,) = waiting()
    assert (mail.status, mail.trouble, len(tries)) == ("failed", "451 later", 6)
    assert mails.send_again(mail.id, reader.organisation_id, by=reader.admin, now=now)
    assert not mails.send_again(mail.id, reader.stranger["organisation"], by=reader.admin, now=now)
    post.refusal = ""
    assert mailing.send_due(now=now) == 1


def test_what_the_server_refuses_for_good_is_not_tried_again(reader: Hall, post: Post) -> None:
    reader.player(0).start()
    news.gather(now=reader.after(minutes=6))
    post.refusal = "550 nobody of that name"
    mailing.send_due(now=reader.after(minutes=6))
    assert (waiting()[0].status, waiting()[0].trouble) == ("failed", "550 nobody of that name")


def test_without_a_mail_server_mail_waits_and_no_errand_is_held_up(app: Flask, reader: Hall) -> None:
    reader.player(0).start()
    news.gather(now=reader.after(minutes=6))
    assert mailing.send_due(now=reader.after(minutes=6)) == 0
    before = app.extensions["settings"]
    app.extensions["settings"] = dataclasses.replace(before, mail_url=f"smtp://127.0.0.1:{free_port()}")
    try:
        assert mailing.send_due(now=reader.after(minutes=7)) == 0
        errands.do(app)
    finally:
        app.extensions["settings"] = before
    assert (waiting()[0].status, "refused" in str(waiting()[0].trouble)) == ("waiting", True)


def test_wishes_are_chosen_on_the_account_page(app: Flask, hall: Hall) -> None:
    desk = Desk(app, "invigilator")
    wrong = desk.post("/account/mail", email="nobody", news="offline")
    assert (wrong.status_code, "This is no e-mail address." in wrong.get_data(as_text=True)) == (422, True)
    assert desk.post("/account/mail", email="", news="offline").status_code == 422
    assert desk.post("/account/mail", email="me@example.org", news="offline").status_code == 303
    person = db.session.execute(select(User).where(User.login == "invigilator")).scalar_one()
    assert (person.email, person.mail_wishes) == ("me@example.org", ["offline"])
    assert hall.audit(person.id)[-1][0] == "set_mail_wishes"


def test_an_address_that_would_add_a_header_is_refused(hall: Hall) -> None:
    for address in ("a@b\nBcc: all@example.org", "a b@c", "a@", "x" * 200 + "@example.org", "a@b,c@d"):
        with pytest.raises(BadInput):
            mails.set_wishes(hall.admin.id, address, ["offline"], by=hall.admin, now=hall.MORNING)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    ["mail.example", "http://x", "smtp://", "smtp://h:port", "smtp://h/x", "smtp://h?to=x", "smtp://h?from=nobody"],
)
def test_a_wrong_mail_url_is_refused_without_its_password(url: str) -> None:
    assert mail_address.problem(url)
    assert "secret" not in str(mail_address.problem(url.replace("://", "://me:secret@") + "/x"))
