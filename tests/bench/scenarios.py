"""What a run does: candidates from sign-in to receipt, and one operation at a time as fast as it goes."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from tests.bench import data
from tests.bench.bots import Person
from tests.bench.driver import Fleet
from tests.bench.measures import Run, Tally, by_minute
from tests.bench.stack import Stack

CLIENTS = (8, 16, 32)
AT_ONCE = 16  # who comes in before a measurement
USUAL_PACE_SECONDS = 30.0
YARDSTICK_SECONDS, WARM_SECONDS = 1.0, 0.3
LEAST_ROUNDS = 2  # of a save, a question and three polls that a short run still has


@dataclass
class Wishes:
    """What the command line asked for; None: as the scenario thinks best."""

    quick: bool = False
    candidates: int | None = None
    seconds: float | None = None
    database: str = "embedded"
    pace: float | None = None
    twice: float | None = None


@dataclass
class Bench:
    """A scenario's tools: the stack, the fleets it has begun, and the figures so far."""

    stack: Stack
    wishes: Wishes
    run: Run = field(default_factory=Run)
    fleets: list[Fleet] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Load the sample papers."""
        say("loading the sample papers")
        self.app = self.stack.make_app()
        self.place = data.prepare(self.app)

    def candidates(self, quick: int, usual: int) -> int:
        """How many candidates."""
        return self.wishes.candidates or (quick if self.wishes.quick else usual)

    def seconds(self, quick: float, usual: float) -> float:
        """How long."""
        return self.wishes.seconds or (quick if self.wishes.quick else usual)

    def add(self, count: int, prefix: str, **how: Any) -> list[Person]:
        """Load candidates."""
        say(f"loading {count} candidates")
        return data.add_candidates(self.app, self.place, count, prefix=prefix, **how)

    def fleet(self, people: list[Person], *, processes: int | None = None) -> Fleet:
        """Put people on driver processes."""
        count = processes or min(os.cpu_count() or 1, max(1, len(people) // 16))
        self.fleets.append(Fleet(self.stack.server.port, people, processes=count))
        return self.fleets[-1]

    def measure(self, fleet: Fleet, order: str, **how: Any) -> Tally:
        """Give an order to a fleet and account for what it cost."""
        before = self.stack.cpu_ms()
        tally = fleet.run(order, **how)
        tally.server_ms = self.stack.cpu_ms() - before
        return tally

    def prepare(
        self, fleet: Fleet, *steps: str, clients: int = AT_ONCE, first: int = 0, last: int | None = None
    ) -> None:
        """Let each bot go through steps that are not measured; what goes wrong is told all the same."""
        tally = fleet.run("each", steps=list(steps), clients=clients, first=first, last=last)
        self.run.prepared(tally)

    def warm_up(self, fleet: Fleet, step: str, clients: int, first: int = 0) -> None:
        """Do a step for a moment unmeasured: templates and statements are compiled with their first use."""
        self.run.prepared(fleet.run("loop", step=step, clients=clients, seconds=WARM_SECONDS, first=first))

    def measure_yardstick(self, seconds: float) -> float:
        """Ask for the bare route as fast as it goes; return its CPU (ms). Asked often: the machine's mood changes."""
        fleet = Fleet(self.stack.yardstick.port, [Person("bare")] * CLIENTS[0])
        fleet.run("loop", step="look", clients=CLIENTS[0], seconds=0.2)
        before = self.stack.yardstick_cpu_ms()
        tally = fleet.run("loop", step="look", clients=CLIENTS[0], seconds=seconds)
        tally.server_ms = self.stack.yardstick_cpu_ms() - before
        count = sum(len(samples.seconds) for samples in tally.samples.values())
        tally.elapsed += self.run.yardstick.elapsed
        self.run.yardstick.add(tally)
        fleet.end()
        return tally.server_ms / count if count else 0.0


def say(line: str) -> None:
    """One calm line of progress; stdout belongs to the figures."""
    print(f"  {line}", file=sys.stderr, flush=True)


def journey(bench: Bench) -> None:
    """Everybody from the sign-in page to the receipt, with think time, each on a connection of their own."""
    count, seconds = bench.candidates(8, 50), bench.seconds(6, 60)
    people = bench.add(count, "J")
    bench.stack.start()
    bench.measure_yardstick(min(seconds, YARDSTICK_SECONDS))
    fleet = bench.fleet(people)
    clients = min(count, AT_ONCE)
    say("signing in and starting")
    bench.prepare(fleet, "open_sign_in", clients=clients)
    bench.run.take(bench.measure(fleet, "each", steps=["sign_in"], clients=clients), clients)
    bench.prepare(fleet, "enter", clients=clients)
    bench.run.take(bench.measure(fleet, "each", steps=["start"], clients=clients), clients)
    bench.prepare(fleet, "open_exam", clients=clients)
    pace = bench.wishes.pace or min(USUAL_PACE_SECONDS, seconds / LEAST_ROUNDS)
    say(f"writing for {seconds:.0f} s: a save and a question every {pace:.0f} s each, three polls meanwhile")
    writing = bench.measure(fleet, "write", seconds=seconds, pace_seconds=pace)
    bench.run.take(writing, count)
    bench.run.minutes = by_minute(writing)
    if bench.wishes.twice:
        say(f"writing twice as fast for {bench.wishes.twice:.0f} s")
        quicker = bench.measure(fleet, "write", seconds=bench.wishes.twice, pace_seconds=pace / 2)
        bench.run.take(quicker, count, suffix="@twice")
    say("handing in")
    bench.prepare(fleet, "look_over", clients=clients)
    bench.run.take(bench.measure(fleet, "each", steps=["submit"], clients=clients), clients)
    bench.prepare(fleet, "read_receipt", clients=clients)
    bench.run.notes.append(
        f"{count} candidates; a save and a question every {pace:.0f} s. The CPU of what is written at the same time is "
        "shared out by the time that each operation was being served; `saturate` tells them apart."
    )


def saturate(bench: Bench) -> None:
    """Each operation alone in a closed loop without think time: what it costs, and how many go through."""
    levels = CLIENTS[:1] if bench.wishes.quick else CLIENTS
    most, seconds = levels[-1], bench.seconds(1.5, 10)
    # what a candidate does only once needs fresh ones for each level
    share = max(bench.candidates(64, 600) // len(levels), levels[0])
    choosers = bench.add(most, "A", chosen=True)
    people = bench.add(share * len(levels), "S")
    programs = bench.add(most, "P", kind="program")
    bench.stack.start()
    bench.measure_yardstick(seconds / 2)
    hashing, writing, calling = (bench.fleet(group) for group in (choosers, people, programs))
    bench.prepare(hashing, "open_sign_in")
    bench.prepare(calling, "enter")
    for place, clients in enumerate(levels):
        say(f"{clients} clients")
        first, last = place * share, (place + 1) * share
        _level(bench, hashing, writing, calling, clients, seconds, _part(writing, first, last))
    bench.measure_yardstick(seconds / 2)


def _level(
    bench: Bench, hashing: Fleet, writing: Fleet, calling: Fleet, clients: int, seconds: float, part: dict[str, int]
) -> None:
    def loop(fleet: Fleet, step: str, first: int = 0) -> None:
        # between all of them: the machine's mood changes from one second to the next
        bench.measure_yardstick(seconds / 5)
        bench.warm_up(fleet, step, clients, first)
        tally = bench.measure(fleet, "loop", step=step, clients=clients, seconds=seconds, first=first)
        bench.run.take(tally, clients)

    def once(step: str) -> None:
        bench.run.take(bench.measure(writing, "each", steps=[step], clients=clients, **part), clients)

    loop(hashing, "sign_in")
    bench.prepare(writing, "open_sign_in", "sign_in", "enter", **part)
    once("start")
    bench.prepare(writing, "open_exam", **part)
    for step in ("question", "save", "time"):
        loop(writing, step, part["first"])
    loop(calling, "heartbeat")
    once("submit")


def _part(fleet: Fleet, first: int, last: int) -> dict[str, int]:
    """Which of its bots each process of a fleet takes for a level."""
    return {"first": first // fleet.processes, "last": last // fleet.processes}


def finish(bench: Bench) -> None:
    """Measure the memory, collect the ack log and compare it with the database."""
    from tests.bench import acks

    bench.run.memory_mb = bench.stack.memory_mb()
    newest: acks.Acks = {}
    for fleet in bench.fleets:
        count, answers = fleet.acks()
        bench.run.acknowledged += count
        newest |= answers
        fleet.end()
    say(f"comparing {bench.run.acknowledged} acknowledged answers with the database")
    time.sleep(0.2)
    missing = list(acks.lost(bench.app, newest))
    bench.run.lost = len(missing)
    bench.run.troubles += missing
