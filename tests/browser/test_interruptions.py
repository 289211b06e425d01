"""What stops an exam reaches the open page by itself, and so does what lets it go on."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from playwright.sync_api import expect
from sqlalchemy import select

from kiosk import clock
from kiosk.extensions import db
from kiosk.models import Attempt, Candidate
from kiosk.services import moving, pauses, slots
from kiosk.services.audit import Actor
from tests.browser.conftest import Server
from tests.browser.exam_page import at_the_exam
from tests.browser.kiosk import Kiosk

TOLD_WITHIN_MS = 10_000


def candidate_and_attempt(server: Server, login: str) -> tuple[Actor, UUID, UUID]:
    """Somebody of the staff, the candidate, the running attempt."""
    candidate = db.session.execute(select(Candidate).where(Candidate.login == login.lower())).scalar_one()
    attempt_id = db.session.execute(
        select(Attempt.id).where(Attempt.candidate_id == candidate.id, Attempt.status.in_(("in_progress", "paused")))
    ).scalar_one()
    return Actor("system", "tests", organisation_id=candidate.organisation_id), candidate.id, attempt_id


def test_a_pause_is_told_within_ten_seconds_and_the_test_comes_back_by_itself(server: Server, kiosk: Kiosk) -> None:
    login = server.somebody()
    at_the_exam(kiosk, login).go_to(5).choose("C")
    kiosk.sees_saved()
    with server.app.app_context():
        by, _, attempt_id = candidate_and_attempt(server, login)
        pauses.pause([attempt_id], kind="invigilator", reason="fire drill", by=by, now=clock.now())
    expect(kiosk.page.locator("h1")).to_have_text("Your test is paused", timeout=TOLD_WITHIN_MS)
    kiosk.sees("Your time is safe")
    kiosk.sees("1 answer is saved on the server")
    with server.app.app_context():
        pauses.unpause([attempt_id], by=by, now=clock.now())
    expect(kiosk.page.locator("#answer")).to_have_attribute("data-number", "5", timeout=12_000)
    assert kiosk.answer() == ["C"]


def test_a_reset_slot_is_told_within_ten_seconds_and_shows_no_question_any_more(server: Server, kiosk: Kiosk) -> None:
    login = server.somebody()
    at_the_exam(kiosk, login)
    with server.app.app_context():
        by, candidate_id, _ = candidate_and_attempt(server, login)
        slots.reset([candidate_id], reason="wrong paper", by=by, now=clock.now())
    heading = kiosk.page.locator("h1")
    expect(heading).to_have_text("Your slot was taken back", timeout=TOLD_WITHIN_MS)
    kiosk.page.go_back()
    expect(kiosk.page.locator("#answer")).to_have_count(0)


def test_opened_at_another_computer_the_first_one_stops_at_the_next_answer(
    server: Server, open_kiosk: Callable[..., Kiosk]
) -> None:
    login = server.somebody()
    here = at_the_exam(open_kiosk(), login)
    there = open_kiosk()
    there.sign_in(login).is_me()
    there.page.wait_for_selector("#answer[data-is-here]")
    here.choose("A")
    here.sees("Your test is open in another place")
    here.page.get_by_role("button", name="Go on here").click()
    expect(here.page.locator("#answer")).to_be_visible()
    assert here.answer() == []


def test_of_two_tabs_one_writes_and_the_other_says_so(server: Server, kiosk: Kiosk) -> None:
    first = at_the_exam(kiosk, server.somebody()).page
    kiosk.choose("A")
    kiosk.sees_saved()
    first.reload()  # the same page again: nothing is taken from anybody
    expect(first.locator("#answer[data-is-here] [name=page]")).to_have_value("0")
    second = kiosk.new_page()
    second.goto(server.url + "/candidate/exam")
    expect(second.locator("#answer[data-is-here] [name=page]")).to_have_value("1")
    kiosk.choose("B")
    kiosk.sees("Your test is open in another place")
    expect(second.locator("#answer input:checked")).to_have_value("A")
    first.get_by_role("button", name="Go on here").click()
    expect(first.locator("#answer[data-is-here] [name=page]")).to_have_value("2")
    expect(second.locator("h1")).to_have_text("Your test is open in another place", timeout=TOLD_WITHIN_MS)


def test_whoever_is_moved_reads_at_the_old_computer_where_to_go(
    server: Server, open_kiosk: Callable[..., Kiosk]
) -> None:
    login = server.somebody()
    old = at_the_exam(open_kiosk(), login).go_to(3).choose("B")
    old.sees_saved()
    with server.app.app_context():
        by, candidate_id, _ = candidate_and_attempt(server, login)
        moving.move(candidate_id, "57", reason="the screen is dark", by=by, now=clock.now())
    expect(old.page.locator("h1")).to_have_text("You were moved to seat 57", timeout=TOLD_WITHIN_MS)
    old.page.reload()
    expect(old.page.locator("h1")).to_have_text("You were moved to seat 57")
    there = open_kiosk()
    there.sign_in(login).is_me()
    there.page.wait_for_selector("#answer[data-is-here]")
    there.sees_question(3)
    assert there.answer() == ["B"]
