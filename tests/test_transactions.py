"""One write transaction: whatever runs inside, on its connection or through the session, stands or falls together."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.exc import OperationalError

from kiosk.extensions import before_commit, db, execute, last_of_all, read, transaction
from kiosk.models import Organisation
from kiosk.prepared import Prepared
from tests.cast import Hall
from tests.counting import counting

NAMED = select(Organisation.name)


def name_now() -> str:
    db.session.rollback()
    return str(db.session.execute(NAMED).scalar_one())


def renamed(to: str) -> None:
    execute(update(Organisation.__table__).values(name=to))  # type: ignore[arg-type]


class Stopped(Exception):
    """What ends a transaction here."""


def stop() -> None:
    raise Stopped


def rename(*, uses_session: bool, and_then: Callable[[], None] = lambda: None) -> None:
    with transaction():
        renamed("by connection")
        if uses_session:
            db.session.execute(select(Organisation)).scalar_one().name = "by session"
        and_then()


def test_the_session_sees_what_the_connection_wrote_and_the_other_way_round(hall: Hall) -> None:
    with transaction() as connection:
        renamed("by connection")
        found = db.session.execute(select(Organisation)).scalar_one()
        assert found.name == "by connection"
        found.name = "by session"
        db.session.flush()
        assert connection.execute(NAMED).scalar_one() == "by session"
        assert read(Prepared(NAMED), {}).one_or_none().name == "by session"
    assert name_now() == "by session"


def test_what_the_session_holds_back_is_written_before_the_end(hall: Hall) -> None:
    with transaction():
        db.session.execute(select(Organisation)).scalar_one().name = "held back"
    assert name_now() == "held back"


@pytest.mark.parametrize("uses_session", [True, False])
def test_an_exception_takes_all_of_it_back(hall: Hall, *, uses_session: bool) -> None:
    before = name_now()
    with pytest.raises(Stopped):
        rename(uses_session=uses_session, and_then=stop)
    assert name_now() == before


@pytest.mark.parametrize("uses_session", [True, False])
def test_a_commit_that_fails_leaves_everything_as_it_was(hall: Hall, *, uses_session: bool) -> None:
    before = name_now()
    kept = db.session.execute(select(Organisation)).scalar_one()

    def fail(_connection: object) -> None:
        raise OperationalError("COMMIT", {}, Exception("the disk is full"))

    event.listen(db.engine, "commit", fail)
    try:
        with pytest.raises(OperationalError, match="disk is full"):
            rename(uses_session=uses_session)
    finally:
        event.remove(db.engine, "commit", fail)
    assert kept.name == before, "what was read is read anew"
    assert name_now() == before
    with transaction():
        renamed("the next one")
    assert name_now() == "the next one"


def test_without_the_session_nobody_makes_one(hall: Hall) -> None:
    db.session.remove()
    with transaction():
        renamed("quick")
    assert not db.session.registry.has()


def test_what_was_read_before_is_read_anew_inside(hall: Hall) -> None:
    found = db.session.execute(select(Organisation)).scalar_one()
    with db.engine.begin() as somebody_else:
        db.session.rollback()
        somebody_else.execute(update(Organisation).values(name="since then"))
    with transaction():
        assert found.name == "since then"


def test_what_is_left_for_the_end_is_written_once_and_what_comes_last_after_it(hall: Hall) -> None:
    told: list[object] = []
    with last_of_all(lambda: told.append("last")), transaction():
        before_commit(told.append, [1])
        before_commit(told.append, [2])
        told.append("inside")
    assert told == ["inside", [1, 2], "last"]


def test_nothing_comes_last_after_its_time(hall: Hall) -> None:
    told: list[str] = []
    with last_of_all(lambda: told.append("last")), last_of_all(None), transaction():
        pass
    with transaction():
        pass
    assert told == []


def test_one_statement_with_something_last_is_a_transaction_all_the_same(hall: Hall) -> None:
    before = name_now()
    with pytest.raises(Stopped), last_of_all(stop), transaction(is_one_statement=True):
        renamed("too early")
    assert name_now() == before


def test_outside_of_a_transaction_nothing_is_written(hall: Hall) -> None:
    with counting() as counted:
        with pytest.raises(RuntimeError, match="no transaction"):
            renamed("by nobody")
        with pytest.raises(RuntimeError, match="no transaction"):
            before_commit(lambda rows: None, [1])
    assert (counted.statements, counted.commits) == (0, 0)


def test_a_transaction_inside_another_is_refused_before_it_does_harm(hall: Hall) -> None:
    with transaction():
        renamed("outside")
        with pytest.raises(RuntimeError, match="running already"), transaction():
            pass
    assert name_now() == "outside"


def test_what_a_session_rolled_back_is_not_taken_for_done(hall: Hall) -> None:
    before = name_now()
    with pytest.raises(RuntimeError, match="no transaction"):
        rename(uses_session=True, and_then=db.session.rollback)
    with pytest.raises(RuntimeError, match="no transaction"):
        rename(uses_session=True, and_then=rolled_back_and_on)
    assert name_now() == before


def rolled_back_and_on() -> None:
    db.session.rollback()
    renamed("all by itself")
