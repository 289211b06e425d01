"""Settings: every default works, and every wrong value is named."""

from __future__ import annotations

import dataclasses
import stat
from pathlib import Path

import pytest

from kiosk.config import Settings, SettingsError, load_settings

LONG_ENOUGH = "k" * 32


@pytest.fixture
def load(tmp_path: Path):
    """Loads settings from the given variables alone."""

    def from_variables(**variables: str) -> Settings:
        return load_settings({"KIOSK_INSTANCE_DIR": str(tmp_path / "instance"), **variables})

    return from_variables


def test_every_setting_has_a_working_default(load, tmp_path: Path):
    settings = load()

    assert (settings.host, settings.port, settings.env, settings.tls) == ("127.0.0.1", 8000, "demo", "off")
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.database_url == f"sqlite:///{tmp_path / 'instance' / 'kiosk.db'}"
    assert settings.redis_url == "embedded"
    assert (settings.time_zone, settings.save_grace_seconds, settings.outage_seconds) == ("Asia/Kolkata", 2, 60)
    assert settings.backup_dir == tmp_path / "instance" / "backups"
    assert (settings.log_level, settings.log_format) == ("info", "text")
    assert not settings.start_without_redis
    assert settings.mail_url is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "80.5"),
        ("PORT", "٨٠"),
        ("PORT", "http"),
        ("PORT", ""),
        ("HOST", ""),
        ("HOST", "a\nb"),
        ("KIOSK_ENV", "Production"),
        ("KIOSK_ENV", ""),
        ("KIOSK_DATABASE_URL", "mysql://localhost/kiosk"),
        ("KIOSK_DATABASE_URL", "kiosk.db"),
        ("KIOSK_REDIS_URL", "localhost:6379"),
        ("KIOSK_REDIS_URL", "http://localhost"),
        ("KIOSK_SECRET_KEY", "k" * 31),
        ("KIOSK_SECRET_KEY", ""),
        ("KIOSK_TLS", "on"),
        ("KIOSK_TLS", "/nowhere/cert.pem:/nowhere/key.pem"),
        ("KIOSK_PUBLIC_URL", "kiosk.example"),
        ("KIOSK_PROXY_COUNT", "many"),
        ("KIOSK_PROXY_COUNT", "-1"),
        ("KIOSK_TIME_ZONE", "../../etc/passwd"),
        ("KIOSK_TIME_ZONE", "Asia/Atlantis"),
        ("KIOSK_SAVE_GRACE_SECONDS", "-2"),
        ("KIOSK_SAVE_GRACE_SECONDS", "soon"),
        ("KIOSK_OUTAGE_SECONDS", "1m"),
        ("KIOSK_START_WITHOUT_REDIS", "yes"),
        ("KIOSK_MAIL_URL", "mail.example"),
        ("KIOSK_LOG_LEVEL", "loud"),
        ("KIOSK_LOG_FORMAT", "xml"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line_with_the_variables_name(load, name: str, value: str):
    with pytest.raises(SettingsError) as refusal:
        load(**{name: value})

    assert str(refusal.value).startswith(f"{name}:")
    assert len(str(refusal.value).splitlines()) == 1


def test_production_asks_for_a_secret_key(load):
    with pytest.raises(SettingsError, match="KIOSK_SECRET_KEY"):
        load(KIOSK_ENV="production")

    assert load(KIOSK_ENV="production", KIOSK_SECRET_KEY=LONG_ENOUGH).secret_key == LONG_ENOUGH


def test_a_refusal_never_repeats_the_secret(load):
    with pytest.raises(SettingsError) as refusal:
        load(KIOSK_SECRET_KEY="hunter2")

    assert "hunter2" not in str(refusal.value)


def test_the_secret_key_is_made_once_and_private(load, tmp_path: Path):
    first = load().secret_key

    assert load().secret_key == first
    assert len(first) >= 32
    assert stat.S_IMODE((tmp_path / "instance" / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "instance").stat().st_mode) == 0o700


def test_two_instances_have_two_keys(load, tmp_path: Path):
    assert load().secret_key != load(KIOSK_INSTANCE_DIR=str(tmp_path / "other")).secret_key


def test_beyond_loopback_tls_is_on_by_itself(load):
    assert load(HOST="192.0.2.1").tls == "auto"
    assert load(HOST="192.0.2.1").public_url == "https://192.0.2.1:8000"
    assert load(HOST="192.0.2.1", KIOSK_TLS="off").public_url == "http://192.0.2.1:8000"
    assert load(HOST="::1").public_url == "http://[::1]:8000"


def test_production_logs_json(load):
    assert load(KIOSK_ENV="production", KIOSK_SECRET_KEY=LONG_ENOUGH).log_format == "json"


def test_an_instance_directory_that_cannot_be_made_is_named(load, tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(SettingsError, match=r"^KIOSK_INSTANCE_DIR: "):
        load(KIOSK_INSTANCE_DIR=str(tmp_path / "file" / "instance"))


def test_settings_are_frozen(load):
    with pytest.raises(dataclasses.FrozenInstanceError):
        load().port = 1


def test_trusted_hosts_are_a_list(load):
    assert load(KIOSK_TRUSTED_HOSTS="exam.example, 192.0.2.1,").trusted_hosts == ("exam.example", "192.0.2.1")
    assert load().trusted_hosts == ()
