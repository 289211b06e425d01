"""What the harnesses counted, printed at the end of the run: answers acknowledged and lost, faults, rounds."""

from __future__ import annotations

from collections import Counter

import pytest

FIGURES = "figures"
HARNESSES = ("faults", "races")


def count(request: pytest.FixtureRequest, harness: str, **figures: int) -> None:
    """Leave a test's figures with its report: reports travel from the processes of a run to the one that prints."""
    request.node.user_properties.append((FIGURES, {"harness": harness, **figures}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the sums, a line for each harness that ran. Hooked in by the topmost conftest, that every run loads."""
    sums: dict[str, Counter[str]] = {name: Counter() for name in HARNESSES}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) != "teardown":
                continue
            for name, figures in report.user_properties:
                if name == FIGURES:
                    sums[figures["harness"]].update({k: v for k, v in figures.items() if k != "harness"})
    for harness, figures in sums.items():
        if figures:
            words = ", ".join(f"{number} {what.replace('_', ' ')}" for what, number in figures.items())
            terminalreporter.write_line(f"{harness}: {words}")
