"""Every pair of operations at the same moment, over real HTTP where there is a route; `Track` judges."""

from __future__ import annotations

import os
from datetime import timedelta
from itertools import combinations_with_replacement

import pytest

from tests.races.track import ENDS_THE_TIME, Track

OPERATIONS = (
    "start",
    "save",
    "submit",
    "expire",
    "reset",
    "assign",
    "extend",
    "pause",
    "switch_set",
    "sweep",
    "elsewhere",
)
ROUNDS = 200 if os.environ.get("KIOSK_TEST_LONG") else 3
NEED_AN_ATTEMPT = {"save", "submit", "expire", "extend", "pause", "elsewhere"}


# the pairs that are rows of the fault matrix, by which a report is searched
ROWS = {
    ("save", "reset"): "S1",
    ("submit", "reset"): "S2",
    ("start", "switch_set"): "A1",
    ("save", "switch_set"): "A2",
    ("submit", "switch_set"): "A2",
    ("submit", "expire"): "T1",
    ("save", "expire"): "T1",
    ("start", "start"): "K5",
    ("submit", "submit"): "K5",
    ("save", "elsewhere"): "K6",
    ("sweep", "sweep"): "P2",
}
PAIRS = [
    pytest.param(*pair, id="-".join((*filter(None, [ROWS.get(pair)]), *pair)))
    for pair in combinations_with_replacement(OPERATIONS, 2)
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_two_at_the_same_moment_leave_one_story(track: Track, first: str, second: str) -> None:
    run_rounds(track, first, second)


def run_rounds(track: Track, first: str, second: str) -> None:
    """Race a pair from each state that it can begin in."""
    pair = {first, second}
    begins = ("running",) if pair & NEED_AN_ATTEMPT else ("available", "running", "none", "available")
    # what ends the time comes 3 s after the deadline; what meets it is still in the grace, or just before
    after = (1, -1) if pair & ENDS_THE_TIME else (-300,)
    # the narrowest window of all: somebody starts between the count of those who write and the switch
    least = 16 if pair == {"start", "switch_set"} else len(begins)
    for place in range(max(ROUNDS, least)):
        track.race(
            first,
            second,
            begin=begins[place % len(begins)],
            after=timedelta(seconds=after[place % len(after)]),
            by_page=place % 2 == 1,
        )
