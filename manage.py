#!/usr/bin/env python3
"""The commands for people: run, test, bench, lint, fmt, demo-reset. Needs Python 3.11 and nothing else.

Makes the environment in .venv, installs what the requirement files pin, and hands over to it.
"""

from __future__ import annotations

import contextlib
import os
import sys

from tools import environment, suite
from tools.environment import PYTHON, ROOT, RUN_FILES, TEST_FILES, CommandFailed

USAGE = """usage: python3 manage.py COMMAND

  run                  start the server with everything it needs; Ctrl-C ends it
  test [--long] [...]  run the whole suite; further words go to pytest
  bench [SCENARIO]     measure a stack of its own: journey, saturate, start-bell, end-bell, growth, bulk;
                       --json --quick --candidates N --seconds N --database embedded|postgresql
  lint                 check style, types, templates and scripts
  fmt                  format the Python files
  demo-reset [--yes]   put the instance's data aside and load the demo data anew

Settings come from the environment (PORT, HOST, KIOSK_…); the README lists them."""


def run(arguments: list[str]) -> int:
    """Hand over to the server, in this very process."""
    refuse_arguments(arguments)
    environment.ensure(RUN_FILES)
    return hand_over("kiosk.run")


def demo_reset(arguments: list[str]) -> int:
    """Hand over to the reset."""
    refuse_arguments([word for word in arguments if word != "--yes"])
    environment.ensure(RUN_FILES)
    return hand_over("kiosk.runtime.reset", *arguments)


def hand_over(module: str, *arguments: str) -> int:
    """Become `python -m module` in the environment. Relative paths in settings start at the checkout."""
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execv(PYTHON, [str(PYTHON), "-m", module, *arguments])  # noqa: S606 - the module is one of ours


def test(arguments: list[str]) -> int:
    """Run the suite; return pytest's exit code."""
    environment.ensure(TEST_FILES)
    return suite.test(arguments)


def bench(arguments: list[str]) -> int:
    """Hand over to the benchmark. Its figures alone go to stdout, as one JSON document if that is asked for."""
    with contextlib.redirect_stdout(sys.stderr):
        environment.ensure(TEST_FILES)
    return hand_over("tests.bench", *arguments)


def lint(arguments: list[str]) -> int:
    """Check style, types, templates and scripts."""
    refuse_arguments(arguments)
    environment.ensure(TEST_FILES)
    return suite.lint()


def fmt(arguments: list[str]) -> int:
    """Format the Python files."""
    refuse_arguments(arguments)
    environment.ensure(TEST_FILES)
    return suite.fmt()


def refuse_arguments(arguments: list[str]) -> None:
    """Stop for a word that the command does not know."""
    if arguments:
        print(f"unknown argument: {arguments[0]}\n\n{USAGE}", file=sys.stderr)
        raise SystemExit(2)


COMMANDS = {"run": run, "test": test, "bench": bench, "lint": lint, "fmt": fmt, "demo-reset": demo_reset}


def main(arguments: list[str]) -> int:
    """Run one command; 0 done, 1 failed, 2 wrong usage."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what tells people
        print(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}", file=sys.stderr)
        return 1
    if arguments[:1] in (["-h"], ["--help"], ["help"]):
        print(USAGE)
        return 0
    if not arguments or arguments[0] not in COMMANDS:
        print(f"unknown command: {arguments[0]}\n\n{USAGE}" if arguments else USAGE, file=sys.stderr)
        return 2
    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except CommandFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
