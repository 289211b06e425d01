"""`python -m tests.bench.cores saturate.json`: the table of docs/scale.md that turns CPU per operation into cores.

`saturate.json` is what `manage.py bench saturate --database postgresql --json` printed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

CANDIDATES = 1_000_000
BUSY = 0.6  # of a core that is kept busy on purpose; the rest is for bursts and for the loss of a machine
SPREAD_SECONDS = {"start": 60, "submit": 300, "sign_in": 1200}  # the bell, the end, the arrival
EVERY_SECONDS = {"time": 10, "save": 30, "question": 30}


def main(arguments: list[str]) -> int:
    """Print the table as Markdown; return 0, or 2 without a file."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    print(table(json.loads(Path(arguments[0]).read_text())))
    return 0


def table(document: dict) -> str:  # type: ignore[type-arg]
    """The Markdown table of one `saturate` run; of several levels the first counts."""
    cpu_ms: dict[str, float] = {}
    for row in document["operations"]:
        cpu_ms.setdefault(row["name"], row["cpu_ms"])
    lines = [
        f"Bare Flask route in that run: {document['yardstick']['cpu_ms']:.3f} ms.",
        "",
        f"| operation | per second | CPU, ms | cores, busy | cores at {BUSY:.0%} |",
        "| --- | --- | --- | --- | --- |",
    ]
    writing = 0.0
    for name, seconds in (EVERY_SECONDS | SPREAD_SECONDS).items():
        rate = CANDIDATES / seconds
        cores = rate * cpu_ms[name] / 1000
        writing += cores if name in EVERY_SECONDS else 0
        lines.append(f"| {name} | {rate:,.0f} | {cpu_ms[name]:.2f} | {cores:,.0f} | {cores / BUSY:,.0f} |")
    lines.append(f"| **while everybody writes** | | | **{writing:,.0f}** | **{writing / BUSY:,.0f}** |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
