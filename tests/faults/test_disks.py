"""The disk is full or read-only, under SQLite and under PostgreSQL (D3, D8)."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.faults import disks
from tests.faults.bots import Bot, Seen, acknowledged
from tests.faults.processes import Postgres, soon
from tests.faults.site import Site
from tests.postgresql import bin_folder

# what PostgreSQL says of a file that may not grow is not "disk full"
DOCUMENTED = {(503, "cannot_save"), (503, "busy")}
needs_a_disk = pytest.mark.skipif(
    not disks.may_mount(), reason="no right to mount a disk: D3 is tested with files that may not grow"
)
may_limit = pytest.mark.skipif(not disks.may_limit(), reason="no limits from outside here")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Site]:
    """A laptop whose instance lies on a disk of 24 MB."""
    disk = tmp_path / "one"
    disk.mkdir()
    assert disks.mount(disk, 24)
    site = Site(tmp_path)
    yield site
    site.close()
    disks.unmount(disk)


@pytest.fixture
def small_country(tmp_path: Path) -> Iterator[Site]:
    """A country whose PostgreSQL lies on a disk of its own of 200 MB."""
    programs = bin_folder()
    if programs is None:
        pytest.skip("no PostgreSQL here")
    disk = Path(tempfile.mkdtemp(prefix="kiosk-pg-", dir="/tmp"))
    assert disks.mount(disk, 200)
    site = Site(tmp_path, Postgres(programs, disk))
    yield site
    site.close()
    disks.unmount(disk)
    shutil.rmtree(disk, ignore_errors=True)


def refuses_and_goes_on_reading(site: Site, bot: Bot, refused: Seen) -> None:
    """A full disk is said honestly, and whoever only reads notices nothing."""
    site.log.faults += 1
    assert (refused.status, refused.body["code"]) == (503, "cannot_save")
    assert bot.remaining().status == 200
    assert bot.read().status == 200
    assert site.server.is_alive()


@needs_a_disk
def test_D3_D8_a_full_disk_costs_a_503_and_a_read_only_one_stops_the_start_with_its_reason(small_disk: Site) -> None:
    site = small_disk
    bots = site.bots(2)
    assert bots[0].save().status == 200
    with sqlite3.connect(site.sqlite_file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    filler = disks.fill(site.server.folder)
    refuses_and_goes_on_reading(site, bots[1], bots[0].save())
    filler.unlink()
    soon(lambda: bots[0].save_surely().status == 200, within_seconds=10)
    with sqlite3.connect(site.sqlite_file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert len(acknowledged(site.log.lately())) == 2
    site.judge()

    site.server.stop()
    disks.make_read_only(site.server.folder)
    process = subprocess.run(
        site.server.command, env=site.server.environment(), capture_output=True, text=True, timeout=30
    )
    said = (process.stdout + process.stderr).strip().splitlines()
    assert process.returncode == 1
    assert len(said) == 1, said
    assert any(word in said[0].lower() for word in ("read-only", "readonly", "not writable"))


@may_limit
def test_D3_a_laptop_that_cannot_write_says_so_and_saves_again_when_it_can(laptop: Site) -> None:
    (bot,) = laptop.bots(1)
    assert bot.save().status == 200
    with disks.files_may_not_grow(laptop.server.workers()):
        refuses_and_goes_on_reading(laptop, bot, bot.save())
    assert bot.save_surely().status == 200


def take_all_room(console: psycopg.Connection[object]) -> None:
    """Add rows that mean nothing, at last one by one, until the database has no room for one more."""
    rows = (
        "INSERT INTO audit_events (id, at, actor_kind, actor_name, action, object_kind, object_id) "
        "SELECT gen_random_uuid(), now(), '', '', '', 'filler', gen_random_uuid() FROM generate_series(1, %s)"
    )
    for count in (1000, 1):
        with pytest.raises(psycopg.Error, match="could not extend"):  # noqa: PT012  one of many is refused
            for _ in range(2_000):
                console.execute(rows, (count,))


def give_room_back(console: psycopg.Connection[object]) -> None:
    """Remove the rows again."""
    with console.transaction():
        console.execute("SET LOCAL session_replication_role = replica")  # nobody else may delete from the audit log
        console.execute("DELETE FROM audit_events WHERE object_kind = 'filler'")
    console.execute("VACUUM FULL audit_events")


@pytest.mark.postgresql
@needs_a_disk
def test_D3_a_full_disk_under_postgresql_costs_a_503_and_no_restart(small_country: Site) -> None:
    site = small_country
    (bot,) = site.bots(1)
    assert bot.save().status == 200
    assert site.postgres is not None
    with site.console() as console:
        # from the beginning of a log file, so that it is a table that finds no room
        console.execute("SELECT pg_switch_wal()")
        console.execute("CHECKPOINT")
        filler = disks.fill(site.postgres.folder, but_bytes=2 << 20)
        take_all_room(console)
        refuses_and_goes_on_reading(site, bot, bot.submit())
        filler.unlink()
        give_room_back(console)
    assert bot.submit().status == 200, "without a restart of anything"
    site.judge()


@pytest.mark.postgresql
@may_limit
def test_D3_a_postgresql_that_cannot_write_costs_a_503_and_no_restart(country: Site) -> None:
    (bot,) = country.bots(1)
    assert bot.save().status == 200
    assert country.postgres is not None
    with country.console() as console:
        with disks.files_may_not_grow(country.postgres.family(), over_bytes=17 << 20):
            take_all_room(console)
            refused = bot.submit()
            assert (refused.status, refused.body["code"]) in DOCUMENTED
            assert bot.remaining().body["status"] == "in_progress"
            country.log.faults += 1
        give_room_back(console)
    assert bot.submit().status == 200
