"""The clock on the kiosk, and what the page does when the exam stops under it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Route, expect
from sqlalchemy import select, update

from kiosk import clock, create_app, timers
from kiosk.config import load_settings
from kiosk.extensions import db, transaction
from kiosk.models import Attempt, Candidate
from kiosk.services import pauses
from kiosk.services.audit import SYSTEM
from tests.browser.conftest import Server
from tests.browser.exam_page import at_the_exam
from tests.browser.kiosk import Kiosk


@pytest.fixture
def office(server: Server) -> Iterator[Flask]:
    """The staff's hand on the running server: the same database and Redis from another process."""
    app = create_app(load_settings({"KIOSK_INSTANCE_DIR": str(server.folder)}), background=False)
    with app.app_context():
        yield app
        db.session.remove()


def attempt_of(login: str) -> UUID:
    """The candidate's attempt."""
    db.session.rollback()
    return db.session.execute(
        select(Attempt.id).join(Candidate, Candidate.id == Attempt.candidate_id).where(Candidate.service_no == login)
    ).scalar_one()


def end_in(login: str, seconds: float) -> None:
    """Move the deadline of an attempt near."""
    attempt_id = attempt_of(login)
    deadline_at = clock.now() + timedelta(seconds=seconds)
    with transaction():
        row = db.session.execute(
            update(Attempt)
            .where(Attempt.id == attempt_id)
            .values(deadline_at=deadline_at, version=Attempt.version + 1)
            .returning(Attempt.version, Attempt.lease)
        ).one()
    timers.create_timer(attempt_id, deadline_at, version=row.version, lease=row.lease, now=clock.now())


def ask_now(kiosk: Kiosk) -> None:
    """What the page does by itself every 8 s (10 s where it waits)."""
    kiosk.page.evaluate(
        "for (const one of document.querySelectorAll('[hx-trigger^=every]')) htmx.trigger(one, 'every')"
    )


def say_left(kiosk: Kiosk, milliseconds: int) -> None:
    """Let the page read another time from the clock that the server drew."""
    kiosk.page.evaluate(
        """left => {
            const old = document.getElementById("clock"), fresh = old.cloneNode(true);
            fresh.dataset.ms = left;
            delete fresh.dataset.read;
            old.replaceWith(fresh);
            htmx.process(fresh);
        }""",
        milliseconds,
    )


def test_ten_five_and_one_minute_before_the_end_the_page_says_so_once(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody())
    face, news = kiosk.page.locator("#clock"), kiosk.page.locator("#time-news")
    expect(news).to_be_empty()
    for milliseconds, minutes, look, label in (
        (600_900, "10 minutes left.", "timer--amber", "Less than 10 minutes"),
        (300_900, "5 minutes left.", "timer--red", "Less than 5 minutes"),
        (60_900, "1 minute left.", "timer--red", "Last minute"),
    ):
        say_left(kiosk, milliseconds)
        expect(news).to_have_text(minutes)
        expect(face).to_have_class(re.compile(look))
        expect(face).to_contain_text(label)


def test_the_clock_counts_down_between_two_answers_of_the_server(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody())
    before = kiosk.seconds_left()
    kiosk.page.wait_for_timeout(2200)
    assert 2 <= before - kiosk.seconds_left() <= 3


def test_T2_a_page_that_thinks_the_time_is_up_asks_the_server_which_knows_better(server: Server, kiosk: Kiosk) -> None:
    at_the_exam(kiosk, server.somebody())
    held: list[Route] = []
    kiosk.page.route(re.compile(r"/exam/clock\?"), lambda route: held.append(route))
    say_left(kiosk, 300)
    expect(kiosk.page.locator("#news")).to_contain_text("Time is up.")
    expect(kiosk.page.locator(".exam__main")).to_have_attribute("inert", "")
    held[0].continue_()
    expect(kiosk.page.locator("#news")).to_be_empty()
    assert kiosk.seconds_left() > 10_000
    kiosk.choose("B")
    kiosk.sees_saved()


def test_when_the_time_is_up_the_last_words_are_flushed_and_handed_in(
    server: Server, office: Flask, kiosk: Kiosk
) -> None:
    login = server.somebody()
    at_the_exam(kiosk, login).go_to(16)
    end_in(login, 2.5)
    ask_now(kiosk)
    expect(kiosk.page.locator(".timer__time")).to_have_text("00:00:01")
    kiosk.page.locator("#text").press_sequentially("In the last second")
    expect(kiosk.page.locator(".exam__main")).to_have_attribute("inert", "")
    expect(kiosk.page.locator("#news")).to_contain_text("Time is up.")
    expect(kiosk.page.locator(".code")).to_be_visible(timeout=20_000)
    kiosk.sees("1 of 43")


def test_a_paused_exam_says_that_the_time_is_safe_and_goes_on_by_itself(
    server: Server, office: Flask, kiosk: Kiosk
) -> None:
    login = server.somebody()
    at_the_exam(kiosk, login).go_to(4)
    attempt_id = attempt_of(login)
    pauses.pause([attempt_id], kind="room", reason="Fire drill", by=SYSTEM, now=clock.now())
    ask_now(kiosk)
    kiosk.sees("Your time is safe")
    pauses.unpause([attempt_id], by=SYSTEM, now=clock.now())
    ask_now(kiosk)
    kiosk.sees_question(4)


def test_K6_a_sign_in_elsewhere_takes_over_and_the_old_page_is_told(
    server: Server, open_kiosk: Callable[..., Kiosk]
) -> None:
    login, first, second = server.somebody(), open_kiosk(), open_kiosk()
    at_the_exam(first, login)
    second.sign_in(login).is_me()
    second.sees_question(1)
    first.choose("B")
    first.sees("opened")
    first.page.get_by_role("button", name="Go on here").click()
    first.sees_question(1)
    assert first.answer() == []
