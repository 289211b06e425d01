"""The database goes back to a backup while Redis and the candidates' sign-ins remember more (P5)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.faults.bots import AckLog, Bot
from tests.faults.site import Site

THREE_HOURS = 3 * 3600


def copy(source: Path, target: Path) -> None:
    """Copy a whole SQLite database."""
    reading, writing = sqlite3.connect(source), sqlite3.connect(target)
    reading.backup(writing)
    reading.close()
    writing.close()


def test_P5_after_a_restore_the_database_decides_whatever_redis_and_old_sign_ins_say(laptop: Site) -> None:
    (kept,) = laptop.bots(1)
    assert kept.save().status == 200
    backup = laptop.server.folder / "backup.db"
    copy(laptop.sqlite_file, backup)
    # no promise can hold for what is done after the backup, so it goes into a log of its own
    bot = Bot(laptop.server.port, laptop.bot().login, AckLog()).begin()
    vanished = bot.attempt_id
    assert bot.save().status == 200
    laptop.server.stop()
    copy(backup, laptop.sqlite_file)
    laptop.log.faults += 1
    assert vanished in laptop.redis.timers()
    laptop.server.start()
    assert vanished not in laptop.redis.timers()
    assert [call().status for call in (bot.remaining, bot.read, bot.save, bot.submit)] == [404] * 4
    again = bot.start()
    assert (again.status, again.body["resumed"]) == (201, False)
    assert THREE_HOURS - 5 < again.body["remaining_seconds"] <= THREE_HOURS
    assert kept.save().status == 200
    assert kept.remaining().body["status"] == "in_progress"
