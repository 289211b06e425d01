"""Does a full book cost more than an empty one? The same operations with more and more candidates on the books.

The machine's speed drifts by a third within minutes, and a size takes minutes: each operation is measured between two
looks at the bare route, and it is their multiples that are compared.
"""

from __future__ import annotations

from tests.bench.bots import Person
from tests.bench.driver import Fleet
from tests.bench.scenarios import CLIENTS, Bench, say

SIZES, QUICK_SIZES = (1_000, 10_000, 100_000), (100, 500)
WRITTEN, READ = ("save", "question", "time"), ("list", "board")
BUDGET = 1.2  # times the smallest size


def growth(bench: Bench) -> None:
    """Poll, save, page, list and board at each size; an operation's name carries the size behind its @."""
    clients, seconds = CLIENTS[0], bench.seconds(1, 10)
    sizes = QUICK_SIZES if bench.wishes.quick else SIZES
    if bench.wishes.candidates:
        sizes = (max(clients, bench.wishes.candidates // 10), bench.wishes.candidates)
    people = bench.add(clients, "W")
    bench.stack.start()
    writing = bench.fleet(people, processes=1)
    office = bench.fleet([Person("staff", "bench", "bench")] * clients, processes=1)
    bench.prepare(writing, "open_sign_in", "sign_in", "enter", "start", "open_exam")
    bench.prepare(office, "open_sign_in", "sign_in", clients=1)
    fleets = dict.fromkeys(WRITTEN, writing) | dict.fromkeys(READ, office)
    multiples: dict[str, list[float]] = {step: [] for step in fleets}
    on_the_books = clients
    for size in sizes:
        bench.add(size - on_the_books, f"G{size}-", seated=False)
        on_the_books = size
        say(f"{size} candidates on the books")
        bare_before = bench.measure_yardstick(seconds / 4)
        for step, fleet in fleets.items():
            cpu_ms = _cpu_ms(bench, fleet, step, size, seconds)
            bare_after = bench.measure_yardstick(seconds / 4)
            multiples[step].append(2 * cpu_ms / ((bare_before + bare_after) or 1.0))
            bare_before = bare_after
    bench.run.notes.extend(_verdict(step, found) for step, found in multiples.items() if found[0])


def _cpu_ms(bench: Bench, fleet: Fleet, step: str, size: int, seconds: float) -> float:
    """What one operation costs at this size."""
    clients = CLIENTS[0]
    bench.warm_up(fleet, step, clients)
    tally = bench.measure(fleet, "loop", step=step, clients=clients, seconds=seconds)
    bench.run.take(tally, clients, suffix=f"@{size}")
    return next((row["cpu_ms"] for row in bench.run.operations if row["name"] == f"{step}@{size}"), 0.0)


def _verdict(step: str, multiples: list[float]) -> str:
    """The sizes beside one another, and whether the most costly one keeps to the budget."""
    times = max(multiples) / multiples[0]
    met = "met" if times <= BUDGET else "NOT met"
    shown = ", ".join(f"{one:.1f}" for one in multiples)
    return f"{step}: {shown} × bare; {times:.2f} times the smallest (budget {BUDGET}: {met})"
