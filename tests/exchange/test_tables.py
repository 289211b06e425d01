"""Tables in files: what is read, and what is refused with its place (bad input, rows 46 to 56)."""

from __future__ import annotations

import io
import zipfile

import pytest

from kiosk.services.exchange import delimited, writers
from kiosk.services.exchange.candidates import COLUMNS, EXPORTED, CandidateFile
from kiosk.services.exchange.tables import Table
from tests.exchange.files import HEADER, csv_file, with_members, with_sheet, workbook

GOOD = "N1,Asha,Naik,TTC,C01"
TEXT = '<c r="{0}" t="inlineStr"><is><t>{1}</t></is></c>'
ROW = "".join(TEXT.format(f"{letter}2", text) for letter, text in zip("BCDE", GOOD.split(",")[1:], strict=True))


def read(content: bytes):  # type: ignore[no-untyped-def]
    """The rows of a candidate file, and its problems as (line, cell or column, text)."""
    table = Table(content, COLUMNS)
    rows = [row.fields for row in table.rows()]
    return rows, [(problem.line, problem.cell or problem.column, problem.text) for problem in table.problems.listed]


def sheet_row(cell: str) -> bytes:
    """A workbook with one row whose first cell is this."""
    return with_sheet(f'<row r="2">{cell}{ROW}</row>')


@pytest.mark.parametrize(
    "content",
    [
        csv_file(GOOD),
        b"\xef\xbb\xbf" + csv_file(GOOD),
        csv_file(GOOD).replace(b"\n", b"\r\n"),
        csv_file(GOOD).replace(b",", b";"),
        csv_file(GOOD).replace(b",", b"\t"),
        csv_file(GOOD).decode().encode("utf-16"),
        csv_file(GOOD, "", ",,,,", ""),
        csv_file("C01,TTC,Naik,Asha,N1", header="Centre,TRADE, rank ,name,service_no"),
        workbook([GOOD.split(",")]),
        sheet_row(TEXT.format("A2", "N1")),
    ],
    ids=["plain", "mark", "CRLF", "semicolons", "tabs", "UTF-16", "blank lines", "order", "xlsx", "inline"],
)
def test_the_same_table_is_read_however_it_is_written(content: bytes) -> None:
    rows, problems = read(content)
    assert problems == []
    assert rows == [dict(zip(HEADER.split(","), GOOD.split(","), strict=True))]


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (b"", 1, "empty"),
        (csv_file(), 1, "no rows"),
        (csv_file(GOOD, header="service_no,name,rank,trade"), 1, "is missing"),
        (csv_file(GOOD, header=f"{HEADER},colour"), 1, "is not known"),
        (csv_file(GOOD, header=f"{HEADER},name"), 1, "stands twice"),
        (csv_file(GOOD, f"{GOOD},more"), 3, "more or fewer"),
        (csv_file(GOOD, "N2"), 3, "more or fewer"),
        (csv_file(GOOD, 'N2,"open,Naik,TTC,C01'), 3, "quotes"),
        (csv_file(GOOD, f"N2,{'x' * 140_000},Naik,TTC,C01"), 3, "longer than"),
        (csv_file(GOOD) + b"N2,\xcd\xe0,Naik,TTC,C01\n", 3, "0xcd"),
        (csv_file(GOOD) + b"N2,a\x00b,Naik,TTC,C01\n", 3, "cannot be stored"),
        (b"\xff\xfea", 1, "UTF-16"),
    ],
)
def test_a_wrong_csv_is_refused_with_its_line(content: bytes, line: int, said: str) -> None:
    problems = read(content)[1]
    assert [place for place, _, _ in problems] == [line] * len(problems)
    assert said in problems[0][2]


@pytest.mark.parametrize(
    "content",
    [
        b"\xd0\xcf\x11\xe0 an old .xls, or an encrypted one",
        b"PK\x03\x04 cut off",
        workbook([GOOD.split(",")])[:900],
        with_members(workbook([]), {"xl/workbook.xml": "<workbook"}),
        with_members(workbook([]), {"xl/workbook.xml": '<!DOCTYPE x [<!ENTITY a "b">]><workbook/>'}),
        with_members(workbook([]), {"xl/vbaProject.bin": "macros"}),
        with_members(workbook([]), {"xl/sharedStrings.xml": " " * 50_000_000}),
        with_sheet("<row r='2'><c r='A2'"),
        with_sheet("<row r='2'><c r='A2' t='s'><v>99</v></c></row>"),
        with_sheet("<row r='99999999'><c r='A2'><v>1</v></c></row>"),
        with_sheet("<row r='2'><c r='ZZZ2' t='str'><v>x</v></c></row>"),
    ],
    ids=["xls", "zip", "cut", "broken", "doctype", "macros", "bomb", "sheet", "no such text", "far row", "far column"],
)
def test_what_is_no_workbook_is_refused(content: bytes) -> None:
    rows, problems = read(content)
    assert (rows, len(problems)) == ([], 1)


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("candidates.csv", csv_file(GOOD))
    assert "not an .xlsx workbook" in read(content.getvalue())[1][0][2]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ('<c r="A2"><v>7715204</v></c>', "must be text"),
        ('<c r="A2"><v>1E+15</v></c>', "must be text"),
        ('<c r="A2" t="str"><f>A1&amp;"x"</f><v>N1</v></c>', "formula"),
        ('<c r="A2" t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c r="A2" t="b"><v>1</v></c>', "must be text"),
        ('<c r="A2" t="d"><v>2026-11-21</v></c>', "date"),
    ],
)
def test_a_cell_that_may_not_be_what_it_shows_is_named_by_its_address(cell: str, said: str) -> None:
    rows, problems = read(sheet_row(cell))
    assert rows == []
    assert [(place, column) for place, column, _ in problems] == [(2, "A2")]
    assert said in problems[0][2]


def test_rows_outside_of_what_the_file_says_of_itself_are_read() -> None:
    content = with_sheet(f'<row r="2">{TEXT.format("A2", "N1")}{ROW}</row>', dimension="A1")
    assert [row["service_no"] for row in read(content)[0]] == ["N1"]


def test_a_second_sheet_is_refused_and_a_hidden_one_is_not_read() -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(HEADER.split(","))
    book.active.append(GOOD.split(","))
    other = book.create_sheet("Other")
    content = io.BytesIO()
    book.save(content)
    assert "one sheet" in read(content.getvalue())[1][0][2]
    other.sheet_state = "hidden"
    content = io.BytesIO()
    book.save(content)
    assert len(read(content.getvalue())[0]) == 1


RISKY = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1+1",
    "@SUM",
    "\t=1",
    "\r=1",
    "'=x",
    "''=x",
    "O'Neill",
    "'quoted'",
    "_x000D_",
    "<b>",
]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_a_spreadsheet_would_calculate_goes_out_harmless_and_comes_back_the_same(form: str) -> None:
    content = io.BytesIO()
    writers.write(content, form, EXPORTED[:5], [[f"N{place}", name, "", "T", "C"] for place, name in enumerate(RISKY)])
    rows, problems = read(content.getvalue())
    assert problems == []
    assert [row["name"] for row in rows] == RISKY
    if form == "csv":
        assert all(not delimited.protected(name).startswith(tuple("=+-@\t\r")) for name in RISKY)


@pytest.mark.parametrize(
    ("extra", "column"),
    [
        ({"service_no": ""}, "service_no"),
        ({"service_no": "x" * 41}, "service_no"),
        ({"service_no": "n1"}, "service_no"),  # folded, it is the one before
        ({"service_no": "\u0410\u0411"}, "service_no"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "bell\x07"}, "name"),
        ({"trade": ""}, "trade"),
        ({"centre": ""}, "centre"),
        ({"shift": "31.02.2026"}, "shift"),
        ({"shift": "2026-02-31 10:00"}, "shift"),
        ({"shift": "45000"}, "shift"),
        ({"shift": "2026-11-21 10:00+05:30"}, "shift"),
        ({"password": "short"}, "password"),
        ({"language": "fr"}, "language"),
        ({"extra_minutes_per_hour": "61"}, "extra_minutes_per_hour"),
        ({"extra_minutes_per_hour": "-1"}, "extra_minutes_per_hour"),
        ({"extra_minutes_per_hour": "٣"}, "extra_minutes_per_hour"),
        ({"photo": "../me.jpg"}, "photo"),
    ],
)
def test_a_field_that_cannot_be_is_named(extra: dict[str, str], column: str) -> None:
    names = (*COLUMNS.required, *COLUMNS.optional)
    good = dict(zip(HEADER.split(","), GOOD.split(","), strict=True))
    lines = [good, good | {"service_no": "N2"} | extra]
    rows = [",".join(line.get(name, "") for name in names) for line in lines]
    file = CandidateFile(csv_file(*rows, header=",".join(names)))
    list(file.entries())
    assert [(problem.line, problem.column) for problem in file.problems.listed] == [(3, column)]


def test_at_most_a_hundred_problems_are_listed_and_all_are_counted() -> None:
    file = CandidateFile(csv_file(*[f"N{place},,Naik,TTC,C01" for place in range(300)]))
    list(file.entries())
    assert (len(file.problems.listed), len(file.problems.lines)) == (100, 300)
