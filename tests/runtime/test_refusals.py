"""What stops a start: one line, the right exit code, and nothing left running."""

from __future__ import annotations

import sqlite3

import pytest

from .conftest import Instance


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("KIOSK_ENV", "staging"),
        ("KIOSK_DATABASE_URL", "mysql://somewhere"),
        ("KIOSK_REDIS_URL", "localhost:6379"),
        ("KIOSK_SECRET_KEY", "short"),
        ("KIOSK_TLS", "cert.pem"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(instance: Instance, name: str, value: str):
    code, said = instance.refusal(**{name: value})

    assert code == 1
    assert name in said
    assert len(said.splitlines()) == 1
    assert instance.processes() == {}


def test_a_second_server_on_the_same_directory_is_refused_with_the_first_ones_process_id(instance: Instance):
    instance.start()
    first = instance.process
    assert first is not None

    code, said = Instance(instance.folder).refusal()

    assert code == 1
    assert str(first.pid) in said
    assert first.poll() is None
    assert instance.ready()["redis"] == "ok"


def test_a_taken_port_stops_the_start_and_is_named(make_instance):
    one, two = make_instance("one"), make_instance("two")
    one.start()

    code, said = two.refusal(PORT=str(one.port))

    assert code == 1
    assert str(one.port) in said
    assert two.processes() == {}


def test_a_database_that_does_not_answer_stops_the_start(instance: Instance):
    nobody_there = "postgresql+psycopg://kiosk@127.0.0.1:1/kiosk"

    code, said = instance.refusal(KIOSK_DATABASE_URL=nobody_there)

    assert code == 1
    assert "KIOSK_DATABASE_URL" in said
    assert len(said.splitlines()) == 1
    assert instance.processes() == {}


def test_a_schema_newer_than_the_program_stops_the_start_and_changes_nothing(instance: Instance):
    instance.start()
    instance.end()
    set_schema(instance, "9999_from_the_future")

    code, said = instance.refusal()

    assert code == 1
    assert "9999_from_the_future" in said
    assert list((instance.folder).glob("backups/*")) == []


def set_schema(instance: Instance, revision: str) -> None:
    with sqlite3.connect(instance.folder / "kiosk.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()
