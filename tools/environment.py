"""Makes .venv and installs what the requirement files pin, with whatever the machine has for that."""

# ruff: noqa: T201, S603, S310 - talks to a person; runs the commands it makes itself; fetches one checked file
from __future__ import annotations

import contextlib
import fcntl
import glob
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
RUN_FILES = ("requirements.txt",)
TEST_FILES = ("requirements.txt", "requirements-dev.txt")

# Where neither ensurepip nor any pip is on the machine, this one wheel is fetched and checked.
PIP_WHEEL = "pip-26.0-py3-none-any.whl"
PIP_SHA256 = "98436feffb9e31bc9339cf369fd55d3331b1580b6a6f1173bacacddcf9c34754"


class CommandFailed(Exception):
    """A step failed; the text is one line for the person at the terminal."""


def say(line: str) -> None:
    """Print one calm line of progress."""
    print(f"  {line}", flush=True)


def ensure(files: tuple[str, ...]) -> None:
    """Make .venv and install the pinned requirements, unless that has been done for these very files."""
    stamp, fingerprint = VENV / f"installed-{len(files)}", requirements_fingerprint(files)
    if is_stamped(stamp, fingerprint):
        return
    with one_at_a_time():
        if is_stamped(stamp, fingerprint):
            return
        if not works(PYTHON):
            make_environment()
        install(files[-1])
        stamp.write_text(fingerprint)


def requirements_fingerprint(files: tuple[str, ...]) -> str:
    """Return what identifies an installation: the files' contents, and the Python and folder it is for."""
    parts = [sys.version, os.uname().machine, str(VENV), *((ROOT / name).read_text() for name in files)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def is_stamped(stamp: Path, fingerprint: str) -> bool:
    """Whether the requirements were installed and the environment's Python is still there."""
    with contextlib.suppress(OSError):
        return stamp.read_text() == fingerprint and os.access(PYTHON, os.X_OK)
    return False


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let two commands that are started together not build the same environment."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def works(python: Path) -> bool:
    """Whether this interpreter starts and is the version that was asked for."""
    ask = [str(python), "-c", "import sys; print(sys.version)"]
    try:
        answer = subprocess.run(ask, capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.stdout.strip() == sys.version.strip()


def make_environment() -> None:
    """Make .venv, with uv, with ensurepip, or with a pip of our own."""
    uv = shutil.which("uv")
    if uv and quietly("Making the Python environment", [uv, "venv", "--clear", "--python", sys.executable, str(VENV)]):
        return
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    # Debian without python3-venv has the module at most in part
    if importlib.util.find_spec("ensurepip") and quietly("Making the Python environment", command):
        return
    must("Making the Python environment without pip", [*command, "--without-pip"])
    bootstrap_pip()


def install(file: str) -> None:
    """Install a requirements file, with uv where it is there."""
    title, uv = f"Installing {file} (only once)", shutil.which("uv")
    if uv and quietly(title, [uv, "pip", "install", "--python", str(PYTHON), "-r", file]):
        return
    if not has_pip():
        bootstrap_pip()
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar", "off"]
    must(title, [*pip, "-r", file])


def has_pip() -> bool:
    """Whether the environment has pip; one that uv made has not."""
    ask = [str(PYTHON), "-c", "import pip"]
    return subprocess.run(ask, capture_output=True, check=False).returncode == 0


def bootstrap_pip() -> None:
    """Put pip into .venv where Python came without ensurepip: from the machine's wheel, else the pinned one."""
    found = sorted(glob.glob("/usr/share/python-wheels/pip-*.whl"))
    with tempfile.TemporaryDirectory() as folder:
        wheel = found[-1] if found else fetch_pip(Path(folder))
        must("Installing pip", [str(PYTHON), f"{wheel}/pip", "install", "--no-index", wheel])


def fetch_pip(folder: Path) -> str:
    """Return the pinned pip wheel, fetched from the package index and compared with its known hash."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    try:
        with urllib.request.urlopen(index, timeout=60) as page:
            link = re.search(rf'href="([^"]*/?{re.escape(PIP_WHEEL)}[^"]*)"', page.read().decode())
        if link is None:
            raise CommandFailed(f"the package index has no {PIP_WHEEL}")
        with urllib.request.urlopen(urllib.parse.urljoin(index, link[1]), timeout=60) as file:
            content = file.read()
    except OSError as error:
        raise CommandFailed(f"pip cannot be fetched: {error}") from None
    if hashlib.sha256(content).hexdigest() != PIP_SHA256:
        raise CommandFailed(f"{PIP_WHEEL} is not the file it should be")
    (folder / PIP_WHEEL).write_bytes(content)
    return str(folder / PIP_WHEEL)


def must(title: str, command: list[str]) -> None:
    """Run a command quietly; raise CommandFailed when it fails."""
    if not quietly(title, command):
        raise CommandFailed(f"{title} failed; what it said stands above")


def quietly(title: str, command: list[str]) -> bool:
    """Run a command, showing that it moves; what it printed is shown only if it fails."""
    begun_at = told_at = time.monotonic()
    lines: list[str] = []
    on_terminal = sys.stdout.isatty()
    print(f"  {title} …", end="" if on_terminal else "\n", flush=True)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            words = line.split()
            if on_terminal and words and words[0] in ("Collecting", "Downloading", "Installing"):
                print(f"\r\033[K  {title} … {words[0].lower()} {' '.join(words[1:2])[:40]}", end="", flush=True)
            elif not on_terminal and time.monotonic() - told_at > 10:
                told_at = time.monotonic()
                say(f"… {told_at - begun_at:.0f} s")
    done = f"{title}: {'done' if process.returncode == 0 else 'failed'} after {time.monotonic() - begun_at:.0f} s"
    print(f"\r\033[K  {done}" if on_terminal else f"  {done}", flush=True)
    if process.returncode != 0:
        print("".join(lines[-20:]), end="", file=sys.stderr, flush=True)
    return process.returncode == 0
