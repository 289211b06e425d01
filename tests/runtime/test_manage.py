"""`manage.py` itself, before any environment exists."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools import environment, suite

from .conftest import ROOT, Instance

BEFORE_ANYTHING_IS_INSTALLED = [ROOT / "manage.py", *sorted((ROOT / "tools").glob("*.py"))]


@pytest.mark.parametrize("file", BEFORE_ANYTHING_IS_INSTALLED, ids=lambda file: file.name)
def test_manage_needs_the_standard_library_alone(file: Path):
    tree = ast.parse(file.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    foreign = {name for name in names if name.split(".")[0] not in sys.stdlib_module_names | {"tools"}}

    assert foreign == set()


@pytest.mark.parametrize(
    ("words", "code"),
    [(["frobnicate"], 2), ([], 2), (["run", "--fast"], 2), (["lint", "everything"], 2), (["--help"], 0)],
)
def test_an_unknown_command_or_word_is_wrong_usage(words: list[str], code: int):
    done = manage(*words)

    assert done.returncode == code
    assert "usage: python3 manage.py" in (done.stdout if code == 0 else done.stderr)


def test_installed_requirements_are_asked_for_again_only_when_they_change(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    (tmp_path / "requirements.txt").write_text("Flask==3.1.3\n")
    before = environment.requirements_fingerprint(("requirements.txt",))
    assert environment.requirements_fingerprint(("requirements.txt",)) == before

    (tmp_path / "requirements.txt").write_text("Flask==3.1.4\n")

    assert environment.requirements_fingerprint(("requirements.txt",)) != before


def test_a_missing_program_is_said_loudly_and_fails_only_continuous_integration(capsys, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    assert suite.may_run_without(["chromium"])
    assert "LEFT OUT" in capsys.readouterr().out

    monkeypatch.setenv("CI", "true")
    assert not suite.may_run_without(["chromium"])


def test_the_demo_is_not_reset_while_a_server_runs(instance: Instance):
    instance.start()
    assert instance.process is not None

    done = reset(instance, "--yes")

    assert done.returncode == 1
    assert str(instance.process.pid) in done.stderr


def test_the_demo_is_not_reset_without_a_yes(make_instance):
    instance = make_instance(KIOSK_ENV="demo")
    instance.folder.mkdir()
    (instance.folder / "kiosk.db").write_bytes(b"")

    done = reset(instance)

    assert done.returncode == 2
    assert (instance.folder / "kiosk.db").exists()


def test_a_demo_reset_puts_the_old_data_aside_and_deletes_nothing(make_instance):
    instance = make_instance(KIOSK_ENV="demo")
    assert reset(instance, "--yes").returncode == 0
    first = (instance.folder / "kiosk.db").stat().st_ino

    done = reset(instance, "--yes")

    assert done.returncode == 0, done.stderr
    kept = list(instance.folder.glob("old-*/kiosk.db"))
    assert [file.stat().st_ino for file in kept] == [first]
    assert (instance.folder / "kiosk.db").stat().st_size > 0


def manage(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "manage.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def reset(instance: Instance, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kiosk.runtime.reset", *words]
    variables = {"PATH": "/usr/bin:/bin", "KIOSK_INSTANCE_DIR": str(instance.folder), **instance.settings}
    return subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
