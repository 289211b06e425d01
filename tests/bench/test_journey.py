"""The benchmark runs: three candidates from the sign-in to the receipt against a whole stack."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.bench.test_measures import OPERATION
from tests.runtime.conftest import ROOT

WORDS = ["journey", "--quick", "--candidates", "3", "--seconds", "0.5", "--json"]


def test_a_journey_prints_one_document_and_loses_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", *WORDS], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
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
