"""The load generator: processes of its own, each with some of the bots, told over a pipe what to do next."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import random
import signal
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from typing import Any

import uvloop

from tests.bench.bots import KINDS, Bot, Person, Trouble
from tests.bench.measures import Tally

TROUBLES = (Trouble, OSError, TimeoutError, LookupError, ValueError, AttributeError)


class Fleet:
    """Bots on some processes. Each order is given to all of them at once; `clients` are divided among them."""

    def __init__(self, port: int, people: list[Person], *, processes: int = 1) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._children = []
        self.processes = min(processes, len(people)) or 1
        for place in range(self.processes):
            ours, theirs = spawn.Pipe()
            process = spawn.Process(target=work, args=(theirs, port, people[place :: self.processes]), daemon=True)
            process.start()
            self._pipes.append(ours)
            self._children.append(process)

    def run(self, order: str, **how: Any) -> Tally:
        """Give an order and wait until it is done; return what came of it."""
        self.begin(order, **how)
        return self.result()

    def begin(self, order: str, **how: Any) -> None:
        """Give an order without waiting."""
        for place, pipe in enumerate(self._pipes):
            clients = how.get("clients")
            share = {} if clients is None else {"clients": len(range(place, clients, self.processes))}
            pipe.send((order, how | share))

    def result(self) -> Tally:
        """Wait for what was ordered."""
        total = Tally()
        for pipe in self._pipes:
            total.add(pipe.recv())
        return total

    def acks(self) -> tuple[int, dict[tuple[str, str], tuple[int, str]]]:
        """How many saves were acknowledged, and the newest for each login and question."""
        count, newest = 0, {}
        for pipe in self._pipes:
            pipe.send(("acks", {}))
            part, answers = pipe.recv()
            count += part
            newest.update(answers)
        return count, newest

    def end(self) -> None:
        """End the processes."""
        for pipe, process in zip(self._pipes, self._children, strict=True):
            pipe.close()
            process.join(5)
            if process.is_alive():
                process.kill()


def work(pipe: Connection, port: int, people: list[Person]) -> None:
    """The life of one process: do what is ordered until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who ends us
    gc.disable()  # nothing here goes in circles, and to look through ten thousand bots takes CPU from the stack
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    bots = [KINDS[person.kind](port, person) for person in people]
    while True:
        try:
            order, how = pipe.recv()
        except EOFError:
            return
        if order == "acks":
            newest = {(bot.person.login, question): ack for bot in bots for question, ack in bot.acks.items()}
            pipe.send((sum(bot.acknowledged for bot in bots), newest))
            continue
        pipe.send(loop.run_until_complete(_done(ORDERS[order], bots, how)))


async def _done(order: Callable[..., Awaitable[None]], bots: list[Bot], how: dict[str, Any]) -> Tally:
    tally = Tally()
    for bot in bots:
        bot.tally, bot.counted = tally, set()
    await asyncio.sleep(0.01)  # learn first of connections that were closed meanwhile
    begun_at, cpu = time.monotonic(), time.process_time()
    await order(bots, tally, **how)
    tally.elapsed = time.monotonic() - begun_at
    tally.driver_ms = (time.process_time() - cpu) * 1000
    return tally


async def each(
    bots: list[Bot],
    tally: Tally,
    steps: list[str],
    *,
    first: int = 0,
    last: int | None = None,
    clients: int,
    within_seconds: float = 0.0,
) -> None:
    """Let each bot go through the steps once, so many at a time; each client begins at some moment within that time."""
    waiting = iter(bots[first:last])

    async def client() -> None:
        await asyncio.sleep(random.random() * within_seconds)
        for bot in waiting:
            for step in steps:
                if not await _try(bot, step, tally):
                    break

    await asyncio.gather(*(client() for _ in range(clients)))


async def loop(bots: list[Bot], tally: Tally, step: str, *, clients: int, seconds: float, first: int = 0) -> None:
    """Let so many bots do one step over and over, without a pause."""
    until = time.monotonic() + seconds

    async def client(bot: Bot) -> None:
        while time.monotonic() < until:
            if not await _try(bot, step, tally):
                await asyncio.sleep(0.1)

    await asyncio.gather(*(client(bot) for bot in bots[first : first + clients]))


async def write(bots: list[Bot], tally: Tally, *, seconds: float, pace_seconds: float) -> None:
    """Let all write for a while, with think time."""
    until = time.monotonic() + seconds

    async def client(bot: Any) -> None:
        while time.monotonic() + pace_seconds / 5 < until:
            try:
                await bot.write(until, pace_seconds)
                return
            except TROUBLES as trouble:
                tally.trouble(f"{bot.person.login}: {trouble!r}")
                await asyncio.sleep(0.5)

    await asyncio.gather(*(client(bot) for bot in bots))


ORDERS: dict[str, Callable[..., Awaitable[None]]] = {"each": each, "loop": loop, "write": write}


async def _try(bot: Bot, step: str, tally: Tally) -> bool:
    try:
        await getattr(bot, step)()
    except TROUBLES as trouble:
        tally.trouble(f"{bot.person.login}: {step}: {trouble!r}")
        return False
    return True
