"""W1, every point: a worker dies before or after each commit and each call of Redis, and before the reply."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.faults.bots import Bot, Seen
from tests.faults.harmed import HEADER, points
from tests.faults.processes import Server, soon
from tests.faults.site import Site

pytestmark = pytest.mark.postgresql
THREE_HOURS = 3 * 3600
# how often each commits and calls Redis; that it is not more is what `test_budgets.py` asserts
POINTS = {"start": points(1, 1), "save": points(1, 0), "submit": points(2, 1)}


@pytest.fixture(scope="module")
def mortal(country_site: Site) -> Iterator[Server]:
    """A second server of the country, whose workers die where a request says."""
    settings = country_site.server.settings
    server = Server(country_site.server.folder.parent / "mortal", module="tests.faults.harmed", **settings)
    server.start()
    yield server
    server.stop()


@contextmanager
def dying(bot: Bot, point: str) -> Iterator[None]:
    """Send requests that kill the worker which answers them."""
    bot.headers = {HEADER: point}
    yield
    bot.headers = {}


def lost_at(server: Server, bot: Bot, point: str, call: Callable[[], Seen]) -> Seen:
    """Send a request that kills its worker there; again, where it met the dying worker of the test before."""
    seen: list[Seen] = []
    said_before = len(server.output())

    def has_died() -> bool:
        if server.process is not None and server.process.poll() is not None:
            server.start()
        seen.append(call())
        assert seen[-1].status is None, seen[-1]
        return f"dies {point}" in server.output()[said_before:]

    with dying(bot, point):
        soon(has_died, within_seconds=15)
    return seen[-1]


def again(server: Server, call: Callable[[], Seen]) -> Seen:
    """Send it again until a worker is there, as a kiosk does.

    A worker that dies twice within six seconds takes the server along; then it is started again, as `kiosk.run` does.
    """
    seen: list[Seen] = []

    def is_answered() -> bool:
        if server.process is not None and server.process.poll() is not None:
            server.start()
        seen.append(call())
        return seen[-1].status is not None

    soon(is_answered, within_seconds=15)
    return seen[-1]


@pytest.mark.parametrize("point", POINTS["start"])
def test_W1_a_worker_that_dies_during_a_start_has_started_it_once_or_used_nothing_up(
    country: Site, mortal: Server, point: str
) -> None:
    bot = country.bot()
    bot.port = mortal.port
    assert again(mortal, bot.sign_in).status == 200
    assert again(mortal, bot.look).status == 200
    lost_at(mortal, bot, point, bot.start)
    country.log.faults += 1
    started = again(mortal, bot.start)
    assert (started.status, started.body["resumed"]) in ((201, False), (200, True))
    assert THREE_HOURS - 15 < started.body["remaining_seconds"] <= THREE_HOURS
    has_committed = point.startswith("after commit") or point.startswith("before reply")
    assert (started.status == 200) == has_committed
    assert again(mortal, bot.read).status == 200


@pytest.mark.parametrize("point", POINTS["save"])
def test_W1_a_worker_that_dies_during_a_save_has_stored_it_once_or_not_at_all(
    country: Site, mortal: Server, point: str
) -> None:
    (bot,) = country.bots(1)
    assert bot.save().status == 200
    bot.port = mortal.port
    lost = lost_at(mortal, bot, point, bot.save)
    country.log.faults += 1
    repeated = again(mortal, lambda: bot.save(text=lost.response, seq=lost.seq))
    assert (repeated.status, repeated.body["saved"], repeated.body["seq"]) == (200, True, lost.seq)


@pytest.mark.parametrize("point", POINTS["submit"])
def test_W1_a_worker_that_dies_during_a_hand_in_has_handed_in_once_or_not_at_all(
    country: Site, mortal: Server, point: str
) -> None:
    (bot,) = country.bots(1)
    assert bot.save().status == 200
    bot.port = mortal.port
    lost_at(mortal, bot, point, bot.submit)
    country.log.faults += 1
    first, second = again(mortal, bot.submit), again(mortal, bot.submit)
    assert first.status == second.status == 200
    assert first.body["receipt"] == second.body["receipt"]
    assert again(mortal, bot.save).status == 409


def test_W1_no_point_of_a_request_was_left_out(country: Site, mortal: Server) -> None:
    """One more commit or call than the table knows would be a point that nobody tried."""
    bot = country.bot()
    bot.port = mortal.port
    assert again(mortal, bot.sign_in).status == 200
    assert again(mortal, bot.look).status == 200
    beyond = {"start": (bot.start, 2, 2), "save": (bot.save, 2, 1), "submit": (bot.submit, 3, 2)}
    for name, (call, commits, redis_calls) in beyond.items():
        assert f"before commit {commits}" not in POINTS[name]
        beyond_it, said_before = [f"before commit {commits}", f"before redis {redis_calls}"], len(mortal.output())
        with dying(bot, ", ".join(beyond_it)):
            assert again(mortal, call).status in (200, 201), name
        assert "dies before" not in mortal.output()[said_before:], name
        if not bot.questions:
            assert again(mortal, bot.read).status == 200
