"""Files at the command line: in whole or not at all, out whole or not at all."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kiosk.demo import QUESTIONS
from kiosk.extensions import db
from kiosk.models import Candidate, QuestionSet
from kiosk.services import accounts
from tests.desk import row_counts
from tests.exchange.files import HEADER, csv_file, workbook
from tests.exchange.photos import picture, zipped
from tests.test_cli import flask  # noqa: F401  a fixture

SET = ("--trade", "TTC", "--paper", "primary", "--set", "D")
NEW = csv_file("A1,Asha,Naik,TTC,C01")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with one new candidate."""
    path = tmp_path / "new.csv"
    path.write_bytes(NEW)
    return path


def test_candidates_come_in_and_their_passwords_lie_beside_the_file(flask: Any, hall: Any, file: Path) -> None:  # noqa: F811
    code, out, _ = flask("import", "candidates", str(file))
    assert (code, "1 new, 0 changed, 0 unchanged." in out) == (0, True)
    listed = file.with_name("new.result.csv")
    assert listed.stat().st_mode & 0o777 == 0o600
    (row,) = csv.DictReader(listed.read_text("utf-8-sig").splitlines())
    assert accounts.sign_in("A1", row["password"], now=hall.MORNING).name == "Asha"
    assert "0 new, 0 changed, 1 unchanged." in flask("import", "candidates", str(file))[1]
    assert sorted(path.name for path in file.parent.iterdir()) == ["new.csv", "new.result.csv"]


def test_a_dry_run_and_a_wrong_file_change_nothing(flask: Any, hall: Any, file: Path) -> None:  # noqa: F811
    before = row_counts()
    code, out, _ = flask("import", "candidates", str(file), "--dry-run")
    assert (code, "1 would be new" in out) == (0, True)
    assert row_counts() == before
    file.with_suffix(".xlsx").write_bytes(workbook([["A1", "", "", "NOPE", "C01"]]))
    for more in (("--dry-run",), ()):
        code, _, err = flask("import", "candidates", str(file.with_suffix(".xlsx")), *more)
        assert (code, "line 2, B2, name: is missing" in err, "Nothing was imported." in err) == (1, True, True)
    db.session.rollback()
    assert db.session.execute(select(Candidate).where(Candidate.login == "a1")).first() is None


def test_photos_come_out_of_a_zip_beside_the_file(flask: Any, hall: Any, file: Path) -> None:  # noqa: F811
    file.write_bytes(csv_file("A1,Asha,Naik,TTC,C01,a.jpg", header=f"{HEADER},photo"))
    photos = file.with_suffix(".zip")
    words = ("import", "candidates", str(file), "--photos", str(photos))
    assert flask(*words)[0] == 2
    photos.write_bytes(zipped(("b.jpg", picture())))
    code, _, err = flask(*words)
    assert (code, "line 2, photo: there is no file a.jpg in the ZIP" in err) == (1, True)
    photos.write_bytes(zipped(("a.jpg", picture()), ("b.jpg", picture())))
    before = row_counts()
    code, out, err = flask(*words, "--dry-run")
    assert (code, "1 photos new or changed." in out, "named by no row: b.jpg" in err) == (0, True, True)
    assert row_counts() == before
    assert "1 photos new or changed." in flask(*words)[1]
    assert row_counts()["candidate_photos"] == 1


@pytest.mark.parametrize("words", [("candidates", "/no/such/file"), ("questions", "/no/such/file", *SET)])
def test_a_file_that_is_not_there_is_a_wrong_selection(flask: Any, hall: Any, words: tuple[str, ...]) -> None:  # noqa: F811
    code, _, err = flask("import", *words)
    assert (code, len(err.strip().splitlines())) == (2, 1)


def test_questions_become_a_draft_set(flask: Any, hall: Any) -> None:  # noqa: F811
    name = str(QUESTIONS / "ttc-primary-a.csv")
    before = row_counts()
    assert flask("import", "questions", name, *SET, "--dry-run")[0] == 0
    assert flask("import", "questions", name, "--trade", "NOPE", *SET[2:])[0] == 2
    assert row_counts() == before
    assert flask("import", "questions", name, *SET)[0] == 0
    made = db.session.execute(select(QuestionSet.status, QuestionSet.paper_id).where(QuestionSet.label == "D")).one()
    assert tuple(made) == ("draft", hall.paper_id)


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
@pytest.mark.parametrize("what", ["answers", "audit", "candidates", "results"])
def test_every_table_goes_out_in_every_format(flask: Any, hall: Any, tmp_path: Path, what: str, form: str) -> None:  # noqa: F811
    player = hall.player(0)
    player.start()
    player.save(1, "A")
    player.submit()
    place = tmp_path / f"out.{form}"
    code, out, _ = flask("export", what, "--format", form, "-o", str(place))
    rows = {"answers": "10", "candidates": "6", "results": "1"}.get(what, "")
    assert (code, f"{rows} rows written" in out) == (0, True)
    if form == "json":
        read = json.loads(place.read_text())
        assert what == "audit" or read[0]["service_no"] == "N001"
    before = place.read_bytes()
    code, _, err = flask("export", what, "--format", form, "-o", str(place))
    assert (code, "--force" in err, place.read_bytes() == before) == (1, True, True)
    assert flask("export", what, "--format", form, "-o", str(place), "--force")[0] == 0


def test_an_export_that_cannot_be_written_leaves_nothing(flask: Any, hall: Any, tmp_path: Path) -> None:  # noqa: F811
    code, _, err = flask("export", "candidates", "--format", "csv", "-o", str(tmp_path / "no" / "out.csv"))
    assert (code, len(err.strip().splitlines()), list(tmp_path.iterdir())) == (1, 1, [])
