"""The roads to Redis: one Redis, the master that sentinels name, a cluster. Each call goes to one node and is bounded.

redis-py's own repairs of a cluster (asking every node anew in the middle of a call, then each key on its own) can cost
many times the bound, so of its cluster client only the map of slots and the nodes' clients are used.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry
from redis.sentinel import Sentinel

from kiosk import redis_address
from kiosk.redis_address import RedisAddress
from kiosk.timers.keys import WRITE

T = TypeVar("T")
CALL_SECONDS = 0.25
BATCH = 1000
MOST_CONNECTIONS = 64
PROBE_TAGS = 10_000  # of so many names each master of a cluster has some
WANTED_POLICY = "noeviction"


class Link:
    """One master: the Redis of the URL, or the one that the sentinels name."""

    is_many = False

    def __init__(self, client: redis.Redis, *, can_move: bool = False) -> None:
        """`can_move`: another Redis may become the master, so the road is looked up anew now and then."""
        self.client, self.can_move = client, can_move
        self._idle: dict[redis.Redis, deque[Any]] = defaultdict(deque)
        options = client.connection_pool.connection_kwargs
        self.where = f"{options.get('host')}:{options.get('port')}"

    def key(self, attempt_id: UUID | str) -> str:
        """Return the name of an attempt's key."""
        return f"exam:timer:{attempt_id}"

    def client_for(self, _key: str) -> redis.Redis:
        """Return the client of the node that has the key."""
        return self.client

    def batches(
        self, those: Iterable[T], name: Callable[[T], Any] | None = None
    ) -> Iterable[tuple[redis.Redis, list[T]]]:
        """Return batches of at most a thousand, each with the client of the one node that has their keys.

        `name` tells the attempt of one of `those`: without it they are the attempts' ids.
        """
        for client, at_one in self._by_client(those, name).items():
            for start in range(0, len(at_one), BATCH):
                yield client, at_one[start : start + BATCH]

    def ask(self, client: redis.Redis, commands: Sequence[tuple[str, ...]]) -> list[Any]:
        """Return the answers to `commands`, sent in one round trip; what Redis refuses is an answer, too.

        redis-py's pool counts and measures each lending of a connection, which costs as much as the question: those of
        the polls are kept here. Raises redis.RedisError and OSError.
        """
        idle = self._idle[client]
        try:
            connection = idle.pop()
        except IndexError:
            connection = client.connection_pool.make_connection()
        try:
            _make_ready(connection)
            connection.send_packed_command(connection.pack_commands(commands))
            return [_answer(connection) for _command in commands]
        except BaseException:
            connection.disconnect()  # an answer that comes later would be taken for that of another question
            raise
        finally:
            idle.append(connection)

    def read(self, client: redis.Redis, keys: Iterable[str]) -> list[tuple[Any, Any]]:
        """Return value and expiry of each key, all asked for in one round trip.

        A key of a wrong type is an answer about that key, not a failure of Redis. Raises redis.RedisError and OSError.
        """
        answers = self.ask(client, [(command, key) for key in keys for command in ("GET", "PTTL")])
        failure = next((a for a in answers if isinstance(a, redis.RedisError) and "WRONGTYPE" not in str(a)), None)
        if failure:
            raise failure
        return list(zip(answers[::2], answers[1::2], strict=True))

    def masters(self) -> list[tuple[redis.Redis, str]]:
        """Return each node that takes writes, with the name of a key to try one."""
        return [(self.client, "exam:probe")]

    def takes_writes(self) -> bool:
        """Whether each master does now what a start needs: a full one, or a replica, still answers a PING."""
        return all(client.eval(WRITE, 1, key, "-:0:-", 0, 1000, "") == 1 for client, key in self.masters())

    def policies(self) -> set[str]:
        """Return the eviction policies of all nodes that tell; a managed Redis may not."""
        return {policy for client in self._everybody() if (policy := _policy(client)) is not None}

    def close(self) -> None:
        """Drop the connections."""
        self._drop_idle()
        self.client.close()

    def _drop_idle(self) -> None:
        for connections in list(self._idle.values()):
            for connection in list(connections):
                connection.disconnect()

    def _everybody(self) -> list[redis.Redis]:
        return [self.client]

    def _by_client(self, those: Iterable[T], _name: Callable[[T], Any] | None) -> dict[redis.Redis, list[T]]:
        return {self.client: list(those)}


class ClusterLink(Link):
    """A cluster: each key lives on the master of its slot. The id in braces is all that decides the slot."""

    is_many = True

    def __init__(self, cluster: RedisCluster) -> None:
        self.cluster, self.can_move = cluster, True
        self._idle = defaultdict(deque)
        nodes = cluster.nodes_manager.slots_cache
        self.where = ",".join(f"{slot}-{masters[0].name}" for slot, masters in _borders(nodes))
        self._probes = self._probe_keys()

    def key(self, attempt_id: UUID | str) -> str:
        return f"exam:timer:{{{attempt_id}}}"

    def client_for(self, key: str) -> redis.Redis:
        return self.cluster.get_redis_connection(self.cluster.get_node_from_key(key))

    def masters(self) -> list[tuple[redis.Redis, str]]:
        return [(self.cluster.get_redis_connection(node), self._probes[node.name]) for node in self._all_masters()]

    def close(self) -> None:
        self._drop_idle()
        self.cluster.close()

    def _everybody(self) -> list[redis.Redis]:
        return [self.cluster.get_redis_connection(node) for node in self.cluster.get_nodes()]

    def _by_client(self, those: Iterable[T], name: Callable[[T], Any] | None) -> dict[redis.Redis, list[T]]:
        found: dict[redis.Redis, list[T]] = defaultdict(list)
        for one in those:
            attempt_id: Any = name(one) if name else one
            found[self.client_for(self.key(attempt_id))].append(one)
        return found

    def _all_masters(self) -> list[ClusterNode]:
        return [node for node in self.cluster.get_primaries() if node.name in self._probes]

    def _probe_keys(self) -> dict[str, str]:
        probes: dict[str, str] = {}
        wanted = len(self.cluster.get_primaries())
        for number in range(PROBE_TAGS):
            key = f"exam:probe:{{{number}}}"
            probes.setdefault(self.cluster.get_node_from_key(key).name, key)
            if len(probes) == wanted:
                break
        return probes


def connect(url: str) -> Link:
    """Return the road to the Redis at `url`. Asks sentinels and clusters where the masters are.

    Raises redis.RedisError and OSError when nobody can tell.
    """
    address = redis_address.parse(url)
    if address.shape == "sentinel":
        return _master_of(address)
    if address.shape == "cluster":
        return _cluster_of(address)
    options = _options(address, **(address.tls or {}))
    if address.path is not None:
        return Link(redis.Redis(unix_socket_path=address.path, db=address.db, **options))
    host, port = address.hosts[0]
    return Link(redis.Redis(host, port, db=address.db, **options))


def needs_asking(url: str) -> bool:
    """Whether somebody must be asked where the masters are before the first call."""
    return redis_address.parse(url).shape != "single"


def _master_of(address: RedisAddress) -> Link:
    tls = address.tls or {}
    sentinel_options = {
        **_bounds(),
        "username": address.sentinel_username,
        "password": address.sentinel_password,
        **(tls | {"ssl": True} if address.sentinel_tls else {}),
    }
    sentinels = Sentinel(address.hosts, sentinel_kwargs=sentinel_options)
    try:
        host, port = sentinels.discover_master(address.service)
    finally:
        sentinels.close()
    return Link(redis.Redis(host, port, db=address.db, **_options(address, **tls)), can_move=True)


def _cluster_of(address: RedisAddress) -> Link:
    options = _options(address, **(address.tls or {}))
    options["retry"] = Retry(NoBackoff(), 0)
    nodes = [ClusterNode(host, port) for host, port in address.hosts]
    return ClusterLink(RedisCluster(startup_nodes=nodes, require_full_coverage=True, **options))


def _options(address: RedisAddress, **tls: Any) -> dict[str, Any]:
    sign_in = {"username": address.username, "password": address.password}
    return {**_bounds(), **sign_in, **tls, "max_connections": MOST_CONNECTIONS}


def _bounds() -> dict[str, Any]:
    return {
        "socket_timeout": CALL_SECONDS,
        "socket_connect_timeout": CALL_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "decode_responses": True,
    }


def _make_ready(connection: Any) -> None:
    """Connect, anew if the other side has ended the connection since it was used."""
    if connection.is_connected:
        try:
            if not connection.can_read():
                return
        except (redis.RedisError, OSError):
            pass
        connection.disconnect()
    connection.connect()


def _answer(connection: Any) -> Any:
    """One answer; a refusal is one too, so that all are read and none is left for the next caller."""
    try:
        return connection.read_response()
    except redis.ResponseError as refusal:
        return refusal


def _borders(slots: dict[int, list[ClusterNode]]) -> Iterable[tuple[int, list[ClusterNode]]]:
    """Where the master changes from slot to slot."""
    before = None
    for slot in sorted(slots):
        if slots[slot][0].name != before:
            before = slots[slot][0].name
            yield slot, slots[slot]


def _policy(client: redis.Redis) -> str | None:
    try:
        return client.config_get("maxmemory-policy").get("maxmemory-policy")
    except (redis.RedisError, OSError):
        # a managed Redis may refuse, a replica may be away: neither is a reason to do without Redis
        return None
