"""What was measured: samples of operations, and the figures that a run is told by."""

from __future__ import annotations

import math
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

MOST_TROUBLES = 5


@dataclass
class Samples:
    """One operation's: how long each took, what went wrong, and what the server counted for some of them."""

    seconds: list[float] = field(default_factory=list)
    asking_seconds: float = 0.0  # without the pauses of a page that was told to come back
    errors: int = 0
    size: int = 0
    sql: list[int] = field(default_factory=list)
    redis: list[int] = field(default_factory=list)
    minutes: bytearray = field(default_factory=bytearray)  # of the phase, in which each of `seconds` ended

    def add(self, other: Samples) -> None:
        """Take another process's in."""
        self.seconds += other.seconds
        self.asking_seconds += other.asking_seconds
        self.errors += other.errors
        self.size += other.size
        self.sql += other.sql
        self.redis += other.redis
        self.minutes += other.minutes


@dataclass
class Tally:
    """What one phase brought: samples by operation, requests in all, seconds by the wall, CPU of servers and driver."""

    samples: dict[str, Samples] = field(default_factory=lambda: defaultdict(Samples))
    requests: int = 0
    elapsed: float = 0.0
    server_ms: float = 0.0
    driver_ms: float = 0.0
    troubles: list[str] = field(default_factory=list)
    begun_at: float = field(default_factory=time.monotonic)

    def minute(self) -> int:
        """Return the minute of this phase, counted from 0; a very long one ends in its 255th."""
        return min(int((time.monotonic() - self.begun_at) / 60), 255)

    def add(self, other: Tally) -> None:
        """Take in what ran beside."""
        for name, samples in other.samples.items():
            self.samples[name].add(samples)
        self.requests += other.requests
        self.elapsed = max(self.elapsed, other.elapsed)
        self.server_ms += other.server_ms
        self.driver_ms += other.driver_ms
        self.troubles = (self.troubles + other.troubles)[:MOST_TROUBLES]

    def trouble(self, what: str) -> None:
        """Remember the first few things that went wrong."""
        if len(self.troubles) < MOST_TROUBLES:
            self.troubles.append(what)

    def operations(self, clients: int, suffix: str = "") -> list[dict[str, Any]]:
        """The figures of each operation. What several shared is divided by the time that each was being served."""
        served = sum(samples.asking_seconds for samples in self.samples.values()) or 1.0
        return [
            figures(
                name + suffix,
                clients,
                samples,
                elapsed=self.elapsed,
                cpu_ms=self.server_ms * samples.asking_seconds / served,
            )
            for name, samples in self.samples.items()
        ]


def by_minute(tally: Tally) -> list[dict[str, Any]]:
    """What was done in each minute of a phase: how often, and the 99th percentile in milliseconds."""
    found: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for name, samples in tally.samples.items():
        for minute, seconds in zip(samples.minutes, samples.seconds, strict=True):
            found[minute][name].append(seconds)
    return [
        {"minute": minute + 1}
        | {
            name: {"count": len(found[minute][name]), "p99_ms": percentile(sorted(found[minute][name]), 99)}
            for name in sorted(found[minute])
        }
        for minute in sorted(found)
    ]


def figures(name: str, clients: int, samples: Samples, *, elapsed: float, cpu_ms: float) -> dict[str, Any]:
    """One row of the document; times in milliseconds, CPU and bytes for one operation."""
    count = len(samples.seconds)
    ordered = sorted(samples.seconds)
    return {
        "name": name,
        "clients": clients,
        "count": count,
        "errors": samples.errors,
        "per_second": round(count / elapsed, 1) if elapsed else 0.0,
        "p50_ms": percentile(ordered, 50),
        "p95_ms": percentile(ordered, 95),
        "p99_ms": percentile(ordered, 99),
        "cpu_ms": round(cpu_ms / count, 3) if count else 0.0,
        "sql": statistics.median_high(samples.sql) if samples.sql else None,
        "redis": statistics.median_high(samples.redis) if samples.redis else None,
        "bytes": round(samples.size / count) if count else 0,
    }


def percentile(ordered: list[float], percent: int) -> float:
    """The smallest value that so many percent do not exceed, in milliseconds; 0 where there is none."""
    if not ordered:
        return 0.0
    return round(ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] * 1000, 2)


@dataclass
class Run:
    """A whole run, as its scenario fills it."""

    operations: list[dict[str, Any]] = field(default_factory=list)
    yardstick: Tally = field(default_factory=Tally)
    memory_mb: float = 0.0
    driver_ms: float = 0.0
    requests: int = 0
    acknowledged: int = 0
    lost: int = 0
    troubles: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    page: dict[str, Any] = field(default_factory=dict)  # what only a browser can see
    minutes: list[dict[str, Any]] = field(default_factory=list)  # of the phase in which everybody writes

    def take(self, tally: Tally, clients: int, *, suffix: str = "", only: Iterable[str] = ()) -> None:
        """Keep a phase: its operations (or `only` some), what went wrong, and what the driver cost."""
        names = {name + suffix for name in only}
        self.operations += [row for row in tally.operations(clients, suffix) if not names or row["name"] in names]
        self.prepared(tally)

    def prepared(self, tally: Tally) -> None:
        """Keep of a preparation what went wrong, and what the driver cost."""
        self.troubles += tally.troubles
        self.driver_ms += tally.driver_ms
        self.requests += tally.requests

    @property
    def errors(self) -> int:
        """Everything that went wrong; a step on the way to an operation counts too."""
        return max(sum(row["errors"] for row in self.operations), len(self.troubles))

    @property
    def bare_ms(self) -> float:
        """CPU of one request to the bare route."""
        count = sum(len(samples.seconds) for samples in self.yardstick.samples.values())
        return self.yardstick.server_ms / count if count else 0.0

    def document(self) -> dict[str, Any]:
        """The document of `--json`."""
        count = sum(len(samples.seconds) for samples in self.yardstick.samples.values())
        elapsed = self.yardstick.elapsed
        return {
            "operations": self.operations,
            "yardstick": {
                "per_second": round(count / elapsed, 1) if elapsed else 0.0,
                "cpu_ms": round(self.bare_ms, 4),
            },
            "memory_mb": round(self.memory_mb, 1),
            "driver_cpu_ms": round(self.driver_ms / self.requests, 4) if self.requests else 0.0,
            "acknowledged": self.acknowledged,
            "lost": self.lost,
            **({"page": self.page} if self.page else {}),
        }
