"""`manage.py bench`: candidate bots against a stack of its own. Exit code 1 if an answer is lost or anything fails."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable
from typing import Any

SCENARIOS = {
    "journey": "candidates from sign-in to receipt, with think time",
    "saturate": "each operation alone in a closed loop at 8, 16 and 32 clients",
    "start-bell": "a hall signs in and starts at once",
    "end-bell": "thousands end in the same second",
    "growth": "more and more candidates on the books",
    "bulk": "import, assign, reset, switch, sweep",
    "page": "the exam page in Chromium, at full speed and at a sixth of it",
}


def main(arguments: list[str]) -> int:
    """Run one scenario; return 0, 1 (lost answers, errors, no stack) or 2 (wrong usage)."""
    asked = parser().parse_args(arguments)
    # only now: --help needs none of the product, and each driver process imports this file
    from kiosk.runtime import net
    from tests.bench import report
    from tests.bench.scenarios import Bench, Wishes, finish, say
    from tests.bench.stack import CannotStart, Stack

    net.raise_open_files()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # else the stack would stay behind
    wishes = Wishes(asked.quick, asked.candidates, asked.seconds, asked.database, asked.pace, asked.twice)
    stack = None
    try:
        stack = Stack(asked.database)
        bench = Bench(stack, wishes)
        scenario(asked.scenario)(bench)
        finish(bench)
    except CannotStart as refusal:
        print(refusal, file=sys.stderr)
        return 1
    finally:
        if stack is not None:
            stack.stop()
    for trouble in bench.run.troubles[:10]:
        say(f"WRONG: {trouble}")
    if asked.json:
        for line in report.minute_lines(bench.run.minutes):
            say(line)
        print(json.dumps(bench.run.document()))
    else:
        print(report.table(bench.run, is_postgresql=asked.database == "postgresql"))
    return 1 if bench.run.lost or bench.run.errors else 0


def scenario(name: str) -> Callable[[Any], None]:
    """The function of a scenario."""
    from tests.bench import bells, bulk, growth, page, scenarios

    return {
        "journey": scenarios.journey,
        "saturate": scenarios.saturate,
        "start-bell": bells.start_bell,
        "end-bell": bells.end_bell,
        "growth": growth.growth,
        "bulk": bulk.bulk,
        "page": page.page,
    }[name]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="manage.py bench",
        description="\n".join(f"{name:<11} {what}" for name, what in SCENARIOS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("scenario", nargs="?", choices=SCENARIOS, default="journey")
    found.add_argument("--json", action="store_true", help="one JSON document on stdout, progress on stderr")
    found.add_argument("--quick", action="store_true", help="small figures, done within a minute")
    found.add_argument("--candidates", type=_positive(int), metavar="N")
    found.add_argument("--seconds", type=_positive(float), metavar="N")
    found.add_argument("--pace", type=_positive(float), metavar="N", help="journey: seconds from one save to the next")
    found.add_argument("--twice", type=_positive(float), metavar="N", help="journey: then N seconds at twice the rate")
    found.add_argument("--database", choices=("embedded", "postgresql"), default="embedded")
    return found


def _positive(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = kind(text)
        if not 0 < value < 10_000_000:
            raise argparse.ArgumentTypeError(f"must be above 0, not {text}")
        return value

    read.__name__ = "number"
    return read


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
