"""The whole server is killed in the middle of an exam, and comes back two minutes later."""

from __future__ import annotations

import re
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

from tests.runtime.conftest import Instance
from tests.runtime.visitor import Visitor

THREE_HOURS_MS = 3 * 3600 * 1000
INSTANTS = {
    "process_stamps": ("stamped_at",),
    "attempts": ("created_at", "changed_at", "consented_at", "started_at", "deadline_at"),
    "answers": ("saved_at", "visited_at"),
}


def let_two_minutes_pass(database: Path) -> None:
    """Move everything that has happened two minutes into the past: as if the server had been away so long."""
    with sqlite3.connect(database) as connection:
        for table, columns in INSTANTS.items():
            for column in columns:
                connection.execute(
                    f"UPDATE {table} SET {column} = strftime('%Y-%m-%d %H:%M:%f', {column}, '-120 seconds') || '000' "
                    f"WHERE {column} IS NOT NULL"
                )


def test_after_two_minutes_without_a_server_everybody_is_paused_and_goes_on_with_their_time(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance("one", KIOSK_ENV="demo")
    instance.start()
    candidate = Visitor(instance.port)
    candidate.start("TEST000001")
    assert "/candidate/exam" in candidate.path, candidate.page
    question = re.search(r'name="question"[^>]*value="([^"]+)"', candidate.page)
    assert question
    instance.end(signal.SIGKILL)
    let_two_minutes_pass(instance.folder / "kiosk.db")

    instance.start()
    candidate.get("/candidate/")
    assert "is paused" in candidate.page, "nobody was expired"
    staff = Visitor(instance.port)
    staff.sign_in("centre")
    assert "Resume room" in staff.page
    staff.get("/centre/slots/resume?all=1&slot=paused")
    staff.send_form("/centre/slots/resume")
    candidate.get("/candidate/")
    assert "is paused" not in candidate.page
    candidate.post("/candidate/identity", me="yes")
    assert candidate.path == "/candidate/exam"
    assert THREE_HOURS_MS - 20_000 < candidate.remaining_ms() <= THREE_HOURS_MS
    assert question[1] in candidate.page, "the same question"


def test_the_sweeper_hands_in_with_every_browser_closed(make_instance: Callable[..., Instance]) -> None:
    instance = make_instance("one", KIOSK_ENV="demo")
    instance.start()
    candidate = Visitor(instance.port)
    candidate.start("TEST000001")
    with sqlite3.connect(instance.folder / "kiosk.db", timeout=5) as connection:
        connection.execute("UPDATE attempts SET deadline_at = started_at")
    from tests.runtime.conftest import eventually

    def is_over() -> bool:
        with sqlite3.connect(instance.folder / "kiosk.db", timeout=5) as connection:
            return connection.execute("SELECT status, ended_by FROM attempts").fetchone()[1] == "expired"

    assert eventually(is_over, within_seconds=8)
    assert "Time" in Visitor(instance.port).sign_in("TEST000001")


def test_I20_after_a_restart_with_an_empty_redis_every_page_is_as_before(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance("one", KIOSK_ENV="demo")
    instance.start()
    candidate, staff = Visitor(instance.port), Visitor(instance.port)
    candidate.start("TEST000001")
    staff.sign_in("centre")
    visited = ("/candidate/exam", "/candidate/exam/summary", "/candidate/")
    before = [without_the_clock(candidate.get(path)) for path in visited]
    rows, left = without_the_clock(staff.get("/centre/")), candidate.remaining_ms()
    instance.end(signal.SIGKILL)
    for file in (instance.folder / "redis").rglob("*"):
        if file.is_file():
            file.unlink()

    instance.start()
    assert [without_the_clock(candidate.get(path)) for path in visited] == before
    assert without_the_clock(staff.get("/centre/")) == rows
    assert left - 60_000 < candidate.remaining_ms() <= left


def without_the_clock(page: str) -> str:
    """A page without what tells the time, and without tokens, which are new each time."""
    page = re.sub(r'<div id="clock".*?</div>', "", page, flags=re.S)
    page = re.sub(r'(csrf[-_][tT]oken[^>]*?(?:value|content)=|X-CSRFToken": )"[^"]*"', "", page)
    return re.sub(r"\d\d:\d\d:\d\d", "", page)
