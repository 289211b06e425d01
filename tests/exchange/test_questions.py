"""Question files: a good one is read whole, a bad one is refused with every line and column."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import pytest
from flask import Flask

from kiosk.demo import QUESTIONS
from kiosk.services.exchange.questions import read as read_file

HEADER = "part,type,text,option_a,option_b,option_c,option_d,answer,marks\n"
DEMO_FILES = sorted(QUESTIONS.glob("*.csv"))
SHAPES = {"ttc": (15, 5, 10, 3, 10), "common": (15, 5, 10, 3, 10), "occ": (20, 5, 15, 4, 10)}


@pytest.fixture(autouse=True)
def _context(app: Flask):  # type: ignore[no-untyped-def]
    with app.test_request_context():
        yield


def read(*rows: str):  # type: ignore[no-untyped-def]
    """Read a file with these rows under the usual header."""
    return read_file((HEADER + "\n".join(rows) + "\n").encode())


def test_every_type_is_read() -> None:
    found = read(
        "A,,One?,a,b,c,d,B,1",
        'B,,Several?,a,b,c,d,"A, C",2',
        "F,,Is it?,,,,,True,1",
        "A,numeric,How many?,,,,,12.5±0.1,1",
        "D,,Fill _____,,,,,ohm| Ohms |,1",
        "C,,Why?,,,,,Because.,2",
    )
    assert not found.problems
    answers = [row["answer"] for row in found.questions]
    assert answers == ["B", ["A", "C"], True, {"value": "12.5", "tolerance": "0.1"}, ["ohm", "Ohms"], "Because."]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("G,,One?,a,b,c,d,B,1", "part"),
        ("A,essay,One?,a,b,c,d,B,1", "type"),
        ("A,,,a,b,c,d,B,1", "text"),
        ("A,,One?,a,,,,A,1", "option_a"),
        ("A,,One?,a,A,c,d,C,1", "option_a"),
        ("A,,One?,a,b,,,D,1", "answer"),
        ("A,,One?,a,b,c,d,,1", "answer"),
        ('B,,One?,a,b,c,d,"A,A",1', "answer"),
        ("F,,One?,,,,,yes,1", "answer"),
        ("A,numeric,One?,,,,,twelve,1", "answer"),
        ("D,,One?,,,,,,1", "answer"),
        ("A,,One?,a,b,c,d,B,many", "marks"),
        ("A,,One?,a,b,c,d,B,-1", "marks"),
        ("A,,One?,a,b,c,d,B,1,extra", ""),
        ("A,,One?", ""),
    ],
)
def test_a_bad_row_is_named_by_line_and_column(row: str, column: str) -> None:
    found = read("A,,Fine?,a,b,c,d,B,1", row)
    assert [(problem.line, problem.column) for problem in found.problems] == [(3, column)]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        HEADER.encode(),
        b"part,text\nA,x\n",
        HEADER.encode().replace(b"marks", b"marks,marks"),
        HEADER.encode().replace(b"marks", b"colour"),
        HEADER.encode() + b"A,,\xff\xfe?,a,b,c,d,B,1\n",
        HEADER.encode() + b'A,,"unclosed?,a,b,c,d,B,1\n',
        HEADER.encode() + b"A,," + b"x" * 140_000 + b",a,b,c,d,B,1\n",
    ],
    ids=["empty", "header only", "no answer", "twice", "unknown", "not UTF-8", "unclosed", "huge"],
)
def test_a_file_that_is_none_is_refused(content: bytes) -> None:
    assert read_file(content).problems


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    found = read_file(("\ufeff" + HEADER + "A,,One?,a,b,c,d,B,1\n").replace("\n", "\r\n").encode())
    assert (len(found.questions), found.problems) == (1, [])


@pytest.mark.parametrize("file", DEMO_FILES, ids=lambda path: path.stem)
def test_every_demo_set_is_complete_and_its_keys_are_spread(file: Path) -> None:
    found = read_file(file.read_bytes())
    assert not found.problems
    counts = Counter(row["part"] for row in found.questions)
    assert tuple(counts[part] for part in "ACDEF") == SHAPES[file.stem.split("-")[0]]
    keys = Counter(row["answer"] for row in found.questions if row["part"] == "A")
    assert min(keys[letter] for letter in "ABCD") >= 3
    truths = Counter(row["answer"] for row in found.questions if row["part"] == "F")
    assert min(truths.values()) >= 4
    if file.stem.endswith("-a"):
        assert all(row["text_hi"] for row in found.questions)


def test_no_demo_question_stands_twice() -> None:
    texts = Counter(
        row["text"].casefold() for file in DEMO_FILES for row in csv.DictReader(io.StringIO(file.read_text("utf-8")))
    )
    assert len(DEMO_FILES) == 9
    assert [text for text, count in texts.items() if count > 1] == []
