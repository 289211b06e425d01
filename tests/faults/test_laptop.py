"""The worker dies, the answer is lost on its way, the disk is full, another writer holds the file: on the laptop."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tests.faults.bots import Bot, Seen, writing
from tests.faults.processes import soon
from tests.faults.site import Site

THREE_HOURS = 3 * 3600
GRACE_SECONDS = 2
SWEEP_SECONDS = 1


def one(site: Site, query: str, *values: Any) -> Any:
    """The first column of the first row, by somebody who only looks."""
    connection = sqlite3.connect(site.sqlite_file, timeout=5)
    try:
        return connection.execute(query, values).fetchone()[0]
    finally:
        connection.close()


def bare(identifier: str) -> str:
    """An id as SQLite keeps it."""
    return identifier.replace("-", "")


def stored_seq(site: Site, bot: Bot) -> int:
    """The `seq` that is stored for the bot's first question."""
    query = "SELECT seq FROM answers WHERE attempt_id = ? AND question_id = ?"
    return one(site, query, bare(bot.attempt_id), bare(bot.questions[0]))


def status(site: Site, bot: Bot) -> str:
    """The status of the bot's attempt as its row has it."""
    return one(site, "SELECT status FROM attempts WHERE id = ?", bare(bot.attempt_id))


def ages(site: Site, bot: Bot, seconds: float) -> None:
    """Move everything that happened in this attempt so far into the past."""
    moved = {
        "attempts": ("id", "created_at", "changed_at", "consented_at", "started_at", "deadline_at"),
        "answers": ("attempt_id", "saved_at", "visited_at"),
        "answer_saves": ("attempt_id", "arrived_at"),
    }
    with site.written_by_somebody_else() as connection:
        for table, (key, *columns) in moved.items():
            for column in columns:
                connection.execute(
                    f"UPDATE {table} SET {column} = strftime('%Y-%m-%d %H:%M:%f', {column}, ?) || '000' "
                    f"WHERE {key} = ? AND {column} IS NOT NULL",
                    (f"-{seconds} seconds", bare(bot.attempt_id)),
                )
        connection.commit()


def meanwhile(call: Callable[[], Seen]) -> Future[Seen]:
    """Make a call on another thread."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(call)
    pool.shutdown(wait=False)
    return future


# --- the worker dies ------------------------------------------------------------------------------


def test_W1_a_worker_killed_before_the_commit_of_a_save_has_stored_nothing(laptop: Site) -> None:
    (bot,) = laptop.bots(1)
    assert bot.save().status == 200
    before = stored_seq(laptop, bot)
    with laptop.written_by_somebody_else():
        waiting = meanwhile(bot.save)
        time.sleep(0.3)
        laptop.kill_workers()
        assert waiting.result().status is None
    assert stored_seq(laptop, bot) == before
    soon(laptop.server.is_alive, within_seconds=5)
    again = bot.save(text=waiting.result().response, seq=waiting.result().seq)
    assert (again.status, again.body["saved"]) == (200, True)


def test_W1_a_worker_killed_between_the_commit_of_a_save_and_its_answer_has_stored_it_once(laptop: Site) -> None:
    (bot,) = laptop.bots(1)
    assert bot.save().status == 200
    before, bot.port = stored_seq(laptop, bot), laptop.web_line.port
    with laptop.web_line.deaf():
        waiting = meanwhile(bot.save)
        soon(lambda: stored_seq(laptop, bot) > before, within_seconds=3)
        laptop.kill_workers()
        laptop.web_line.reset()
        lost = waiting.result()
        assert lost.status is None
    soon(laptop.server.is_alive, within_seconds=5)
    again = bot.save(text=lost.response, seq=lost.seq)
    assert (again.status, again.body["saved"], again.body["seq"]) == (200, True, lost.seq)


def test_W1_a_worker_killed_between_the_commit_of_a_hand_in_and_redis_has_handed_in_once(laptop: Site) -> None:
    (bot,) = laptop.bots(1)
    bot.save()
    bot.remaining()
    with laptop.redis_line.blackhole():
        waiting = meanwhile(bot.submit)
        soon(lambda: status(laptop, bot) != "in_progress", within_seconds=3)
        laptop.kill_workers()
        waiting.result()
    soon(laptop.server.is_alive, within_seconds=5)
    first, second = bot.submit(), bot.submit()
    assert first.status == second.status == 200
    assert first.body["receipt"] == second.body["receipt"]
    assert bot.remaining().body["status"] in ("submitted", "completed")
    assert bot.save().status == 409
    soon(lambda: laptop.redis.timers().get(bot.attempt_id, "-").startswith("-"), within_seconds=7)


def test_W1_a_worker_killed_between_redis_and_the_commit_of_a_start_has_used_nothing_up(laptop: Site) -> None:
    bot = laptop.bot()
    assert bot.sign_in().status == 200
    keys = len(laptop.redis.timers())
    with laptop.written_by_somebody_else():
        waiting = meanwhile(bot.start)
        soon(lambda: len(laptop.redis.timers()) > keys, within_seconds=3)
        laptop.kill_workers()
        assert waiting.result().status is None
    soon(laptop.server.is_alive, within_seconds=5)
    started = bot.start()
    assert (started.status, started.body["resumed"]) == (201, False)
    assert THREE_HOURS - 5 < started.body["remaining_seconds"] <= THREE_HOURS


def test_W2_a_worker_that_stands_still_at_the_deadline_makes_no_answer_late(laptop: Site) -> None:
    bot = laptop.bot().begin()
    ages(laptop, bot, THREE_HOURS - 0.5)
    (worker,) = laptop.server.workers()
    worker.suspend()
    laptop.log.faults += 1
    waiting = meanwhile(bot.save)
    time.sleep(1)
    worker.resume()
    assert waiting.result().status == 200, "sent in time, and within the grace"
    bot.is_done = True


def test_W3_a_server_told_to_end_during_saves_loses_no_acknowledged_answer(laptop: Site) -> None:
    bots = laptop.bots(3)
    with writing(bots):
        time.sleep(0.3)
        laptop.server.stop(signal.SIGTERM)
        laptop.log.faults += 1
        laptop.server.start()
        time.sleep(0.2)
    assert laptop.log.statuses() <= {200, 201, None, 503}


# --- the line to the kiosk ------------------------------------------------------------------------


def test_K3_a_lost_response_and_the_same_request_again_have_one_effect(laptop: Site) -> None:
    bot = laptop.bot(through_web_line=True)
    bot.ask_seconds = 0.4

    def lost_and_repeated(call: Callable[[], Seen]) -> Seen:
        with laptop.web_line.deaf():
            assert call().status is None
        return call()

    assert lost_and_repeated(bot.sign_in).status == 200
    bot.look()
    started = lost_and_repeated(bot.start)
    assert (started.status, started.body["resumed"]) == (200, True), "the lost one has started it"
    assert THREE_HOURS - 5 < started.body["remaining_seconds"] <= THREE_HOURS
    bot.read()
    with laptop.web_line.deaf():
        lost = bot.save()
    again = bot.save(text=lost.response, seq=lost.seq)
    assert (again.status, again.body["saved"], again.body["seq"]) == (200, True, lost.seq)
    assert lost_and_repeated(bot.submit).status == 200
    assert bot.submit().status == 200


def test_K4_doubled_and_reordered_saves_leave_the_newest(laptop: Site) -> None:
    bot = laptop.bot().begin()
    texts = {seq: f"version {seq}" for seq in range(1, 6)}
    newest = 0
    for seq in (2, 1, 4, 4, 3, 5, 2, 5):
        seen = bot.save(text=texts[seq], seq=seq)
        assert (seen.status, seen.body["saved"]) == (200, seq >= newest)
        newest = max(newest, seq)
        if not seen.body["saved"]:
            assert (seen.body["seq"], seen.body["response"]) == (newest, texts[newest])
    laptop.log.faults += 5
    assert bot.save(text="another text", seq=5).body["code"] == "seq_reused"


# --- time -----------------------------------------------------------------------------------------


def test_R11_without_any_expired_event_the_sweeper_ends_in_time_and_only_then(laptop: Site) -> None:
    (bot,) = laptop.bots(1)
    laptop.redis.client.config_set("notify-keyspace-events", "")
    bot.save()
    ages(laptop, bot, THREE_HOURS - 0.2 - (THREE_HOURS - bot.remaining().body["remaining_seconds"]))
    laptop.redis.client.publish("__keyevent@0__:expired", f"exam:timer:{bot.attempt_id}")
    laptop.redis.client.delete(f"exam:timer:{bot.attempt_id}")
    laptop.log.faults += 2
    assert status(laptop, bot) == "in_progress"
    seconds = soon(lambda: status(laptop, bot) != "in_progress", within_seconds=GRACE_SECONDS + SWEEP_SECONDS + 2)
    assert seconds > GRACE_SECONDS - 0.8, "nobody ends an attempt before deadline and grace"
    laptop.redis.client.publish("__keyevent@0__:expired", f"exam:timer:{bot.attempt_id}")
    assert bot.save().status == 410
    assert bot.submit().body["status"] == "expired"


# --- the file -------------------------------------------------------------------------------------


def test_D6_another_writer_on_the_file_costs_a_503_in_bounded_time_and_health_answers(laptop: Site) -> None:
    bots = laptop.bots(3)
    with laptop.written_by_somebody_else():
        laptop.log.faults += 1
        waiting = [meanwhile(bot.save) for bot in bots]
        seen = [one.result() for one in waiting]
    assert {one.status for one in seen} == {503}
    assert max(one.seconds for one in seen) < 8
    assert {bot.save().status for bot in bots} == {200}
