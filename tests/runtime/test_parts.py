"""The supervisor's parts on their own: the guard, the address of Redis, certificates."""

from __future__ import annotations

import datetime as dt
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from cryptography import x509

from kiosk import clock, embedded
from kiosk.config import load_settings
from kiosk.runtime import guard, tls

from .conftest import eventually

PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2], str(os.getpid())])
time.sleep(60)
"""
BESIDE = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("guard", sys.argv[1])
guard = importlib.util.module_from_spec(spec)
spec.loader.exec_module(guard)
sys.exit(guard.run_beside(int(sys.argv[2]), ["sleep", "60"]))
"""


def test_where_the_kernel_cannot_the_guard_itself_ends_the_child_with_its_parent():
    parent = subprocess.Popen([sys.executable, "-c", PARENT, BESIDE, guard.__file__])
    family = psutil.Process(parent.pid)
    assert eventually(lambda: any(p.name() == "sleep" for p in family.children(recursive=True)))
    descendants = family.children(recursive=True)

    parent.kill()
    parent.wait()

    assert eventually(lambda: not any(is_alive(process) for process in descendants))


def test_the_guard_returns_the_exit_code_of_the_command():
    command = [sys.executable, guard.__file__, str(os.getpid()), sys.executable, "-c", "raise SystemExit(7)"]

    assert subprocess.call(command) == 7


def test_a_command_whose_parent_is_gone_already_is_not_started(tmp_path: Path):
    command = [sys.executable, guard.__file__, "1", "touch", str(tmp_path / "started")]

    subprocess.call(command)

    assert not (tmp_path / "started").exists()


def test_a_configured_redis_is_used_as_it_is(tmp_path: Path):
    settings = settings_for(tmp_path, KIOSK_REDIS_URL="redis://redis.example:6379/3")

    assert embedded.redis_url(settings) == "redis://redis.example:6379/3"


@pytest.mark.parametrize("content", [None, "", "{}", "[]", "not json", '{"socket": "/tmp/x", "pid": 0.5}'])
def test_without_a_running_server_there_is_no_embedded_redis(tmp_path: Path, content: str | None):
    if content is not None:
        (tmp_path / embedded.FILE_NAME).write_text(content)

    assert embedded.redis_url(settings_for(tmp_path)) is None


def test_a_dead_owners_file_is_not_believed(tmp_path: Path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    record = {"socket": "/tmp/kiosk-gone/redis.sock", "pid": ended.pid, "owner_pid": ended.pid}
    (tmp_path / embedded.FILE_NAME).write_text(json.dumps(record))

    assert embedded.redis_url(settings_for(tmp_path)) is None


def test_a_second_redis_on_the_same_data_is_refused(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(embedded, "LOCK_SECONDS", 0.2)
    one, two = embedded.EmbeddedRedis(tmp_path), embedded.EmbeddedRedis(tmp_path)
    process = one.start()
    try:
        with pytest.raises(embedded.RedisUnavailable, match="another Redis"):
            two.start()
        assert embedded.redis_url(settings_for(tmp_path)) == f"unix://{one.socket_path}"
    finally:
        process.terminate()
        process.wait()
        two.forget()
        one.forget()


def test_the_redis_in_the_wheel_serves_where_none_is_installed(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(embedded.shutil, "which", lambda name: None)
    redis = embedded.EmbeddedRedis(tmp_path)

    process = redis.start()

    assert "valkey" in embedded.find_server()
    process.terminate()
    assert process.wait(5) == 0
    redis.forget()


def test_own_certificates_are_private_and_kept(tmp_path: Path):
    names = ["192.0.2.7", "hall.example", "localhost"]
    first = tls.own_certificate(tmp_path, names)
    content = first.certificate.read_bytes()

    again = tls.own_certificate(tmp_path, names)

    assert again.certificate.read_bytes() == content
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
    held = x509.load_pem_x509_certificate(content).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert held.value.get_values_for_type(x509.DNSName) == ["hall.example", "localhost"]
    assert [str(ip) for ip in held.value.get_values_for_type(x509.IPAddress)] == ["192.0.2.7"]


def test_a_new_address_or_a_near_end_makes_a_new_certificate_under_the_same_ca(tmp_path: Path, monkeypatch):
    files = tls.own_certificate(tmp_path, ["localhost"])
    first, ca = files.certificate.read_bytes(), (tmp_path / "ca.pem").read_bytes()

    second = tls.own_certificate(tmp_path, ["localhost", "192.0.2.8"]).certificate.read_bytes()
    in_a_year = clock.now() + dt.timedelta(days=380)
    monkeypatch.setattr(clock, "now", lambda: in_a_year)
    third = tls.own_certificate(tmp_path, ["localhost"]).certificate.read_bytes()

    assert len({first, second, third}) == 3
    assert (tmp_path / "ca.pem").read_bytes() == ca
    x509.load_pem_x509_certificate(third).verify_directly_issued_by(x509.load_pem_x509_certificate(ca))


def settings_for(folder: Path, **more: str):
    return load_settings({"KIOSK_INSTANCE_DIR": str(folder), **more})


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
