"""TLS to every node, sentinels included, with a certificate of our own and a user who may do what the timers need."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from kiosk.timers import Timer, TimerStore, links
from tests.timers import shapes
from tests.timers.shapes import PASSWORD, QUOTED, Guarded, Node, wait

RIGHTS = f"{Guarded.RIGHTS} +command +cluster|slots"


@pytest.fixture
def options(tmp_path: Path) -> tuple[str, ...]:
    """What a server with TLS, a password and a user with few rights is told."""
    if not shapes.can_tls():
        pytest.skip("this redis-server was built without TLS")
    shapes.make_certificate(tmp_path)
    return (
        f"tls-cert-file {tmp_path}/cert.pem",
        f"tls-key-file {tmp_path}/key.pem",
        f"tls-ca-cert-file {tmp_path}/cert.pem",
        "tls-auth-clients no",
        "tls-replication yes",
        f'requirepass "{PASSWORD}"',
    )


def works(url: str) -> bool:
    """Whether a timer can be written and read."""
    store, attempt_id, timer = TimerStore(lambda: url), uuid4(), Timer(5, 1, 1)
    return store.write(attempt_id, timer, keep_ms=1000) and store.read(attempt_id) == timer


def test_a_cluster(options: tuple[str, ...], tmp_path: Path) -> None:
    cluster = ("cluster-enabled yes", "tls-cluster yes", f"cluster-port {shapes.free_port()}")
    node = Node(*options, f'user kiosk on ">{PASSWORD}" {RIGHTS}', *cluster, is_tls=True)
    node.start()
    client = node.client(ssl=True, ssl_ca_certs=f"{tmp_path}/cert.pem")
    wait(lambda: client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383))
    url = f"redis+cluster://kiosk:{QUOTED}@127.0.0.1:{node.port}?tls=1"
    wait(lambda: links.connect(f"{url}&ssl_ca_certs={tmp_path}/cert.pem").takes_writes())
    assert works(f"{url}&ssl_ca_certs={tmp_path}/cert.pem")
    assert not works(url), "a certificate that nobody vouches for"
    node.close()


def test_a_master_and_its_sentinel(options: tuple[str, ...], tmp_path: Path) -> None:
    master = Node(*options, f'user kiosk on ">{PASSWORD}" {RIGHTS}', is_tls=True)
    watch = (f"sentinel monitor exam 127.0.0.1 {master.port} 1", f'sentinel auth-pass exam "{PASSWORD}"')
    sentinel = Node(*options, *watch, is_sentinel=True, is_tls=True)
    for node in (master, sentinel):
        node.start()
    place = f"redis+sentinel://kiosk:{QUOTED}@127.0.0.1:{sentinel.port}/exam?ssl_ca_certs={tmp_path}/cert.pem"
    url = f"{place}&tls=1&sentinel_tls=1&sentinel_password={QUOTED}"
    wait(lambda: links.connect(url).takes_writes())
    assert works(url)
    assert not works(url.replace("&tls=1", "")), "the master speaks TLS only"
    for node in (master, sentinel):
        node.close()
