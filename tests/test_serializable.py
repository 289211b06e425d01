"""D5: what races also holds where the database isolates transactions fully and refuses the losers (40001)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from kiosk.extensions import db
from tests.races.conftest import _signed_in, race_server, track  # noqa: F401  fixtures
from tests.races.test_pairs import run_rounds
from tests.races.track import Track
from tests.test_at_once import (  # noqa: F401  run here again
    test_A1_a_start_and_a_switch_never_mix_sets,
    test_I5_twenty_starts_at_the_same_moment_make_one_attempt,
    test_K5_twenty_submits_at_the_same_moment_make_one_result_and_one_receipt,
    test_S2_a_submit_and_a_reset_have_one_winner,
    test_saves_and_a_hand_in_at_once_hand_in_what_was_acknowledged,
    test_two_double_clicks_on_assign_make_one_slot,
)

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True, scope="session"),
]


@pytest.fixture(autouse=True)
def serializable(app: Flask) -> Iterator[None]:
    """Every transaction of the database is isolated fully."""

    def isolate(level: str) -> None:
        with app.app_context():
            with db.engine.begin() as connection:
                name = connection.execute(text("SELECT current_database()")).scalar_one()
                connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_isolation = '{level}'")
            db.engine.dispose()

    isolate("serializable")
    yield
    isolate("read committed")


def test_D5_the_isolation_is_really_that(app: Flask) -> None:
    with app.app_context():
        assert db.session.execute(text("SHOW transaction_isolation")).scalar_one() == "serializable"


@pytest.mark.parametrize(
    "pair", ["start-start", "save-submit", "save-reset", "submit-reset", "submit-expire", "extend-pause"]
)
def test_D5_two_at_the_same_moment_leave_one_story(track: Track, pair: str) -> None:  # noqa: F811
    run_rounds(track, *pair.split("-"))
