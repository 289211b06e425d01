"""How PostgreSQL is spoken to: every wait is bounded, behind PgBouncer in transaction mode too."""

from __future__ import annotations

import select
import time
from typing import Any

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import InvalidatePoolError

ANSWER_SECONDS = 6.5  # with a new connection after it less than the 10 s that any request may take
# what bounds a statement, the wait for a lock, and a transaction that its worker left alone; as PostgreSQL shows them
LIMITS = {"statement_timeout": "10s", "lock_timeout": "3s", "idle_in_transaction_session_timeout": "30s"}
LIMITED_BEGIN = "; ".join(("BEGIN", *(f"SET LOCAL {name} = '{value}'" for name, value in LIMITS.items())))
ASK_FOR_LIMITS = "SELECT pg_backend_pid(), " + ", ".join(f"current_setting('{name}')" for name in LIMITS)
PREPARE_AFTER = 5  # times that a statement was sent


class Bounded(psycopg.Connection[Any]):
    """A connection that waits only so long: a database that fell silent is given up instead of hanging its worker.

    `is_limited`: whether the server keeps our limits for the whole session.
    """

    is_limited = True

    def wait(self, gen: Any, *args: Any, **how: Any) -> Any:
        """As psycopg's, and give up after `ANSWER_SECONDS`. Raises psycopg.OperationalError."""
        begun_at = time.monotonic()
        try:
            return super().wait(gen, *args, **{"timeout": ANSWER_SECONDS} | how)
        except psycopg.Error as error:
            if time.monotonic() - begun_at < ANSWER_SECONDS or getattr(error, "sqlstate", None):
                raise
            self.close()  # what it says later would be taken for the next one's answer
            raise psycopg.OperationalError("the database does not answer") from None

    def has_news(self) -> bool:
        """Whether the server has sent something unasked: mostly that it ends this connection."""
        if self.closed:
            return True
        looking = select.poll()
        looking.register(self.pgconn.socket, select.POLLIN)
        return bool(looking.poll(0))

    def answers(self) -> bool:
        """Ask the server whether it is still there."""
        try:
            self.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True


def engine_options() -> dict[str, Any]:
    """Return SQLAlchemy's engine options."""
    return {
        "pool_size": 8,
        "max_overflow": 4,
        "pool_timeout": 5,
        "connect_args": {
            "connect_timeout": 3,
            # a database host that vanished without a word is given up after 8 s, not after a quarter of an hour
            "tcp_user_timeout": 8000,
            "keepalives_idle": 5,
            "keepalives_interval": 1,
            "keepalives_count": 3,
            "options": " ".join(("-c timezone=UTC", *(f"-c {name}={value}" for name, value in LIMITS.items()))),
        },
    }


def prepare(engine: Engine) -> None:
    """Let the engine make connections that are bounded and limited.

    PgBouncer in transaction mode refuses or drops what a connection asks for when it is made. So each new connection
    is asked whether it has our limits; where it has not, every transaction brings them along with its BEGIN.
    """

    @event.listens_for(engine, "do_connect")
    def on_do_connect(_dialect: Any, _record: Any, _arguments: Any, named: dict[str, Any]) -> Bounded:
        return _connect(named)

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        # the driver begins nothing by itself; BEGIN and limits are one message, not a round trip more than BEGIN alone
        is_limited = connection.connection.dbapi_connection.is_limited  # type: ignore[union-attr]
        if not (is_limited and "is_alone" in connection.get_execution_options()):
            begin = "BEGIN" if is_limited else LIMITED_BEGIN
            connection.exec_driver_sql(begin, execution_options={"no_parameters": True})

    @event.listens_for(engine, "checkout")
    def on_checkout(connection: Bounded, _record: Any, _proxy: Any) -> None:
        """A connection that the database has closed says so: no round trip is needed to find out (pool_pre_ping)."""
        if connection.has_news() and not connection.answers():
            raise InvalidatePoolError


def _connect(named: dict[str, Any]) -> Bounded:
    try:
        connection = Bounded.connect(**named)
    except psycopg.OperationalError as error:
        if "unsupported startup parameter" not in str(error):
            raise
        connection = Bounded.connect(**{name: value for name, value in named.items() if name != "options"})
    connection.autocommit, connection.prepare_threshold = True, None
    process_id, *limits = connection.execute(ASK_FOR_LIMITS).fetchone() or (0,)
    connection.is_limited = limits == [*LIMITS.values()]
    if process_id == connection.info.backend_pid:
        # a pooler tells a number of its own, and one in transaction mode knows no prepared statements
        connection.prepare_threshold = PREPARE_AFTER
    return connection
