"""A prepared statement says what SQLAlchemy would say: the same values, the same errors, seen by whoever counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import BigInteger, Boolean, String, Uuid, bindparam, func, insert, literal_column, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from kiosk.extensions import db, execute, transaction
from kiosk.ids import uuid7
from kiosk.models import Organisation, Trade
from kiosk.models.types import Json, UtcDateTime
from kiosk.prepared import Prepared, insert_into, one_of
from tests.cast import Hall
from tests.counting import counting

NOON = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
SOMEBODY = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
KINDS: dict[str, tuple[Any, Any]] = {
    "instant": (UtcDateTime(), NOON),
    "no_instant": (UtcDateTime(), None),
    "who": (Uuid(), SOMEBODY),
    "answer": (Json, {"text": "100 %", "keys": ["A"]}),
    "flag": (Boolean(), True),
    "big": (BigInteger(), 2**53),
    "word": (String(40), "it's :fine %(here)s"),
}
ECHO = select(*(bindparam(name, type_=kind).label(name) for name, (kind, _value) in KINDS.items()))


def given(**other: Any) -> dict[str, Any]:
    return {name: value for name, (_kind, value) in KINDS.items()} | other


def test_every_type_comes_back_as_sqlalchemy_gives_it(hall: Hall) -> None:
    with transaction(is_one_statement=True) as connection:
        row = Prepared(ECHO).run(connection, given()).one_or_none()
        usual = connection.execute(ECHO, given()).one()
    assert row._asdict() == usual._asdict() == given()


def test_fixed_values_stand_beside_those_given(hall: Hall) -> None:
    wanted = (
        select(func.count()).select_from(Trade).where(Trade.code != "NONE", Trade.id != bindparam("p_id", type_=Uuid))
    )
    with transaction():
        assert (
            execute(Prepared(wanted), {"p_id": SOMEBODY}).one_or_none()[0]
            == execute(wanted, {"p_id": SOMEBODY}).scalar_one()
        )


def test_words_of_the_program_stand_in_the_text(hall: Hall) -> None:
    with transaction():
        found = execute(Prepared(select(Trade.code).where(one_of(Trade.code, ("FIT", "TTC")))), {})
    assert all(row.code in ("FIT", "TTC") for row in found.all())


def test_an_in_with_values_is_refused_as_it_would_change_the_text(hall: Hall) -> None:
    with transaction(), pytest.raises(AssertionError):
        execute(Prepared(select(Trade.code).where(Trade.code.in_(["FIT"]))), {})


def test_a_missing_parameter_is_an_error_and_nothing_is_sent(hall: Hall) -> None:
    with counting() as counted, transaction(is_one_statement=True) as connection, pytest.raises(KeyError, match="who"):
        Prepared(ECHO).run(connection, {name: value for name, value in given().items() if name != "who"})
    assert counted.statements == 0


def test_the_types_own_refusals_hold(hall: Hall) -> None:
    naive = NOON.replace(tzinfo=None)
    with transaction(is_one_statement=True) as connection, pytest.raises(ValueError, match="time zone"):
        Prepared(ECHO).run(connection, given(instant=naive))


def test_it_is_counted_like_any_other(hall: Hall) -> None:
    with counting() as counted, transaction(is_one_statement=True) as connection:
        Prepared(ECHO).run(connection, given())
    assert counted.statements == 1


def test_what_the_database_refuses_is_sqlalchemys_error_and_rolled_back(hall: Hall) -> None:
    again = Prepared(
        insert(Organisation.__table__).values(  # type: ignore[arg-type]
            {name: bindparam(f"p_{name}", type_=column.type) for name, column in Organisation.__table__.c.items()}
        )
    )
    one = db.session.execute(select(Organisation.__table__)).mappings().first()
    assert one is not None
    with pytest.raises(IntegrityError), transaction():
        execute(again, {f"p_{name}": value for name, value in one.items()})
    assert db.session.execute(select(func.count()).select_from(Organisation)).scalar_one() == 1


def test_a_statement_that_is_wrong_leaves_the_connection_usable(hall: Hall) -> None:
    with pytest.raises(DBAPIError, match="SELECT nothing"), transaction():
        execute(Prepared(text("SELECT nothing FROM nowhere")), {})
    with transaction(is_one_statement=True) as connection:
        assert Prepared(select(literal_column("1").label("one"))).run(connection, {}).one_or_none().one == 1


def test_several_rows_where_one_was_meant_are_an_error(hall: Hall) -> None:
    twice = select(literal_column("1").label("one")).union_all(select(literal_column("2")))
    with transaction(is_one_statement=True) as connection:
        rows = Prepared(twice).run(connection, {})
        assert [row.one for row in rows.all()] == [1, 2]
        with pytest.raises(ValueError, match="more rows"):
            rows.one_or_none()


def test_a_list_is_run_once_for_each_and_counted_as_one(hall: Hall) -> None:
    organisation_id = db.session.execute(select(Organisation.id)).scalar_one()
    rows = [
        {"id": uuid7(), "organisation_id": organisation_id, "code": f"NEW{number}", "name": "New"} for number in (1, 2)
    ]
    with counting() as counted, transaction():
        execute(insert_into(Trade.__table__, rows[0]), rows)
    assert counted.statements == 1
    found = db.session.execute(select(Trade).where(Trade.code.in_(["NEW1", "NEW2"])).order_by(Trade.code)).scalars()
    assert [(trade.id, trade.has_primary) for trade in found] == [(row["id"], True) for row in rows], (
        "the table's usual"
    )
