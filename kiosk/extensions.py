"""The Flask extensions, and the one way to write: `transaction()`."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask
from flask_babel import Babel
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import Engine, Executable, MetaData, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase

from kiosk.errors import ServerBusy
from kiosk.fair_lock import FairLock
from kiosk.listed import Listed
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


class JoiningSession(Session):
    """The session, which takes part in the running transaction if there is one."""

    def get_bind(self, *args: Any, **kwargs: Any) -> Engine | Connection:
        """Return the running transaction's connection, else the engine."""
        running = _running.get()
        return running.connection if running else super().get_bind(*args, **kwargs)


db = SQLAlchemy(model_class=Base, session_options={"class_": JoiningSession})
migrate = Migrate()
login_manager = Logins()
babel = Babel()

_sqlite_writer = FairLock()


@dataclass
class _Running:
    """The write transaction that is under way here, and what is written together before it commits."""

    connection: Connection
    pending: dict[Callable[[list[Any]], None], list[Any]] = field(default_factory=dict)


_running: ContextVar[_Running | None] = ContextVar("running", default=None)
_last: ContextVar[Callable[[], None] | None] = ContextVar("last", default=None)


def before_commit(write: Callable[[list[Any]], None], rows: Iterable[Any]) -> None:
    """Leave `rows` with the running transaction: it calls `write` once with all that were left, then commits.

    Raises RuntimeError outside `transaction()`, where nobody would write them.
    """
    _under_way().pending.setdefault(write, []).extend(rows)


@contextmanager
def last_of_all(work: Callable[[], None] | None) -> Iterator[None]:
    """Let each transaction inside do this as the last thing before it commits; None: nothing more."""
    token = _last.set(work)
    try:
        yield
    finally:
        _last.reset(token)


@contextmanager
def transaction(*, is_one_statement: bool = False) -> Iterator[Connection]:
    """One write transaction: commit at the end, roll back on any exception. Returns its connection.

    A session takes part as soon as somebody uses it, and costs nothing where nobody does. What it read before is thrown
    away first, so that everything inside is seen under the locks. `is_one_statement` says that there will be one: on
    PostgreSQL it is then its own transaction, one round trip instead of three.

    SQLite begins IMMEDIATE, else a reader that turns writer fails at once with BUSY_SNAPSHOT. Raises ServerBusy
    where the writers before us wait too long for somebody outside: else each would wait for all the others; and
    RuntimeError inside another one, of which it would be no part.
    """
    if _running.get():
        raise RuntimeError("a transaction is running already")
    last = _last.get()
    _of_session("rollback")
    engine = _with_options(db.engine, writes=True, is_alone=is_one_statement and last is None)
    with _turn_to_write(), engine.connect() as connection:
        running = _Running(connection)
        token = _running.set(running)
        try:
            with connection.begin():
                try:
                    yield connection
                    for write, rows in running.pending.items():
                        if rows:
                            write(rows)
                    if last:
                        last()
                    _under_way()
                    # writes what is left, and forgets what it read; the commit that counts is the connection's
                    _of_session("commit")
                except BaseException:
                    _of_session("rollback")
                    raise
        finally:
            _running.reset(token)


def execute(statement: Executable | Prepared | Listed, given: Any = None) -> Any:
    """Run a statement on tables inside `transaction()`, without the session: it would only ask itself what to add.

    Returns SQLAlchemy's result, of a prepared statement its `Rows`. Raises RuntimeError outside of a transaction.
    """
    connection = _under_way().connection
    if isinstance(statement, Prepared | Listed):
        return statement.run(connection, given)
    return connection.execute(statement, given)


def read(statement: Prepared, given: Mapping[str, Any]) -> Rows:
    """Return what a statement that only reads finds: in the transaction if one is open, else by itself.

    By itself it is one round trip on PostgreSQL, where a session makes three of it.
    """
    running = _running.get()
    if running:
        return statement.run(running.connection, given)
    if db.session.registry.has() and db.session().in_transaction():
        return statement.run(db.session.connection(), given)
    with _with_options(db.engine, writes=False, is_alone=True).connect() as connection:
        connection.begin()  # rolled back with the connection's end: nothing was written
        return statement.run(connection, given)


def _under_way() -> _Running:
    """The running transaction. Raises RuntimeError without one, or where a session inside has rolled it back."""
    running = _running.get()
    if running is None or not running.connection.in_transaction():
        raise RuntimeError("no transaction is running")
    return running


def _of_session(step: str) -> None:
    """Let the session do this step, if there is one."""
    if db.session.registry.has():
        getattr(db.session(), step)()


@lru_cache(8)
def _with_options(engine: Engine, *, writes: bool, is_alone: bool) -> Engine:
    """The same engine, which begins what writes at once, and sends what is one statement by itself."""
    return engine.execution_options(**(WRITES if writes else {}) | (ALONE if is_alone else {}))


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
