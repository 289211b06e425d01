"""PostgreSQL dies, its lines are cut, its rows are held, its connections run out; workers that disagree about Redis."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from kiosk import postgresql as postgresql_engine
from kiosk.extensions import db
from tests.cast import Hall
from tests.faults.bots import Bot, saves, writing
from tests.faults.processes import Server, soon
from tests.faults.proxy import Cut, Proxy
from tests.faults.site import Site
from tests.postgresql import Cluster

pytestmark = pytest.mark.postgresql
WHEN = {"before": False, "after": True}


def stored_seq(site: Site, bot: Bot) -> int:
    """The `seq` that is stored for the bot's first question."""
    query = "SELECT seq FROM answers WHERE attempt_id = %s AND question_id = %s"
    with site.console() as console:
        row = console.execute(query, (bot.attempt_id, bot.questions[0])).fetchone()
        assert row is not None
        return row[0]


def warm(bots: list[Bot]) -> None:
    """Let every worker open its connections."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda bot: bot.save_surely(), bots * 4))


def test_D1_the_postmaster_killed_and_started_again_costs_no_acknowledged_answer(country: Site) -> None:
    bots = country.bots(3)
    assert country.postgres is not None
    with writing(bots):
        time.sleep(0.3)
        country.postgres.kill()
        country.log.faults += 1
        time.sleep(0.3)
        assert country.server.is_alive()
        assert bots[0].save().status == 503
        country.postgres.start()
        assert country.recovers_database() < 10
    assert country.log.statuses() <= {200, 201, 503}


@pytest.mark.parametrize("when", WHEN)
def test_D1_a_line_cut_around_a_save_leaves_all_or_nothing(country: Site, when: str) -> None:
    (bot,) = country.bots(1)
    assert country.database_line is not None
    assert bot.save_surely().status == 200
    before = stored_seq(country, bot)
    # one statement that is its own transaction
    with country.database_line.cutting(Cut(b"UPDATE answers", b"UPDATE answers", WHEN[when])) as has_cut:
        refused = bot.save()
        assert has_cut()
    assert (refused.status, refused.body["code"]) == (503, "busy")
    assert stored_seq(country, bot) == (before if when == "before" else refused.seq)
    again = bot.save(text=refused.response, seq=refused.seq)
    assert (again.status, again.body["saved"], again.body["seq"]) == (200, True, refused.seq)


@pytest.mark.parametrize("when", WHEN)
def test_D1_a_line_cut_around_the_commit_of_a_start_starts_once(country: Site, when: str) -> None:
    bot = country.bot()
    assert country.database_line is not None
    bot.sign_in()
    bot.look()
    with country.database_line.cutting(Cut(b"INSERT INTO answers", b"COMMIT", WHEN[when])) as has_cut:
        assert bot.start().status == 503
        assert has_cut()
    started = bot.start()
    assert started.status == (201 if when == "before" else 200)
    assert bot.remaining().body["status"] == "in_progress"
    assert 3 * 3600 - 15 < started.body["remaining_seconds"] <= 3 * 3600


@pytest.mark.parametrize("when", WHEN)
def test_D1_a_line_cut_around_the_commit_of_a_hand_in_hands_in_once(country: Site, when: str) -> None:
    (bot,) = country.bots(1)
    assert country.database_line is not None
    assert bot.save_surely().status == 200
    with country.database_line.cutting(Cut(b"UPDATE attempts SET", b"COMMIT", WHEN[when])) as has_cut:
        bot.submit()
        assert has_cut()
    first, second = bot.submit(), bot.submit()
    assert (first.status, second.status) == (200, 200)
    assert first.body["receipt"] == second.body["receipt"]
    assert bot.save().status == 409, "whatever its key says until the next sweep"


def test_D2_a_storm_of_terminated_backends_costs_no_acknowledged_answer(country: Site) -> None:
    bots = country.bots(3)
    others = "pid <> pg_backend_pid() AND datname = 'faults'"
    storm = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {others}"
    with writing(bots), country.console() as console:
        for _ in range(6):
            time.sleep(0.15)
            console.execute(storm)
            country.log.faults += 1
    assert country.log.statuses() <= {200, 201, 503}
    warm(bots)


def test_D2_after_all_lines_broke_idle_no_request_fails(country: Site) -> None:
    bots = country.bots(2)
    warm(bots)
    assert country.database_line is not None
    assert country.database_line.reset()
    country.log.faults += 1
    assert [bot.save().status for bot in bots * 3] == [200] * 6


def test_D6_I14_a_row_held_longer_than_the_lock_timeout_is_a_503_and_no_hung_worker(country: Site) -> None:
    held, free = country.bots(2)
    with country.console() as console, console.transaction():
        console.execute("SELECT 1 FROM attempts WHERE id = %s FOR UPDATE", (held.attempt_id,))
        country.log.faults += 1
        with ThreadPoolExecutor(2) as pool:
            waiting = [pool.submit(held.save), pool.submit(held.submit)]
            time.sleep(0.2)
            assert free.save().status == 200
            assert held.remaining().status == 200
            assert country.server.is_alive()
            seen = [one.result() for one in waiting]
    held.is_done = False
    assert {one.status for one in seen} == {503}
    # who stands second in line waits for the first one, and then once more for the row
    assert all(2.5 < one.seconds < 8 for one in seen)
    assert held.save().status == 200


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True, scope="session")
def test_D7_an_exhausted_pool_is_a_503_and_health_still_answers(
    app: Flask, hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool: Any = db.engine.pool
    monkeypatch.setattr(pool, "_timeout", 0.2)
    db.session.remove()
    taken = [db.engine.connect() for _ in range(pool.size() + pool._max_overflow)]
    answers: dict[str, Any] = {}

    def ask(path: str) -> None:
        answers[path] = app.test_client().get(path)

    try:
        for path in ("/healthz", "/login", "/api/exam/", "/readyz"):
            asking = threading.Thread(target=ask, args=(path,))
            asking.start()
            asking.join(5)
        assert answers["/healthz"].status_code == 200
        assert answers["/readyz"].status_code == 503
        hall_bot = {"username": "N001", "password": "wrong"}
        refused = app.test_client().post("/api/auth/login/", json=hall_bot)
        assert (refused.status_code, refused.get_json()["code"], refused.headers["Retry-After"]) == (503, "busy", "2")
    finally:
        for connection in taken:
            connection.close()


def test_D7_more_candidates_than_connections_all_get_through(country: Site) -> None:
    with country.console() as console:
        limit = console.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = 'faults'").fetchone()
        assert limit is not None
        console.execute(f"ALTER DATABASE faults CONNECTION LIMIT {limit[0]}")
    country.log.faults += 1
    try:
        bots = country.bots(4)
        warm(bots * 2)
        assert country.server.is_alive()
    finally:
        with country.console() as console:
            console.execute("ALTER DATABASE faults CONNECTION LIMIT -1")
    assert country.log.statuses() <= {200, 201, 503}


def test_W2_a_database_that_falls_silent_is_given_up_and_used_again_when_it_speaks(
    postgresql: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Proxy(f"{postgresql.folder}/.s.PGSQL.5432")
    url = f"postgresql+psycopg://postgres@127.0.0.1:{line.port}/postgres?sslmode=disable&gssencmode=disable"
    engine = create_engine(url, **postgresql_engine.engine_options())
    postgresql_engine.prepare(engine)
    try:
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
            monkeypatch.setattr(postgresql_engine, "ANSWER_SECONDS", 0.2)
            begun_at = time.monotonic()
            with line.blackhole(), pytest.raises(OperationalError):
                connection.execute(text("SELECT 2"))
            assert time.monotonic() - begun_at < 1
        monkeypatch.undo()
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 3")).scalar_one() == 3, "not the answer that came too late"
    finally:
        engine.dispose()
        line.close()


def test_R7_a_server_without_redis_decides_as_one_with_it(country: Site) -> None:
    (bot,) = country.bots(1)
    cut_off = Proxy(("127.0.0.1", country.redis.port))
    settings = country.server.settings | {"KIOSK_REDIS_URL": f"redis://127.0.0.1:{cut_off.port}"}
    other = Server(country.server.folder.parent / "two", module="kiosk.runtime.server", **settings)
    other.start()
    try:
        with cut_off.partition():
            country.log.faults += 1
            for port in (country.server.port, other.port, country.server.port, other.port):
                bot.port = port
                assert bot.save().status == 200
                time_left = bot.remaining()
                assert time_left.body["status"] == "in_progress"
            texts = [seen.body["seq"] for seen in saves(country.log.lately())]
            assert texts == sorted(texts)
            both = [seen.body["remaining_seconds"] for seen in country.log.lately() if seen.call == "remaining"]
            assert max(both) - min(both) <= 2
            bot.port = other.port
            assert bot.submit().status == 200, "handed in where Redis is not to be seen"
            bot.port = country.server.port
            assert bot.save().status == 409, "the old key says time left, and decides nothing"
            soon(lambda: bot.remaining().body["status"] in ("submitted", "completed"), within_seconds=7)
    finally:
        other.stop()
        cut_off.close()
