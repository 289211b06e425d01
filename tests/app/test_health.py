"""Health, headers, logs: what a machine asks, and what every answer carries."""

from __future__ import annotations

import json
import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from kiosk import clock
from kiosk.extensions import db
from kiosk.jobs import sweeper
from kiosk.services import system
from kiosk.web import logs
from kiosk.web.request_time import request_id
from tests.cast import Hall
from tests.conftest import RedisServer


def test_the_process_says_that_it_serves(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_ready_means_that_all_parts_are_ok(client: FlaskClient, hall: Hall) -> None:
    sweeper.sweep(now=hall.MORNING)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert set(answer.get_json()) == {"database", "redis", "migrations", "sweeper", "clock", "disk"}
    assert set(answer.get_json().values()) == {"ok"}


def test_without_redis_or_sweeper_it_is_degraded_but_ready(client: FlaskClient, redis_server: RedisServer) -> None:
    redis_server.stop()
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert (answer.get_json()["redis"], answer.get_json()["sweeper"]) == ("degraded", "degraded")


def test_a_redis_that_evicts_is_a_warning(client: FlaskClient, redis_server: RedisServer) -> None:
    redis_server.client().config_set("maxmemory-policy", "volatile-lru")
    assert client.get("/readyz").get_json()["redis"] == "degraded"
    redis_server.client().config_set("maxmemory-policy", "noeviction")
    assert client.get("/readyz").get_json()["redis"] == "ok"


def test_with_a_pending_migration_nothing_is_served_but_the_word_that_it_is(app: Flask, client: FlaskClient) -> None:
    app.extensions.pop("schema_is_current", None)
    with app.app_context():
        newest = db.session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        _set_revision("0000")
        try:
            answer = client.get("/login")
            assert answer.status_code == 503
            assert "db upgrade" in answer.get_data(as_text=True)
            assert client.get("/readyz").status_code == 503
            assert client.get("/readyz").get_json()["migrations"] == "down"
            assert client.get("/healthz").status_code == 200
        finally:
            _set_revision(newest)
    assert client.get("/login").status_code == 200


def test_figures_are_for_this_machine_only(client: FlaskClient) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", environ_overrides={"REMOTE_ADDR": "10.0.0.1"}).status_code == 404


@pytest.mark.parametrize("path", ["/login", "/healthz", "/nowhere", "/candidate/", "/static/nothing.css"])
def test_every_answer_carries_the_headers_and_is_not_kept(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_write_from_another_site_is_refused(client: FlaskClient) -> None:
    answer = client.post("/login", data={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_a_request_id_is_taken_over_only_if_it_is_one(app: Flask) -> None:
    for given, kept in (("abc-123", True), ("a\tb", False), ("x" * 41, False), ("ид", False)):
        with app.test_request_context("/healthz", headers={"X-Request-Id": given}):
            app.preprocess_request()
            assert (request_id() == given) is kept
            assert request_id()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_log_line_stays_one_line_and_carries_the_request_id(app: Flask, log_format: str) -> None:
    record = logging.LogRecord("kiosk", logging.INFO, __file__, 1, "agent=%s", ('evil\n{"x": "\x1b[31m"}',), None)
    with app.test_request_context("/healthz", headers={"X-Request-Id": "abc123"}):
        app.preprocess_request()
        line = logs._formatter(log_format, request_id).format(record)
    assert "\n" not in line
    assert "\x1b" not in line
    assert "abc123" in line
    if log_format == "json":
        assert json.loads(line)["request_id"] == "abc123"


def test_the_clock_is_the_databases(app: Flask) -> None:
    with app.app_context():
        clock.freeze(None)
        assert system.measure_clock()
        assert abs((clock.now() - system.database_time()).total_seconds()) < 0.5


def _set_revision(revision: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
