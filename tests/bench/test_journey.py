"""The benchmark runs against a whole stack: three candidates from the sign-in to the receipt, and many at once."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.bench.test_measures import OPERATION
from tests.runtime.conftest import ROOT

WORDS = ["journey", "--quick", "--candidates", "3", "--seconds", "0.5"]


def bench(*words: str) -> Any:
    """What the benchmark printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", *words, "--json"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_is_done_to_many_at_once_is_measured_whole() -> None:
    rows = bench("bulk", "--quick", "--candidates", "12")["operations"]
    names = {"import", "import_questions", "assign", "reassign", "reset", "switch", "sweep"}
    assert {row["name"] for row in rows} == names
    assert all(row["errors"] == 0 and row["count"] >= 1 for row in rows)


def test_a_journey_prints_one_document_and_loses_nothing() -> None:
    document = bench(*WORDS)
    assert set(document) == {"operations", "yardstick", "memory_mb", "driver_cpu_ms", "acknowledged", "lost"}
    assert all(set(row) == OPERATION for row in document["operations"])
    counts = {row["name"]: (row["count"], row["errors"]) for row in document["operations"]}
    assert set(counts) == {"sign_in", "start", "question", "save", "time", "submit"}
    assert all(count >= 3 and errors == 0 for count, errors in counts.values())
    assert (document["acknowledged"], document["lost"]) == (counts["save"][0], 0)
    assert document["yardstick"]["per_second"] > 0
    assert document["memory_mb"] > 0
    # the counts don't depend on the machine
    told = {row["name"]: (row["sql"], row["redis"]) for row in document["operations"]}
    assert told["time"] == (0, 1)
    assert told["question"] == (1, 0)
