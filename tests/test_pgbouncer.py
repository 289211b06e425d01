"""Behind PgBouncer in transaction mode nothing may depend on a connection: hot paths, limits, a whole sitting."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import flask_migrate
import pytest
from flask import Flask, current_app
from sqlalchemy import Engine, create_engine, event, select, text
from sqlalchemy.exc import OperationalError

from kiosk import create_app, postgresql
from kiosk.extensions import db, transaction
from kiosk.jobs import sweeper
from kiosk.models import Attempt
from kiosk.services import answers, attempts, invariants, reports, schema, slots
from tests import pgbouncer
from tests.cast import Hall
from tests.counting import counting
from tests.postgresql import Cluster
from tests.test_at_once import at_once

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True, scope="session"),
]
DROPPED = {"refuses our options": "", "drops our options": "options"}


@pytest.fixture(scope="session", params=DROPPED)
def bouncer(postgresql: Cluster, request: pytest.FixtureRequest) -> Iterator[pgbouncer.Bouncer]:
    """A PgBouncer that does not pass on what our connections ask for, in either of its ways."""
    program = pgbouncer.find()
    if program is None:
        assert os.environ.get("CI") != "true", "CI=true, and missing: pgbouncer"
        pytest.skip("NOT TESTED HERE: there is no pgbouncer")
    running = pgbouncer.Bouncer(program, postgresql, drops=DROPPED[request.param])
    yield running
    running.close()


@pytest.fixture(scope="session")
def app_behind(bouncer: pgbouncer.Bouncer, bare_app: Flask) -> Iterator[Flask]:
    """The application on the tests' database, through PgBouncer."""
    with bare_app.app_context():
        name = str(db.engine.url.database)
    settings = replace(bare_app.extensions["settings"], database_url=bouncer.url(name))
    behind = create_app(settings, background=False)
    yield behind
    with behind.app_context():
        db.engine.dispose()


@pytest.fixture
def hall_behind(hall: Hall, app_behind: Flask) -> Iterator[Hall]:
    """The hall, whose every statement goes through PgBouncer."""
    db.session.remove()
    app_behind.extensions["timers"].forgive()
    with app_behind.app_context():
        yield hall
        db.session.remove()


def test_a_whole_morning_passes_through_it(hall_behind: Hall, app_behind: Flask) -> None:
    hall, players = hall_behind, [hall_behind.player(place) for place in range(Hall.CANDIDATES)]

    def sit(player: Any) -> str:
        attempt_id = player.start().attempt_id
        for seq in range(1, 4):
            assert player.save(1, "ABC"[seq - 1], seq=seq).saved
        if player is not players[0]:
            attempts.submit(attempt_id, by=player.actor, now=hall.MORNING)
        return player.attempt.status

    # six at once on two connections: each transaction finds another one's connection
    assert at_once(app_behind, *[lambda p=player: sit(p) for player in players]) == ["in_progress"] + ["completed"] * 5
    assert sweeper.sweep(now=hall.after(hours=3, seconds=3)) == 1
    slots.reset([players[1].id], reason="behind", by=hall.admin, now=hall.after(hours=4))
    assert all(one.holds for one in invariants.check(now=hall.after(hours=4)))
    assert db.session.scalars(select(Attempt.status)).all() == ["completed"] * 6


def test_the_hot_paths_keep_their_budgets_and_their_limits(hall_behind: Hall) -> None:
    player = hall_behind.player()
    attempt_id = player.start().attempt_id
    question_id = player.paper()[0][1]
    db.session.rollback()
    sent: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _u, statement, *_: sent.append(statement))
    with counting() as counted:
        answers.save(attempt_id, question_id, "B", seq=1, lease=player.lease, by=player.actor, now=hall_behind.MORNING)
    assert counted.statements <= 2
    assert counted.commits == 1
    assert sent[0] == postgresql.LIMITED_BEGIN
    with counting() as counted:
        assert reports.clock(attempt_id, lease=player.lease, now=hall_behind.MORNING).is_running
    assert counted.statements == 0


def test_every_transaction_is_limited_and_leaves_nothing_behind(hall_behind: Hall) -> None:
    for begin in (transaction, db.session.begin):
        db.session.remove()
        with begin():
            said = db.session.execute(text(postgresql.ASK_FOR_LIMITS)).one()
            assert said[1:] == tuple(postgresql.LIMITS.values())
    with db.engine.connect() as connection:
        dbapi: Any = connection.connection.dbapi_connection
        left = dbapi.execute(postgresql.ASK_FOR_LIMITS).fetchone()
        assert left[1:] == ("0", "0", "0"), "the connection belongs to whoever comes next"


def test_the_server_prepares_statements_but_never_behind_a_pooler(
    app_behind: Flask, request: pytest.FixtureRequest
) -> None:
    def threshold(engine: Engine) -> Any:
        with engine.connect() as connection:
            dbapi: Any = connection.connection.dbapi_connection
            return dbapi.prepare_threshold

    with app_behind.app_context():
        assert threshold(db.engine) is None
    direct = create_engine(
        request.getfixturevalue("postgresql").url(f"direct_{uuid4().hex[:8]}"), **postgresql.engine_options()
    )
    postgresql.prepare(direct)
    assert threshold(direct) == postgresql.PREPARE_AFTER
    direct.dispose()


def test_a_held_row_is_given_up_in_bounded_time(hall_behind: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "LIMITED_BEGIN", postgresql.LIMITED_BEGIN.replace("'3s'", "'200ms'"))
    player = hall_behind.player()
    player.start()
    engine = db.create_engine(hall_behind.app.config["SQLALCHEMY_DATABASE_URI"])
    with engine.begin() as somebody:
        somebody.execute(text("SELECT 1 FROM attempts FOR UPDATE"))
        with pytest.raises(OperationalError, match="lock timeout"):
            player.submit()
    player.submit()


def test_migrations_run_through_it(bouncer: pgbouncer.Bouncer, postgresql: Cluster, app_behind: Flask) -> None:
    name = f"empty_{bouncer.port}"
    postgresql.url(name)
    settings = replace(app_behind.extensions["settings"], database_url=bouncer.url(name))
    empty = create_app(settings, background=False)
    with empty.app_context():
        flask_migrate.upgrade(directory=current_app.config["MIGRATIONS_DIR"])
        assert schema.pending_migrations() == []
        assert schema.is_empty()
        db.session.remove()
        db.engine.dispose()
