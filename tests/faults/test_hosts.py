"""Two hosts serve one installation, and the wall clock of one of them is wrong (C1)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.harmed import WALL_SECONDS
from tests.faults.processes import Server
from tests.faults.site import Site

pytestmark = pytest.mark.postgresql
THREE_HOURS = 3 * 3600


@pytest.fixture(params=[3600, -3600], ids=["an hour ahead", "an hour behind"])
def wrong_host(country: Site, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A second server whose workers read a wrong time from their own machine."""
    settings = country.server.settings | {WALL_SECONDS: str(request.param)}
    server = Server(country.server.folder.parent / f"wrong{request.param}", module="tests.faults.harmed", **settings)
    server.start()
    country.log.faults += 1
    yield server
    server.stop()


def test_C1_I15_two_hosts_an_hour_apart_give_the_same_answers(country: Site, wrong_host: Server) -> None:
    bot, hosts = country.bot(), (country.server.port, wrong_host.port)
    bot.port = wrong_host.port
    assert bot.sign_in().status == 200
    started = bot.start()
    assert started.status == 201
    assert THREE_HOURS - 5 < started.body["remaining_seconds"] <= THREE_HOURS
    deadlines, left = set(), []
    for port in hosts * 2:
        bot.port = port
        bot.read()
        country.redis.client.flushall()
        assert bot.save().status == 200, "a token of the one host holds on the other"
        seen = bot.remaining()
        deadlines.add(seen.body["deadline_at"])
        left.append(seen.body["remaining_seconds"])
    assert len(deadlines) == 1
    assert max(left) - min(left) <= 2
    assert wrong_host.ready()["clock"] == "ok"
    bot.port = hosts[0]
    assert bot.submit().body["status"] in ("submitted", "completed")
    with country.console() as console:
        query = "SELECT abs(extract(epoch FROM closed_at - clock_timestamp())) FROM attempts WHERE id = %s"
        assert console.execute(query, (bot.attempt_id,)).fetchone()[0] < 5
        query = "SELECT extract(epoch FROM max(arrived_at) - clock_timestamp()) FROM answer_saves WHERE attempt_id = %s"
        assert console.execute(query, (bot.attempt_id,)).fetchone()[0] > -30, "arrivals go by the database's clock"
