"""The server of the races, and who calls it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import update

from kiosk import clock
from kiosk.extensions import db, transaction
from kiosk.models import Paper
from tests.cast import Hall
from tests.figures import count
from tests.races.server import Caller, RaceServer
from tests.races.track import DURATION, People, Track
from tests.snapshot import Snapshot


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
    count(request, "races", answers_acknowledged=found.acknowledged, pairs=1, rounds=found.rounds)


def _sign_in(hall: Hall, server: RaceServer) -> People:
    now = hall.MORNING
    logins = [f"N{place:03}" for place in range(1, hall.CANDIDATES + 1)]
    return People(
        candidates=[[Caller(server).take_token(login, now) for _ in range(3)] for login in logins],
        program=Caller(server).take_token("centre", now),
        centre=Caller(server).sign_in("centre", now),
        admin=Caller(server).sign_in("admin", now),
    )
