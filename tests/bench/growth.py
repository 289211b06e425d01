"""Does a full book cost more than an empty one? The same operations with more and more candidates on the books."""

from __future__ import annotations

from tests.bench.bots import Person
from tests.bench.scenarios import CLIENTS, Bench, say

SIZES, QUICK_SIZES = (1_000, 10_000, 100_000), (100, 500)
WRITTEN, READ = ("save", "question", "time"), ("list", "board")


def growth(bench: Bench) -> None:
    """Poll, save, page, list and board at each size; an operation's name carries the size behind its @."""
    clients, seconds = CLIENTS[0], bench.seconds(1, 10)
    sizes = QUICK_SIZES if bench.wishes.quick else SIZES
    if bench.wishes.candidates:
        sizes = (max(clients, bench.wishes.candidates // 10), bench.wishes.candidates)
    people = bench.add(clients, "W")
    bench.stack.start()
    bench.measure_yardstick(seconds / 2)
    writing = bench.fleet(people, processes=1)
    office = bench.fleet([Person("staff", "bench", "bench")] * clients, processes=1)
    bench.prepare(writing, "open_sign_in", "sign_in", "enter", "start", "open_exam")
    bench.prepare(office, "open_sign_in", "sign_in", clients=1)
    on_the_books = clients
    for size in sizes:
        bench.add(size - on_the_books, f"G{size}-", seated=False)
        on_the_books = size
        say(f"{size} candidates on the books")
        for fleet, steps in ((writing, WRITTEN), (office, READ)):
            for step in steps:
                bench.warm_up(fleet, step, clients)
                tally = bench.measure(fleet, "loop", step=step, clients=clients, seconds=seconds)
                bench.run.take(tally, clients, suffix=f"@{size}")
    bench.measure_yardstick(seconds / 2)
    rows = {row["name"]: row["cpu_ms"] for row in bench.run.operations}
    for step in (*WRITTEN, *READ):
        least, most = rows.get(f"{step}@{sizes[0]}", 0), rows.get(f"{step}@{sizes[-1]}", 0)
        if least:
            times = most / least
            verdict = "met" if times <= 1.2 else "NOT met"
            bench.run.notes.append(f"{step}: {times:.2f} times the CPU of the smallest (budget 1.2: {verdict})")
