"""The schema permits what docs/scale.md plans: the hot tables cut by attempt, and the product none the wiser."""

from __future__ import annotations

from pathlib import Path

import flask_migrate
import pytest
from sqlalchemy import text

from kiosk import clock, create_app
from kiosk.config import load_settings
from kiosk.extensions import db
from kiosk.services import invariants, presence
from tests.bench import partitions
from tests.cast import Hall
from tests.conftest import SECRET, RedisServer
from tests.postgresql import Cluster

pytestmark = pytest.mark.postgresql
OF_AN_ATTEMPT = "UPDATE answers SET seq = seq WHERE attempt_id = :attempt AND number = 1"


def test_an_exam_is_written_into_tables_that_are_cut_by_attempt(
    postgresql: Cluster, redis_server: RedisServer, tmp_path: Path
) -> None:
    environ = {
        "KIOSK_INSTANCE_DIR": str(tmp_path),
        "KIOSK_DATABASE_URL": postgresql.url("cut"),
        "KIOSK_REDIS_URL": redis_server.url,
        "KIOSK_SECRET_KEY": SECRET,
        "KIOSK_LOG_LEVEL": "error",
    }
    app = create_app(load_settings(environ), background=False)
    clock.freeze(Hall.MORNING)
    try:
        with app.app_context():
            flask_migrate.upgrade(directory=app.config["MIGRATIONS_DIR"])
            hall = Hall(app)
            before, after = hall.player(0), hall.player(1)
            before.start()
            before.save(1, "A")
            with db.engine.begin() as connection:
                assert partitions.as_it_is(connection, "answers") is None
                assert "must include all partitioning columns" in str(partitions.as_it_is(connection, "answer_saves"))
                assert "must include all partitioning columns" in str(partitions.as_it_is(connection, "visits"))
                partitions.cut(connection, 8)
            after.start()
            for player in (before, after):
                assert player.save(1, "B").saved
                presence.visited(player.attempt.id, 2, now=Hall.MORNING)
            presence.flush()
            assert [number for number, _ in presence.way_through(after.attempt.id)] == [1, 2]
            before.submit()
            assert [one for one in invariants.check(now=Hall.MORNING) if not one.holds] == []
            with db.engine.connect() as connection:
                touched = partitions.parts_touched(connection, OF_AN_ATTEMPT, attempt=after.attempt.id)
                assert len(touched) == 1, "an attempt lies in one part"
                assert connection.execute(text("SELECT count(*) FROM answer_saves")).scalar_one() == 3
            db.session.remove()
            db.engine.dispose()
    finally:
        clock.freeze(None)
