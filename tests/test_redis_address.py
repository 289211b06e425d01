"""What KIOSK_REDIS_URL may say, and how it is refused: in one line, without a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.config import SettingsError, load_settings
from kiosk.redis_address import parse

SECRET = "hunter2"


def test_one_redis_with_user_password_and_database() -> None:
    address = parse("redis://kiosk:p%40ss%2F1@redis.example:6380/3")
    assert (address.hosts, address.db) == ((("redis.example", 6380),), 3)
    assert (address.username, address.password, address.tls) == ("kiosk", "p@ss/1", None)


def test_tls_with_a_certificate_authority(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()
    assert parse(f"rediss://h?ssl_ca_certs={authority}").tls == {"ssl": True, "ssl_ca_certs": str(authority)}
    assert parse("redis+cluster://h?tls=1").tls == {"ssl": True}


def test_a_socket() -> None:
    assert (parse("unix:///run/a%20b/redis.sock?db=1").path, parse("unix:///run/r?db=1").db) == (
        "/run/a b/redis.sock",
        1,
    )


def test_sentinels_with_a_password_of_their_own() -> None:
    address = parse("redis+sentinel://:a@s1,s2:1,[::1]:2/exam/4?sentinel_password=b&sentinel_tls=1")
    assert address.hosts == (("s1", 26379), ("s2", 1), ("::1", 2))
    assert (address.service, address.db) == ("exam", 4)
    assert (address.password, address.sentinel_password) == ("a", "b")
    assert address.sentinel_tls
    assert address.tls == {"ssl": False}, "TLS to the sentinels alone"


def test_a_cluster_with_several_hosts_to_ask() -> None:
    assert parse("redis+cluster://a:7000,b").hosts == (("a", 7000), ("b", 6379))


@pytest.mark.parametrize(
    "url",
    [
        "",
        f"localhost:6379?{SECRET}",
        f"http://:{SECRET}@localhost",
        f"redis://:{SECRET}@h:99999",
        f"redis://:{SECRET}@h:port",
        f"redis://u:{SECRET}/1@h:6379",
        f"redis://u:{SECRET}?1@h:6379",
        f"redis://:{SECRET}@a,b",
        f"redis://:{SECRET}@h/zero",
        f"redis://:{SECRET}@h/1/2",
        f"redis://:{SECRET}@h?socket_timeout=60",
        f"redis://:{SECRET}@h?db=",
        f"redis://:{SECRET}@h?ssl_ca_certs=/etc/hosts",
        f"rediss://:{SECRET}@h?ssl_ca_certs=/nowhere/ca.pem",
        f"rediss://:{SECRET}@h?ssl_check_hostname=maybe",
        f"unix://:{SECRET}@",
        f"redis+sentinel://:{SECRET}@h:1",
        f"redis+sentinel://:{SECRET}@h:1/",
        f"redis+sentinel://:{SECRET}@h:1/exam/1/2",
        f"redis+sentinel://:{SECRET}@h:1,,g:2/exam",
        f"redis+sentinel://h:1/exam?sentinel_password={SECRET}&sentinel_password=x",
        "redis+cluster://",
        f"redis+cluster://:{SECRET}@h/1",
        f"redis+cluster://:{SECRET}@h?tls=maybe",
        f"redis+cluster://:{SECRET}@h?sentinel_password={SECRET}",
    ],
)
def test_a_wrong_address_stops_the_start_with_one_line_without_the_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings({"KIOSK_INSTANCE_DIR": str(tmp_path), "KIOSK_REDIS_URL": url})
    assert str(refusal.value).startswith("KIOSK_REDIS_URL: ")
    assert len(str(refusal.value).splitlines()) == 1
    assert SECRET not in str(refusal.value)


def test_what_is_printed_of_an_address_holds_no_password() -> None:
    address = parse(f"redis+sentinel://u:{SECRET}@h/exam?sentinel_password={SECRET}")
    assert SECRET not in f"{address} {address!r}"
