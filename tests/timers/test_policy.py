"""What a Redis says of itself: whether it may evict, in the log and on the health page; never a password."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosk import timers
from tests.cast import Hall
from tests.timers import shapes
from tests.timers.shapes import PASSWORD, QUOTED, Spread, wait

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True, scope="session")


@pytest.fixture
def cluster(app: Flask) -> Iterator[Spread]:
    """The application on a cluster of which one node may throw timers away."""
    found, usual = shapes.started("cluster"), app.extensions["timers"]
    assert isinstance(found, Spread)
    found.start()
    app.extensions["timers"] = timers.TimerStore(lambda: found.url)
    found.nodes[2].client().config_set("maxmemory-policy", "volatile-ttl")
    yield found
    found.nodes[2].client().config_set("maxmemory-policy", "noeviction")
    app.extensions["timers"] = usual


def test_one_node_that_may_evict_is_a_warning_at_the_start_and_on_the_health_page(
    cluster: Spread, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "kiosk.timers"):
        assert client.get("/readyz").get_json()["redis"] == "degraded"
        wait(lambda: "maxmemory-policy is volatile-ttl" in caplog.text, 2)
    cluster.nodes[2].client().config_set("maxmemory-policy", "noeviction")
    assert client.get("/readyz").get_json()["redis"] == "ok"


def test_a_replica_that_is_away_is_no_reason_to_do_without_redis(cluster: Spread, client: FlaskClient) -> None:
    cluster.nodes[2].client().config_set("maxmemory-policy", "noeviction")
    replica = next(node for node in cluster.nodes if node.client().info("replication")["role"] == "slave")
    assert client.get("/readyz").get_json()["redis"] == "ok"
    replica.kill()
    for _ in range(4):
        assert client.get("/readyz").get_json()["redis"] == "ok"


@pytest.mark.parametrize("name", ["tls", "sentinel", "cluster"])
def test_a_wrong_password_is_a_redis_that_is_away_and_is_never_told(
    app: Flask, hall: Hall, client: FlaskClient, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    if name == "tls" and not shapes.can_tls():
        pytest.skip("this redis-server was built without TLS")
    found, usual = shapes.started(name), app.extensions["timers"]
    found.start()
    app.extensions["timers"] = timers.TimerStore(lambda: found.url.replace(QUOTED, "hunter2"))
    try:
        with caplog.at_level(logging.DEBUG, "kiosk"):
            said = client.get("/readyz")
            assert (said.status_code, said.get_json()["redis"]) == (200, "degraded")
            doctor = app.test_cli_runner().invoke(args=["doctor"])
            assert not timers.ping()
        assert "not there" in doctor.output
        for text in (said.text, doctor.output, caplog.text):
            assert not any(secret in text for secret in ("hunter2", PASSWORD, QUOTED))
    finally:
        app.extensions["timers"] = usual


def test_a_redis_that_refuses_config_is_all_right(app: Flask, client: FlaskClient) -> None:
    if not shapes.can_tls():
        pytest.skip("this redis-server was built without TLS")
    found, usual = shapes.started("tls"), app.extensions["timers"]
    found.start()
    app.extensions["timers"] = timers.TimerStore(lambda: found.url)
    try:
        for _ in range(4):
            assert client.get("/readyz").get_json()["redis"] == "ok"
        with app.app_context():
            assert timers.maxmemory_policy() is None
    finally:
        app.extensions["timers"] = usual
