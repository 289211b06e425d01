"""Rows that go to the database as one list arrive as they are, however many there are, on either database."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import Integer, String, Uuid, func, select
from sqlalchemy.exc import IntegrityError

from kiosk.extensions import db, execute, transaction
from kiosk.ids import uuid7
from kiosk.listed import Listed
from kiosk.models import Trade, Visit
from kiosk.models.types import UtcDateTime
from tests.cast import Hall
from tests.counting import counting

NOON = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
VISITS = Listed(
    "INSERT INTO visits (attempt_id, number, at) SELECT :attempt, listed.number, listed.at FROM {rows}",
    {"number": Integer(), "at": UtcDateTime()},
    attempt=Uuid(),
)
NAMES = Listed(
    "UPDATE trades SET name = coalesce(listed.name, trades.name) FROM {rows} WHERE trades.code = listed.code",
    {"code": String(), "name": String()},
)


def looks(attempt_id: UUID) -> list[tuple[int, datetime]]:
    asked = select(Visit.number, Visit.at).where(Visit.attempt_id == attempt_id).order_by(Visit.number)
    return [tuple(row) for row in db.session.execute(asked)]  # type: ignore[misc]


def test_numbers_ids_and_instants_arrive_as_they_are(hall: Hall) -> None:
    somebody = uuid7()
    with transaction():
        execute(VISITS, {"rows": [(1, NOON), (2, NOON)], "attempt": somebody})
    assert looks(somebody) == [(1, NOON), (2, NOON)]


def test_words_arrive_as_they_are_and_a_missing_value_is_none(hall: Hall) -> None:
    odd = 'it\'s :fine, %(here)s {or} "there", फिटर\\'
    for given in (odd, None):
        with transaction():
            execute(NAMES, {"rows": [("TTC", given), ("NONE", "nobody's")]})
        assert db.session.execute(select(Trade.name).where(Trade.code == "TTC")).scalar_one() == odd


@pytest.mark.parametrize("many", [0, 1, 1000])
def test_any_number_of_rows_is_one_statement(hall: Hall, many: int) -> None:
    somebody = uuid7()
    with counting() as counted, transaction():
        execute(VISITS, {"rows": [(number, NOON) for number in range(many)], "attempt": somebody})
    assert (counted.statements, len(looks(somebody))) == (1, many)


def test_one_wrong_row_refuses_all(hall: Hall) -> None:
    before = db.session.execute(select(func.count()).select_from(Visit)).scalar_one()
    with pytest.raises(IntegrityError), transaction():
        execute(VISITS, {"rows": [(1, NOON), (None, NOON)], "attempt": uuid7()})
    assert db.session.execute(select(func.count()).select_from(Visit)).scalar_one() == before


def test_what_was_named_must_be_given(hall: Hall) -> None:
    with pytest.raises(KeyError), transaction():
        execute(VISITS, {"rows": [(1, NOON)]})
    with pytest.raises(ValueError, match="time zone"), transaction():
        execute(VISITS, {"rows": [(1, NOON.replace(tzinfo=None))], "attempt": uuid7()})
