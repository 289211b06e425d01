"""Redis in every shape that KIOSK_REDIS_URL knows, as real processes on the loopback: begun once per test process."""

from __future__ import annotations

import atexit
import datetime
import functools
import ipaddress
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from redis.cluster import ClusterNode, RedisCluster

from kiosk.embedded import find_server
from kiosk.timers import links
from tests.conftest import RedisServer
from tests.runtime.conftest import free_port

PASSWORD = "p@ss:word/1"
QUOTED = "p%40ss%3Aword%2F1"
DOWN_AFTER_MS = 1000


class Node:
    """One redis-server (or sentinel) on a port of its own that comes back empty at the same port."""

    def __init__(self, *options: str, is_sentinel: bool = False, is_tls: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kiosk-redis-", dir="/tmp"))
        self.port, self._is_sentinel, self._is_tls = free_port(), is_sentinel, is_tls
        (self.folder / "conf").write_text("\n".join(options) + "\n")
        self.process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def start(self, *more: str) -> None:
        """Start it, if it does not run."""
        if self.process is not None and self.process.poll() is None:
            return
        place = ("--port", "0", "--tls-port", str(self.port)) if self._is_tls else ("--port", str(self.port))
        save = ("--sentinel",) if self._is_sentinel else ("--save", "")
        command = [find_server(), "conf", *place, "--bind", "127.0.0.1", "--dir", str(self.folder), *save, *more]
        with (self.folder / "said").open("ab") as said:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=said, stderr=said)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def client(self, **options: Any) -> Any:
        """A client of its own."""
        return redis.Redis("127.0.0.1", self.port, decode_responses=True, **{"password": PASSWORD} | options)

    def close(self) -> None:
        """End it for good."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Plain:
    """One Redis on a unix socket, as the embedded one."""

    nodes: list[Node] = []

    def __init__(self, server: RedisServer) -> None:
        self._server, self.url = server, server.url

    def key(self, attempt_id: UUID) -> str:
        """The name of an attempt's key."""
        return f"exam:timer:{attempt_id}"

    def client(self) -> Any:
        """A client of its own, to look and to harm."""
        return self._server.client()

    def start(self) -> None:
        """Start what does not run, and wait until it takes writes."""
        if self._server.process is None:
            self._server.start()

    def stop(self) -> None:
        """Kill all of it."""
        self._server.stop()

    def pause(self, milliseconds: int) -> None:
        """Let it hang."""
        self.client().execute_command("CLIENT", "PAUSE", milliseconds)


class Guarded(Plain):
    """One Redis that speaks TLS only, to an ACL user with no more rights than the timers need."""

    RIGHTS = "~exam:* -@all +get +set +del +pttl +eval +scan +@connection"

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="kiosk-tls-", dir="/tmp"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        self.certificate = make_certificate(folder)
        pair = (f"tls-cert-file {self.certificate}", f"tls-key-file {folder / 'key.pem'}", "tls-auth-clients no")
        user = f'user kiosk on ">{PASSWORD}" {self.RIGHTS}'
        self.nodes = [Node(*pair, f'requirepass "{PASSWORD}"', user, is_tls=True)]
        self.url = f"rediss://kiosk:{QUOTED}@127.0.0.1:{self.nodes[0].port}/0?ssl_ca_certs={self.certificate}"

    def client(self) -> Any:
        return self.nodes[0].client(ssl=True, ssl_ca_certs=str(self.certificate))

    def start(self) -> None:
        for node in self.nodes:
            node.start()
        wait(lambda: links.connect(self.url).takes_writes())

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()

    def pause(self, milliseconds: int) -> None:
        for node in self.nodes:
            self._of(node).execute_command("CLIENT", "PAUSE", milliseconds)

    def _of(self, node: Node) -> Any:
        return node.client(ssl=True, ssl_ca_certs=str(self.certificate))


class Watched(Guarded):
    """A master, a replica, and three sentinels that have a password of their own."""

    def __init__(self) -> None:
        secrets = (f'requirepass "{PASSWORD}"', f'masterauth "{PASSWORD}"', "repl-diskless-sync-delay 0")
        self.nodes = [Node(*secrets), Node(*secrets)]
        self.nodes[0].start()
        self.nodes[1].start("--replicaof", "127.0.0.1", str(self.nodes[0].port))
        wait(lambda: self.nodes[0].client().info("replication")["connected_slaves"] == 1)
        self.sentinels = [Node(*self._watch(), is_sentinel=True) for _ in range(3)]
        for sentinel in self.sentinels:
            sentinel.start()
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        self.url = f"redis+sentinel://:{QUOTED}@{hosts}/exam?sentinel_password={QUOTED}"
        wait(lambda: self.knows_all())

    def _watch(self) -> tuple[str, ...]:
        return (
            f'requirepass "{PASSWORD}"',
            f'sentinel sentinel-pass "{PASSWORD}"',
            f"sentinel monitor exam 127.0.0.1 {self.nodes[0].port} 2",
            f'sentinel auth-pass exam "{PASSWORD}"',
            f"sentinel down-after-milliseconds exam {DOWN_AFTER_MS}",
            "sentinel failover-timeout exam 3000",
        )

    def knows_all(self) -> bool:
        """Whether each sentinel knows the others and the replica."""
        states = [sentinel.client().sentinel_master("exam") for sentinel in self.sentinels]
        return all(state["num-other-sentinels"] == 2 and state["num-slaves"] >= 1 for state in states)

    def start(self) -> None:
        if any(node.process is None for node in self.nodes):
            told = self.sentinels[0].client().sentinel_master("exam")["port"]
            for node in self.nodes:
                node.start(*(() if node.port == told else ("--replicaof", "127.0.0.1", str(told))))
        wait(lambda: links.connect(self.url).takes_writes())
        wait(lambda: any(n.client().info("replication")["connected_slaves"] == 1 for n in self.nodes))

    def client(self) -> Any:
        return self.master().client()

    def master(self) -> Node:
        """The one that takes writes."""
        return next(
            node for node in self.nodes if node.process and node.client().info("replication")["role"] == "master"
        )

    def lose_a_master(self) -> None:
        """Kill the master."""
        self.master().kill()

    def _of(self, node: Node) -> Any:
        return node.client()


class Spread(Guarded):
    """A cluster of three masters; the first has a replica."""

    def __init__(self) -> None:
        options = (
            "cluster-enabled yes",
            "cluster-config-file nodes.conf",
            f"cluster-node-timeout {DOWN_AFTER_MS}",
            "cluster-replica-validity-factor 0",
            "repl-diskless-sync-delay 0",
            f'requirepass "{PASSWORD}"',
            f'masterauth "{PASSWORD}"',
        )
        self.nodes = [Node(*options, f"cluster-port {free_port()}") for _ in range(4)]
        for node in self.nodes:
            node.start()
        for place, node in enumerate(self.nodes):
            wait(lambda node=node: node.client().ping())
            node.client().execute_command("CLUSTER", "SET-CONFIG-EPOCH", place + 1)
        for place, (first, last) in enumerate([(0, 5460), (5461, 10922), (10923, 16383)]):
            self.nodes[place].client().execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
        for node in self.nodes[1:]:
            bus = next(
                line.split()[1] for line in (node.folder / "conf").read_text().splitlines() if "cluster-port" in line
            )
            self.nodes[0].client().execute_command("CLUSTER", "MEET", "127.0.0.1", node.port, bus)
        first = self.nodes[0].client().execute_command("CLUSTER", "MYID")
        wait(lambda: self.nodes[3].client().execute_command("CLUSTER", "REPLICATE", first))
        self.url = f"redis+cluster://:{QUOTED}@" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def key(self, attempt_id: UUID) -> str:
        return f"exam:timer:{{{attempt_id}}}"

    def client(self) -> Any:
        seeds = [ClusterNode("127.0.0.1", node.port) for node in self.nodes]
        return RedisCluster(startup_nodes=seeds, password=PASSWORD, decode_responses=True)

    def start(self) -> None:
        for node in self.nodes:
            node.start()
        wait(lambda: links.connect(self.url).takes_writes())
        wait(lambda: all(_is_ok(node) for node in self.nodes))
        wait(lambda: sum(n.client().info("replication")["connected_slaves"] for n in self.nodes) == 1)

    def lose_a_master(self) -> None:
        """Kill the master that has a replica."""
        next(node for node in self.nodes if node.client().info("replication")["connected_slaves"] == 1).kill()

    def _of(self, node: Node) -> Any:
        return node.client()


def _is_ok(node: Node) -> bool:
    """Whether a node of a cluster thinks that all is well."""
    return "cluster_state:ok" in node.client().execute_command("CLUSTER", "INFO")


@functools.cache
def started(name: str) -> Plain:
    """The shape of that name, begun when it is first asked for; it ends with the test process."""
    return {"tls": Guarded, "sentinel": Watched, "cluster": Spread}[name]()


def can_tls() -> bool:
    """Whether the server program was built with TLS (that of the wheel is not)."""
    said = subprocess.run(
        [find_server(), "--tls-port", "0", "--port", "0", "--no-such-option", "1"], capture_output=True
    )
    return b"tls" not in said.stderr.lower() + said.stdout.lower()


def make_certificate(folder: Path) -> Path:
    """Make `cert.pem` and `key.pem` for the loopback and return the former."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=Redis of a test")
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(encoding))
    (folder / "key.pem").write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem"


def wait(claim: Callable[[], object], seconds: float = 15) -> None:
    """Wait until a claim is true; a Redis that does not answer yet makes it false."""
    end = time.monotonic() + seconds
    while True:
        try:
            if claim():
                return
        except (redis.RedisError, redis.exceptions.RedisClusterException, OSError, StopIteration):
            pass
        assert time.monotonic() < end, "Redis does not start"
        time.sleep(0.03)
