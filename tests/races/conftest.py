"""The server of the races, who calls it, and the figures at the end of the run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import update

from kiosk import clock
from kiosk.extensions import db, transaction
from kiosk.models import Paper
from tests.cast import Hall
from tests.races.server import Caller, RaceServer
from tests.races.track import DURATION, People, Track
from tests.snapshot import Snapshot

FIGURES = "races_figures"


@pytest.fixture(scope="session")
def race_server(bare_app: Flask) -> Iterator[RaceServer]:
    """The application on a port of its own."""
    server = RaceServer(bare_app)
    yield server
    server.close()


@pytest.fixture(scope="session")
def _signed_in() -> dict[int, People]:
    """Who signed in at which server: once is enough, a sign-in outlives the rows of a test."""
    return {}


@pytest.fixture
def track(
    app: Flask,
    hall: Hall,
    snapshot: Snapshot,
    race_server: RaceServer,
    _signed_in: dict[int, People],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Track]:
    """Where the pairs race: short papers, and people with sign-ins of their own."""
    monkeypatch.setattr(clock, "now", race_server.now)
    people = _signed_in.get(race_server.port) or _sign_in(hall, race_server)
    _signed_in[race_server.port] = people

    def make_anew() -> None:
        snapshot.restore()
        with transaction():
            db.session.execute(update(Paper).values(duration_seconds=int(DURATION.total_seconds())))

    make_anew()
    found = Track(app, hall, people, make_anew)
    yield found
    request.node.user_properties.append((FIGURES, [found.rounds, 1, found.acknowledged]))


def _sign_in(hall: Hall, server: RaceServer) -> People:
    now = hall.MORNING
    logins = [f"N{place:03}" for place in range(1, hall.CANDIDATES + 1)]
    return People(
        candidates=[[Caller(server).take_token(login, now) for _ in range(3)] for login in logins],
        program=Caller(server).take_token("centre", now),
        centre=Caller(server).sign_in("centre", now),
        admin=Caller(server).sign_in("admin", now),
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how much was raced. The figures travel with the reports, from other processes too."""
    found = [
        figures
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "teardown"
        for name, figures in report.user_properties
        if name == FIGURES
    ]
    if found:
        rounds, pairs, acknowledged = (sum(column) for column in zip(*found, strict=True))
        terminalreporter.write_line(f"races: {rounds} rounds of {pairs} pairs, {acknowledged} answers acknowledged")
