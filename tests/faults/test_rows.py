"""Every row of the fault matrix is a test whose name says so, wherever its subject is at home."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
GROUPS = {"R": 11, "D": 8, "W": 3, "M": 1, "C": 2, "K": 7, "S": 4, "A": 3, "T": 2, "P": 5}
MATRIX = [f"{letter}{number}" for letter, count in GROUPS.items() for number in range(1, count + 1)]
SOURCES = "\n".join(path.read_text() for path in TESTS.rglob("test_*.py"))


@pytest.mark.parametrize("row", MATRIX)
def test_each_row_of_the_matrix_is_a_test_that_exists(row: str) -> None:
    assert re.search(rf"^def test_(\w\d+_)*{row}_", SOURCES, re.M), f"no test of {row}"
