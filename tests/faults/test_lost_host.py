"""Two hosts over one PostgreSQL and one Redis Cluster; one of them loses its power while everybody writes (W1, P1)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.bots import Bot, Seen, acknowledged, writing
from tests.faults.checks import check_invariants, wrong_keys
from tests.faults.hosts import Installation
from tests.faults.processes import Postgres, soon
from tests.figures import count
from tests.postgresql import bin_folder

pytestmark = pytest.mark.postgresql
WRITERS = 6
ENDS_IN_SECONDS = 4.0
GRACE_SECONDS, SWEPT_SECONDS = 2, 5
NOTICED_SECONDS = 20.0  # far less on a machine that does nothing else
KEYS_MENDED_SECONDS = 20.0  # a sweep compares every 5 s; more on a machine that has no time


@pytest.fixture
def installation(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Installation]:
    """Two hosts; after the test the ack log, the invariants and the keys are checked."""
    programs = bin_folder()
    if programs is None:
        pytest.skip("no PostgreSQL here")
    both = Installation(tmp_path, Postgres(programs))
    log = both.log
    try:
        both.start()
        yield both
        check_invariants(both.database_url, log)
        redis = both.redis.client()
        soon(lambda: not wrong_keys(both.database_url, redis), within_seconds=KEYS_MENDED_SECONDS)
    finally:
        both.close()
        count(request, "faults", answers_acknowledged=len(acknowledged(log.seen)), lost=log.lost, faults_injected=1)


def ends_soon(installation: Installation, bot: Bot) -> None:
    """Let the bot's time be over in a few seconds, as if it had started hours ago."""
    columns = ("created_at", "started_at", "deadline_at")
    earlier = ", ".join(f"{column} = {column} - by" for column in columns)
    installation.ask(
        "WITH moved AS (SELECT id, deadline_at - clock_timestamp() - %s * interval '1 second' AS by "
        f"FROM attempts WHERE id = %s) UPDATE attempts SET {earlier}, version = version + 1 "
        "FROM moved WHERE attempts.id = moved.id RETURNING by",
        ENDS_IN_SECONDS,
        bot.attempt_id,
    )


def is_closed_and_marked(installation: Installation, bot: Bot) -> bool:
    """Whether the sweeper has ended the bot's attempt, and marked what a machine can mark."""
    query = "SELECT ended_by, marked_at IS NOT NULL FROM attempts WHERE id = %s"
    return installation.ask(query, bot.attempt_id) == [("expired", True)]


def surely(call: Callable[[], Seen]) -> int | None:
    """Ask until there is an answer, as a page does; return its status."""
    seen: list[int | None] = []

    def is_answered() -> bool:
        seen.append(call().status)
        return seen[-1] not in (None, 503)

    soon(is_answered, within_seconds=NOTICED_SECONDS)
    return seen[-1]


def test_W1_P1_a_host_without_power_costs_nobody_an_answer_a_second_or_the_end_in_time(
    installation: Installation,
) -> None:
    lost, left = installation.hosts
    bots = [installation.bot().begin() for _ in range(WRITERS)]
    ending, newcomer = installation.bot().begin(), installation.bot()
    before = {bot.login: bot.remaining().body["deadline_at"] for bot in bots}
    with writing(bots):
        time.sleep(0.5)
        ends_soon(installation, ending)
        assert ending.save().status == 200
        assert min(installation.door.given.values()) > 10, "each host had its share"
        lost.lose_power()
        killed = len(installation.log.seen)
        assert lost.is_known_to_the_database
        assert surely(newcomer.sign_in) == 200
        assert surely(newcomer.start) in (200, 201)
        soon(lambda: _each_was_saved(installation, bots, killed), within_seconds=NOTICED_SECONDS)
        within_seconds = ENDS_IN_SECONDS + GRACE_SECONDS + SWEPT_SECONDS
        soon(lambda: is_closed_and_marked(installation, ending), within_seconds=within_seconds)
    assert installation.log.statuses() <= {None, 200, 201, 503}

    after = {bot.login: bot.remaining().body["deadline_at"] for bot in bots}
    assert after == before, "no second gained, none lost"
    assert installation.ask("SELECT count(*) FROM pauses") == [(0,)], "a host is not the installation"
    assert (bots[0].read().status, newcomer.read().status) == (200, 200)
    assert (ending.submit().body["status"], bots[0].submit().body["status"]) == ("expired", "submitted")
    ready = left.server.ready()
    assert {ready[part] for part in ("database", "redis", "sweeper", "clock")} == {"ok"}, ready


def _each_was_saved(installation: Installation, bots: list[Bot], since: int) -> bool:
    """Whether each of them had an answer acknowledged since then."""
    saved = {seen.attempt_id for seen in acknowledged(installation.log.seen[since:])}
    return saved >= {bot.attempt_id for bot in bots}
