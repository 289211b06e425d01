"""The Flask extensions, and the one way to write: `transaction()`."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask
from flask_babel import Babel
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, Executable, MetaData, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase

from kiosk.errors import ServerBusy
from kiosk.prepared import Prepared, Rows

P = ParamSpec("P")
T = TypeVar("T")
RETRY_PAUSES = (0.02, 0.1)
RETRY_WITHIN_SECONDS = 4.0
TURN_SECONDS = 4.0
WRITES = {"begin": "IMMEDIATE"}
ALONE = {"is_alone": "yes"}  # on PostgreSQL a statement needs no BEGIN: it is a transaction by itself

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What every model derives from."""

    metadata = MetaData(naming_convention=NAMING)


class Logins(LoginManager):
    """Flask-Login, which doesn't ask anew whoever's kiosk has changed its address."""

    def _session_protection_failed(self) -> bool:
        """No sign-in is bound to an address, so none is worked out at each request."""
        return False


db = SQLAlchemy(model_class=Base)
migrate = Migrate()
login_manager = Logins()
babel = Babel()


class FairLock:
    """A lock that is given out in the order in which it was asked for.

    SQLite has one writer at a time. Left to its busy handler, an unlucky thread can starve for seconds.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def acquire(self, *, within_seconds: float) -> bool:
        """Take the lock, after everybody who asked earlier; return whether it came to that in time."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=within_seconds):
            return True
        with self._guard:
            if turn not in self._waiting:
                return True  # it was handed over in the very last moment
            self._waiting.remove(turn)
            return False

    def release(self) -> None:
        """Hand the lock to the one who has waited longest."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


_sqlite_writer = FairLock()


def before_commit(write: Callable[[list[Any]], None], rows: Iterable[Any]) -> None:
    """Leave `rows` with the running transaction: it calls `write` once with all that were left, then commits.

    Raises RuntimeError outside `transaction()`, where nobody would write them.
    """
    pending = db.session.info.get("before_commit")
    if pending is None:
        raise RuntimeError("no transaction is running")
    pending.setdefault(write, []).extend(rows)


@contextmanager
def transaction() -> Iterator[None]:
    """One write transaction on the session: commit at the end, roll back on any exception.

    What the session read before is thrown away first, so that everything inside is seen under the locks.
    SQLite begins IMMEDIATE, else a reader that turns writer fails at once with BUSY_SNAPSHOT. Raises ServerBusy
    where the writers before us wait too long for somebody outside: else each would wait for all the others.
    """
    db.session.rollback()
    with _turn_to_write():
        try:
            db.session.info["connection"] = db.session.connection(execution_options=WRITES)
            pending = db.session.info["before_commit"] = {}
            yield
            for write, rows in pending.items():
                if rows:
                    write(rows)
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise
        finally:
            for name in ("before_commit", "connection"):
                db.session.info.pop(name, None)


def execute(statement: Executable | Prepared, given: Any = None) -> Any:
    """Run a statement on tables inside `transaction()`, without the session: it would only ask itself what to add.

    Returns SQLAlchemy's result, of a prepared statement its `Rows`. Raises RuntimeError outside of a transaction.
    """
    connection: Connection | None = db.session.info.get("connection")
    if connection is None:
        raise RuntimeError("no transaction is running")
    if isinstance(statement, Prepared):
        return statement.run(connection, given)
    return connection.execute(statement, given)


@contextmanager
def hot_transaction() -> Iterator[Connection]:
    """As `transaction()`, for the statements of the hot path alone: a connection without a session's bookkeeping.

    On PostgreSQL it takes one statement, which is its own transaction: one round trip instead of three. Where something
    waits for the session's commit (an answer that is kept for a repeated call) it is the session's.
    """
    if db.session.registry.has():
        session = db.session()
        if "at_commit" in session.info:
            with transaction():
                yield session.connection()
            return
        session.rollback()
    with _turn_to_write(), _alone(db.engine, writes=True).connect() as connection, connection.begin():
        yield connection


def read(statement: Prepared, given: Mapping[str, Any]) -> Rows:
    """Return what a statement that only reads finds: in the session's transaction if one is open, else by itself.

    By itself it is one round trip on PostgreSQL, where a session makes three of it.
    """
    if db.session.registry.has() and db.session().in_transaction():
        return statement.run(db.session.connection(), given)
    with _alone(db.engine, writes=False).connect() as connection:
        connection.begin()  # rolled back with the connection's end: nothing was written
        return statement.run(connection, given)


@lru_cache(8)
def _alone(engine: Engine, *, writes: bool) -> Engine:
    """The same engine, whose transactions are one statement on PostgreSQL."""
    return engine.execution_options(**(ALONE | WRITES if writes else ALONE))


@contextmanager
def _turn_to_write() -> Iterator[None]:
    """SQLite has one writer at a time: everybody waits for their turn in the order in which they came."""
    if db.engine.dialect.name != "sqlite":
        yield
        return
    if not _sqlite_writer.acquire(within_seconds=TURN_SECONDS):
        raise ServerBusy
    try:
        yield
    finally:
        _sqlite_writer.release()


def retried(service: Callable[P, T]) -> Callable[P, T]:
    """Decorate a service that is one transaction: a deadlock or a lost serialization race is tried again, twice.

    Only what the database rolled back whole is repeated, so a repeated service has no effect twice. Who has waited
    long already is refused: a third wait for the same lock would hang the request.
    """

    @wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        begun_at = time.monotonic()
        for pause_seconds in RETRY_PAUSES:
            try:
                return service(*args, **kwargs)
            except DBAPIError as error:
                if not _was_rolled_back(error) or time.monotonic() - begun_at > RETRY_WITHIN_SECONDS:
                    raise
                db.session.rollback()
                time.sleep(pause_seconds * (0.5 + random.random()))  # noqa: S311  jitter, no secret
        return service(*args, **kwargs)

    return run


def _was_rolled_back(error: DBAPIError) -> bool:
    """Whether the database itself gave this transaction up for another one's sake."""
    if getattr(error.orig, "sqlstate", None) in ("40P01", "40001"):  # deadlock, serialization failure
        return True
    return getattr(error.orig, "sqlite_errorname", "") in ("SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT")


def engine_options(database_url: str) -> dict[str, Any]:
    """Return SQLAlchemy's engine options for this database."""
    if database_url.startswith("sqlite"):
        return {"connect_args": {"timeout": 5}}
    from kiosk import postgresql

    return postgresql.engine_options()


def prepare_sqlite(engine: Engine) -> None:
    """Set up each SQLite connection: WAL, full sync, foreign keys, and transactions that we begin ourselves."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        begin = f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}"
        try:
            # past SQLAlchemy, whose way to run a statement takes longer than this one does
            connection.connection.driver_connection.execute(begin)  # type: ignore[union-attr]
        except sqlite3.Error as error:
            raise OperationalError(begin, None, error) from error


def init_extensions(app: Flask) -> None:
    """Bind database, migrations and sign-in to `app`."""
    db.init_app(app)
    migrate.init_app(app, db, directory=app.config["MIGRATIONS_DIR"], render_as_batch=True)
    # templates have their globals (web/templating)
    login_manager.init_app(app, add_context_processor=False)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            prepare_sqlite(db.engine)
        else:
            from kiosk import postgresql

            postgresql.prepare(db.engine)
