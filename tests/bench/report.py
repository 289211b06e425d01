"""The table for people: each operation beside the yardstick and its budget."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from tests.bench.measures import Run

HASHES = 5


@dataclass(frozen=True)
class Budget:
    """What an operation may cost; CPU as a multiple of the bare route, beside `hashes` of a password."""

    sql: int
    redis: int
    times_bare: float
    size: int | None = None
    hashes: int = 0


BUDGETS = {
    "time": Budget(0, 1, 3.5, 400),
    "heartbeat": Budget(0, 1, 3.5, 400),
    "save": Budget(2, 1, 9.5, 1024),  # PostgreSQL: 1
    "question": Budget(1, 1, 8, 6 * 1024),
    "start": Budget(8, 1, 30),
    "submit": Budget(9, 1, 30),
    "sign_in": Budget(4, 1, 15, hashes=1),
}
COLUMNS = ("operation", "clients", "count", "errors", "/s", "p50 ms", "p95 ms", "p99 ms", "cpu ms", "× bare")
COUNTS = ("sql", "redis", "bytes", "budget")


def table(run: Run, *, is_postgresql: bool) -> str:
    """The whole report, ready to print."""
    hash_ms = hash_cost_ms() if any(row["name"] == "sign_in" for row in run.operations) else 0.0
    rows = [(*COLUMNS, *COUNTS)]
    rows += [_row(row, run.bare_ms, hash_ms, is_postgresql=is_postgresql) for row in run.operations]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        "  ".join(_set(cell, width, place) for place, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]
    document = run.document()
    yardstick = document["yardstick"]
    lines += [
        "",
        f"bare Flask route: {yardstick['cpu_ms']} ms of CPU, {yardstick['per_second']} per second",
        *([f"one password hash: {hash_ms:.1f} ms of CPU"] if hash_ms else []),
        f"memory of the stack: {document['memory_mb']} MB",
        f"load generator: {document['driver_cpu_ms']} ms of CPU for each request",
        f"answers acknowledged: {run.acknowledged}, lost: {run.lost}",
        *_browser_lines(run.page),
        *minute_lines(run.minutes),
        *run.notes,
        *(f"WRONG: {trouble}" for trouble in run.troubles[:10]),
    ]
    return "\n".join(lines)


def _browser_lines(page: dict[str, Any]) -> list[str]:
    if not page:
        return []
    load = page["first_load"]
    lines = [
        f"first load: {load['requests']} requests, {load['kilobytes']} KB, {load['shifts']} layout shifts, "
        f"longest task {load['longest_task_ms']:.0f} ms"
    ]
    for seen in page["rates"]:
        asked = ", ".join(f"{count} {name}" for name, count in seen["requests"].items())
        lines.append(
            f"at {seen['rate']} ×: {seen['moves']} moves ({asked}); {seen['long_tasks']} tasks over 50 ms, longest "
            f"{seen['longest_task_ms']:.0f} ms; {seen['shifts']} layout shifts {' '.join(seen['shifted'])}"
        )
        if seen["longest_frame"]:
            lines.append(f"    longest frame: {seen['longest_frame']}")
    # slowed down, the browser counts its own waiting as work
    thread = ", ".join(f"{name} {value}" for name, value in page["rates"][0]["thread_ms"].items())
    return [*lines, f"the page's main thread, ms of CPU for each move or answer: {thread}"]


def minute_lines(minutes: list[dict[str, Any]]) -> list[str]:
    """Each minute of writing: how often a second, and the 99th percentile; the last one may not be whole."""
    if not minutes:
        return []
    names = [name for name in minutes[0] if name != "minute"]
    lines = ["", "minute  " + "  ".join(f"{name + ' /s':>12} {'p99 ms':>8}" for name in names)]
    for row in minutes:
        cells = (row.get(name, {"count": 0, "p99_ms": 0.0}) for name in names)
        told = "  ".join(f"{cell['count'] / 60:>12.1f} {cell['p99_ms']:>8}" for cell in cells)
        lines.append(f"{row['minute']:>6}  {told}")
    return [*lines, ""]


def misses(row: dict[str, Any], bare_ms: float, hash_ms: float, *, is_postgresql: bool) -> list[str] | None:
    """What of its budget an operation exceeds; None for one without a budget."""
    budget = BUDGETS.get(row["name"])
    if budget is None:
        return None
    sql = 1 if row["name"] == "save" and is_postgresql else budget.sql
    cpu = budget.times_bare * bare_ms + budget.hashes * hash_ms
    limits = {"sql": sql, "redis": budget.redis, "bytes": budget.size, "cpu_ms": cpu}
    return [name for name, most in limits.items() if most is not None and (row[name] or 0) > most]


def hash_cost_ms() -> float:
    """CPU of one argon2 hash, here and now."""
    from kiosk.services.hashing import hash_password

    hash_password("warm up")
    begun = time.process_time()
    for _ in range(HASHES):
        hash_password("a password that somebody chose")
    return (time.process_time() - begun) * 1000 / HASHES


def _row(row: dict[str, Any], bare_ms: float, hash_ms: float, *, is_postgresql: bool) -> tuple[str, ...]:
    names = ("name", "clients", "count", "errors", "per_second", "p50_ms", "p95_ms", "p99_ms", "cpu_ms")
    times = f"{row['cpu_ms'] / bare_ms:.1f}" if bare_ms else "-"
    missed = misses(row, bare_ms, hash_ms, is_postgresql=is_postgresql)
    verdict = "" if missed is None else "met" if not missed else f"NOT MET: {', '.join(missed)}"
    cells = [*(row[name] for name in names), times, *(row[name] for name in ("sql", "redis", "bytes")), verdict]
    return tuple("-" if cell is None else str(cell) for cell in cells)


def _set(cell: str, width: int, place: int) -> str:
    """Words to the left, numbers to the right."""
    return cell.ljust(width) if place in (0, len(COLUMNS) + len(COUNTS) - 1) else cell.rjust(width)
