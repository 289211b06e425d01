"""Redis dies, empties, fills up, hangs, lies: R1 to R11 of the fault matrix, on the laptop."""

from __future__ import annotations

import threading
import time

import pytest

from kiosk import timers
from tests.faults.bots import Bot, saves, writing
from tests.faults.processes import FakeRedis, soon
from tests.faults.site import Site

THREE_HOURS = 3 * 3600


def goes_on(bot: Bot) -> None:
    """Whatever Redis does, this candidate can do everything but start."""
    assert bot.save().status == 200
    time_left = bot.remaining()
    assert time_left.status == 200
    assert time_left.body["status"] == "in_progress"
    assert bot.sign_in().status == 200
    assert bot.start().status == 200, "re-entry"


def cannot_start_now(bot: Bot) -> None:
    """A new start is refused and uses nothing up."""
    assert bot.sign_in().status == 200
    refused = bot.start()
    assert (refused.status, refused.body["code"]) == (503, "timer_unavailable")


def test_R1_redis_killed_in_mid_exam_costs_no_answer_no_second_and_no_sign_in(laptop: Site) -> None:
    bots, newcomer = laptop.bots(3), laptop.bot()
    deadline = bots[0].remaining().body["remaining_seconds"]
    with writing(bots):
        time.sleep(0.3)
        laptop.redis.kill()
        laptop.log.faults += 1
        time.sleep(0.5)
        goes_on(bots[0])
        cannot_start_now(newcomer)
    assert deadline - 5 <= bots[0].remaining().body["remaining_seconds"] <= deadline
    assert bots[1].submit().status == 200
    assert None not in laptop.log.statuses()
    laptop.redis.start()
    assert laptop.recovers_redis() < 3
    assert newcomer.start().status == 201, "nothing was used up"


def test_R2_redis_back_empty_has_every_key_again_within_one_sweep(laptop: Site) -> None:
    bots = laptop.bots(3)
    for bot in bots:
        bot.remaining()
    before = laptop.redis.timers()
    assert all(bot.attempt_id in before for bot in bots)
    laptop.redis.kill()
    for bot in bots:
        bot.remaining()
    laptop.redis.start()
    laptop.log.faults += 1
    laptop.recovers_redis()
    wanted = {bot.attempt_id: before[bot.attempt_id] for bot in bots}
    soon(lambda: wanted.items() <= laptop.redis.timers().items(), within_seconds=6)
    assert laptop.redis.client.pttl(f"exam:timer:{bots[0].attempt_id}") > 0


def test_R3_flushed_ten_times_a_second_nobody_expires_or_gains(laptop: Site) -> None:
    bots, is_over = laptop.bots(3), threading.Event()

    def flush() -> None:
        while not is_over.wait(0.1):
            laptop.redis.client.flushall()
            laptop.log.faults += 1

    flusher = threading.Thread(target=flush)
    flusher.start()
    with writing(bots):
        time.sleep(0.9)
    is_over.set()
    flusher.join()
    assert laptop.log.statuses() <= {200, 201}
    assert THREE_HOURS - 120 < bots[0].remaining().body["remaining_seconds"] <= THREE_HOURS


@pytest.mark.parametrize("policy", ["volatile-lru", "volatile-ttl", "volatile-random", "allkeys-lru"])
def test_R4_a_redis_that_evicts_is_flagged_and_survived(laptop: Site, policy: str) -> None:
    (bot,) = laptop.bots(1)
    client = laptop.redis.client
    try:
        client.config_set("maxmemory-policy", policy)
        assert laptop.redis_state() == "degraded"
        client.config_set("maxmemory", client.info("memory")["used_memory"] - 1)
        client.config_set("maxmemory", 0)
        client.delete(f"exam:timer:{bot.attempt_id}")
        laptop.log.faults += 1
        goes_on(bot)
    finally:
        client.config_set("maxmemory", 0)
        client.config_set("maxmemory-policy", "noeviction")


def test_R5_a_full_redis_refuses_new_starts_and_nothing_else(laptop: Site) -> None:
    (bot,), newcomer = laptop.bots(1), laptop.bot()
    client = laptop.redis.client
    try:
        client.config_set("maxmemory", 1)
        laptop.log.faults += 1
        goes_on(bot)
        cannot_start_now(newcomer)
        assert laptop.redis_state() == "degraded", "the health page is not green"
    finally:
        client.config_set("maxmemory", 0)
    soon(lambda: newcomer.start().status == 201, within_seconds=3)


@pytest.mark.parametrize("seconds", [0.1, 0.6])
def test_R6_a_slow_redis_slows_nobody_down(laptop: Site, seconds: float) -> None:
    bots = laptop.bots(2)
    with laptop.redis_line.slow(seconds), writing(bots):
        time.sleep(0.8)
        goes_on(bots[0])
    assert slowest_save(laptop) < 1
    laptop.recovers_redis()


def test_R6_a_redis_that_hangs_costs_a_bounded_time(laptop: Site) -> None:
    bots, newcomer = laptop.bots(2), laptop.bot()
    with laptop.redis_line.blackhole(), writing(bots):
        goes_on(bots[0])
        cannot_start_now(newcomer)
        time.sleep(0.5)
    assert slowest_save(laptop) < 1
    laptop.recovers_redis()


def slowest_save(site: Site) -> float:
    """The 95th percentile of the saves, in seconds."""
    seconds = sorted(seen.seconds for seen in saves(site.log.lately()))
    return seconds[int(len(seconds) * 0.95)]


WRONG_KEYS = {
    "too short": ("{now}:{version}:{lease}", 90_000),
    "too long": ("{later}:{version}:{lease}", 90_000_000),
    "older version": ("{later}:0:{lease}", 90_000_000),
    "newer version": ("{later}:99:{lease}", 90_000_000),
    "of another sign-in": ("{later}:{version}:1", 90_000_000),
    "without expiry": ("{later}:{version}:{lease}", None),
    "garbage": ("\x00\x01:::", 90_000),
}


def test_R8_I13_wrong_keys_close_nothing_early_and_are_mended_by_the_next_sweep(laptop: Site) -> None:
    bots, client = laptop.bots(len(WRONG_KEYS) + 1), laptop.redis.client
    keys = [f"exam:timer:{bot.attempt_id}" for bot in bots]
    for bot in bots:
        bot.remaining()
    right = {key: client.get(key) for key in keys}
    for key, (form, keep_ms) in zip(keys, WRONG_KEYS.values(), strict=False):
        deadline, version, lease = right[key].split(":")
        value = form.format(now=timers_now(), later=int(deadline) + 7_200_000, version=version, lease=lease)
        client.set(key, value, px=keep_ms)
    client.delete(keys[-1])
    client.lpush(keys[-1], "of a wrong type")
    laptop.log.faults += len(keys)
    assert {bot.save().status for bot in bots} == {200}, "the database decides"
    wanted = {bot.attempt_id: right[key] for bot, key in zip(bots, keys, strict=True)}
    soon(lambda: wanted.items() <= laptop.redis.timers().items(), within_seconds=7)
    assert all(0 < client.pttl(key) <= (THREE_HOURS + 61) * 1000 for key in keys)
    assert all(THREE_HOURS - 120 < bot.remaining().body["remaining_seconds"] <= THREE_HOURS for bot in bots)


def timers_now() -> int:
    """This instant as a key tells it."""
    return int(time.time() * 1000)


REFUSALS = {
    "LOADING": b"-LOADING Redis is loading the dataset in memory\r\n",
    "READONLY": b"-READONLY You can't write against a read only replica.\r\n",
    "MISCONF": b"-MISCONF Redis is configured to save RDB snapshots, but it is unable to.\r\n",
    "NOAUTH": b"-NOAUTH Authentication required.\r\n",
    "OOM": b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    "MOVED": b"-MOVED 3999 127.0.0.1:6381\r\n",
    "OK to everything": b"+OK\r\n",
    "nothing to everything": b"$-1\r\n",
    "a number to everything": b":1\r\n",
    "a list to everything": b"*2\r\n:1\r\n$3\r\nabc\r\n",
    "bytes that are no text": b"$2\r\n\xff\xfe\r\n",
    "garbage": b"\x00\xffHTTP/1.1 400 Bad Request\r\n\r\n",
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_R9_I12_a_redis_that_answers_nonsense_counts_as_none(laptop: Site, refusal: str) -> None:
    (bot,) = laptop.bots(1)
    fake = FakeRedis()
    fake.answer = REFUSALS[refusal]
    try:
        with laptop.redis_line.to(fake.address):
            for _ in range(2):
                assert bot.save().status == 200
                time_left = bot.remaining()
                assert (time_left.status, time_left.body["status"]) == (200, "in_progress")
            assert laptop.server.ready()["database"] == "ok", "the health page stands"
    finally:
        fake.close()
    laptop.recovers_redis()


def test_R9_a_redis_line_cut_in_the_middle_of_an_answer_counts_as_none(laptop: Site) -> None:
    (bot,) = laptop.bots(1)
    with laptop.redis_line.cutting_after(3):
        goes_on(bot)
    laptop.recovers_redis()


def test_R10_a_key_that_expired_early_is_made_again_and_closes_nothing(laptop: Site) -> None:
    (bot,) = laptop.bots(1)
    bot.remaining()
    key = f"exam:timer:{bot.attempt_id}"
    right = laptop.redis.client.get(key)
    laptop.redis.client.pexpire(key, 1)
    laptop.log.faults += 1
    time.sleep(0.02)
    assert bot.remaining().body["status"] == "in_progress"
    assert laptop.redis.client.get(key) == right
    assert laptop.redis.client.pttl(key) > timers.KEEP_AFTER_DEADLINE_MS
