"""A backup of a running server, and the way back: nothing half done, nobody still signed in, the old data kept."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, union

from kiosk import clock, create_app
from kiosk.config import Settings, load_settings
from kiosk.extensions import db
from kiosk.ids import uuid7
from kiosk.models import Candidate, User
from kiosk.runtime import backup, database
from kiosk.runtime.archive import BackupRefused
from kiosk.runtime.restore import restore

from .conftest import ROOT, Instance

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def served(request: pytest.FixtureRequest, make_instance: Callable[..., Instance], tmp_path: Path) -> Instance:
    """A running server with demo people, on either database."""
    more = {"KIOSK_ENV": "demo", "KIOSK_BACKUP_DIR": str(tmp_path / "stick")}
    if request.param == "postgresql":
        more["KIOSK_DATABASE_URL"] = request.getfixturevalue("postgresql_url")
    instance = make_instance(**more)
    instance.start()
    return instance


def flask(instance: Instance, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command on this instance, beside its server or without one."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KIOSK_")}
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *words],
        cwd=ROOT,
        env={**inherited, "KIOSK_INSTANCE_DIR": str(instance.folder), **instance.settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def manifest(file: Path) -> dict[str, object]:
    """What a backup says of itself."""
    with tarfile.open(file) as tar:
        return json.loads(tar.extractfile("manifest.json").read())  # type: ignore[union-attr]


def test_a_backup_of_a_running_server_brings_back_that_moment(served: Instance, tmp_path: Path) -> None:
    (served.folder / "uploads").mkdir()
    (served.folder / "uploads" / "photo.jpg").write_bytes(b"a face")
    made = flask(served, "backup")
    assert made.returncode == 0, made.stderr
    (file,) = (tmp_path / "stick").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert {"uploads/photo.jpg"} < set(manifest(file)["files"])  # type: ignore[call-overload]
    refused = flask(served, "restore", str(file))
    assert (refused.returncode, "a server runs" in refused.stderr) == (1, True)
    # what comes after the backup is gone again after the restore, and stays beside
    assert flask(served, "slots", "reset", "--all", "--reason", "a mistake", "--yes").returncode == 0
    served.end()
    (served.folder / "uploads" / "photo.jpg").write_bytes(b"another face")
    done = flask(served, "restore", str(file))
    assert done.returncode == 0, done.stderr
    assert "The old data is in" in done.stdout
    assert (served.folder / "uploads" / "photo.jpg").read_bytes() == b"a face"
    assert list(served.folder.glob("old-*/redis"))
    again = flask(served, "slots", "assign", "--all", "--dry-run")
    assert "has slot" in again.stdout, "the slots that were reset are there again"
    served.start()
    assert served.ready()["database"] == "ok"


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[tuple[Settings, Path]]:
    """An installation with demo people and without a server, inside its application, and its backup."""
    settings = load_settings({"KIOSK_INSTANCE_DIR": str(tmp_path / "one"), "KIOSK_LOG_LEVEL": "error"})
    app = create_app(settings, background=False)
    database.prepare(app, settings, lambda _text: None)
    with app.app_context():
        yield settings, backup.make(settings, settings.instance_dir / "one.tar.gz", now=clock.now())
        db.session.remove()
        db.engine.dispose()


def lowest_epoch() -> int:
    """The lowest epoch of anybody's sign-ins."""
    return min(db.session.scalars(union(select(User.session_epoch), select(Candidate.session_epoch))))


def rewritten(file: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """A copy of a backup with something done to its members."""
    with tarfile.open(file) as tar:
        members = {one.name: tar.extractfile(one).read() for one in tar}  # type: ignore[union-attr]
    change(members)
    copy = file.with_name(f"{uuid7()}.tar.gz")
    with tarfile.open(copy, "w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return copy


def test_every_sign_in_from_before_has_ended_however_often_a_backup_is_restored(stopped: tuple[Settings, Path]) -> None:
    settings, file = stopped
    epochs, now = [lowest_epoch()], clock.now()
    for later in (1, 2):
        restore(settings, file, now=now + timedelta(seconds=later))
        epochs.append(lowest_epoch())
    assert epochs[0] < 10 < epochs[1] < epochs[2]


def of_the_future(members: dict[str, bytes]) -> None:
    members["manifest.json"] = members["manifest.json"].replace(b'"revision": "0', b'"revision": "9')


def content(file: Path) -> list[str]:
    """All that an SQLite database holds, wherever in its files it stands."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def test_a_backup_that_is_not_whole_or_not_for_us_changes_nothing(stopped: tuple[Settings, Path]) -> None:
    settings, file = stopped
    place = settings.instance_dir
    before = content(place / "kiosk.db")

    def turned(members: dict[str, bytes]) -> None:
        members["database.sqlite"] = members["database.sqlite"][:-1] + b"!"

    def outside(members: dict[str, bytes]) -> None:
        members["../outside"] = b"x"

    half = file.with_name("half.tar.gz")
    half.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    trials = {
        half: "no whole backup",
        file.with_name("none"): "No such file",
        rewritten(file, turned): "was changed since",
        rewritten(file, outside): "does not name",
        rewritten(file, lambda members: members.pop("database.sqlite")): "lacks database.sqlite",
        rewritten(file, of_the_future): "newer than this program",
    }
    for trial, why in trials.items():
        with pytest.raises((BackupRefused, OSError), match=why):
            restore(settings, trial, now=clock.now())
    assert content(place / "kiosk.db") == before
    assert not [*place.glob("old-*"), *place.glob("restore-*"), *place.parent.glob("outside")]


def test_a_backup_is_made_whole_or_not_at_all(stopped: tuple[Settings, Path]) -> None:
    settings, file = stopped
    before = file.read_bytes()
    for target, why in ((file, "is there already"), (file.parent / "nowhere" / "b.tar.gz", "No such file")):
        with pytest.raises((BackupRefused, OSError), match=why):
            backup.make(settings, target, now=clock.now())
    assert file.read_bytes() == before
    assert [path.name for path in settings.instance_dir.glob(".*")] == []
